/**
 * The extended query protocol of a session: prepared statements and portals, from Parse to Close
 * (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
 */
import { ProxyError } from '../errors.js';
import { isNoteworthy, sessionEffect } from '../sql/gate.js';
import { readBindNames, readExecute, readParse, readTarget, write } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Backend, Frontend, TransactionStatus } from '../wire/types.js';
import { isSuspecting, planOf } from './attempt.js';
import type { Attempts, Bound } from './attempts.js';
import { descriptionReplies, executeReplies, swallowedReplies, undoneReplies } from './cascade-replies.js';
import type { FrontendOptions } from './frontend-options.js';
import { SCRATCH } from './injection.js';
import {
  type BoundPortal,
  bindOf,
  cannotRun,
  isShort,
  isUncertain,
  senderOf,
  withFormats,
} from './portals.js';
import { Names, type Prepared, partOf, UNWATCHED } from './prepared.js';
import type { ReplyHandler } from './replies.js';
import { type Rewrite, refusal } from './rewrite.js';
import type { Source } from './rewriter.js';

export class ExtendedQueries {
  readonly #options: FrontendOptions;
  readonly #attempts: Attempts;
  /** Whether anything was executed since the last Sync or query, and whether it may have ended the transaction. */
  #executed = false;
  #transactionEnded = false;
  /** How many portals were bound since then. */
  #bindings = 0;
  /** What each portal was bound to. */
  readonly #portals = new Names<BoundPortal>();
  /** What changes names known here and is not answered yet; and whether any of it is of an earlier unit. */
  #unanswered = 0;
  #doubtful = false;
  /** What waits until all of them are answered, or skipped behind an error. */
  #onAnswered: () => void = () => {};

  constructor(options: FrontendOptions, attempts: Attempts) {
    this.#options = options;
    this.#attempts = attempts;
  }

  /** The server is idle: portals ended with the transaction. */
  idle(): void {
    this.#portals.clear();
  }

  /** A Sync or a simple query was sent: what comes next is executed even where something before it failed. */
  endUnit(): void {
    this.#doubtful = this.#unanswered > 0;
    this.#executed = false;
    this.#transactionEnded = false;
    this.#bindings = 0;
  }

  /** As FrontendSide.take. */
  take(message: Message): Promise<void> | undefined {
    // What a name means depends on whether the Parse before the Sync succeeds, or the query there is executed.
    const doubtful = this.#doubtful && this.#unanswered > 0;
    this.#doubtful = false;
    if (!doubtful) return this.#take(message);
    return new Promise<void>((resolve) => {
      this.#onAnswered = resolve;
    }).then(() => this.#take(message));
  }

  #take(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case Frontend.Parse:
        return this.#parse(message);
      case Frontend.Bind:
        return this.#bind(message);
      case Frontend.Describe:
        return this.#describe(message);
      case Frontend.Execute:
        return this.#execute(message);
      default:
        return this.#close(message);
    }
  }

  /** What is prepared under a name is executed in all circumstances; what has none is executed next. */
  #source(name: string, types: readonly number[]): Source {
    const retries = name === '' && this.#inBlock(!this.#executed) === false;
    return { manner: 'pipeline', inString: false, types, retries };
  }

  #parse(message: Message): Promise<void> | undefined {
    const { name, text, types } = readParse(message);
    const waiting =
      name === '' ? this.#portals.snapshot().find(([, portal]) => isUncertain(portal)) : undefined;
    // With its statement gone a portal could not be bound again.
    if (waiting) return this.#settle(...waiting).then(() => this.#parse(message));
    const effect = this.#options.active ? sessionEffect(text) : 'none';
    if (!this.#options.active || !isNoteworthy(text, this.#options.refusesCode)) {
      this.#options.server.forward(message);
      return this.#enter(name, effect === 'none' ? undefined : { ...UNWATCHED, types, effect });
    }
    return this.#options.rewriter.decide(text, this.#source(name, types)).then((decision) => {
      if (decision.kind !== 'rewrite') {
        this.#options.server.forward(message);
        return this.#enter(name, { ...UNWATCHED, types, effect });
      }
      const { rewrite } = decision;
      const prepared = { ...UNWATCHED, text: Buffer.from(text), types, rewrite, effect };
      const undo = this.#options.prepared.set(name, prepared);
      if (rewrite.changed) this.#options.server.write(write.parse(name, rewrite.sql, types));
      else this.#options.server.forward(message);
      this.expectNamed('Parse', descriptionReplies(this.#options.rewriter.translation(rewrite), undo));
    });
  }

  /** A Parse of a text that does not delete was sent. */
  #enter(name: string, prepared: Prepared | undefined): undefined {
    if (prepared || this.#options.prepared.get(name))
      this.expectNamed('Parse', undoneReplies(this.#options.prepared.set(name, prepared)));
    else this.#options.replies.expect('Parse');
  }

  /** A Parse, or a simple query that drops the unnamed statement, was sent: what names mean depends on its answer. */
  expectNamed(to: 'Parse' | 'Query', handler: ReplyHandler): void {
    this.#unanswered++;
    const answered = () => {
      this.#unanswered--;
      if (this.#unanswered === 0) this.#onAnswered();
    };
    const ends = to === 'Query' ? [Backend.ReadyForQuery] : [Backend.ParseComplete, Backend.ErrorResponse];
    this.#options.replies.expect(to, {
      receive: (message) => {
        const verdict = handler.receive(message);
        if (ends.some((type) => type === message.type)) answered();
        return verdict;
      },
      skipped: () => {
        handler.skipped?.();
        answered();
      },
    });
  }

  #bind(message: Message): Promise<void> | undefined {
    const { portal, statement } = readBindNames(message);
    this.#bindings++;
    const prepared = this.#options.prepared.get(statement);
    if (prepared?.rewrite === undefined) return this.#bound(message, portal, statement, prepared);
    const source = this.#source(statement, prepared.types);
    return this.#options.rewriter
      .decide(prepared.text, { ...source, retries: source.retries && isShort(message) })
      .then((decision) => {
        const current =
          decision.kind === 'rewrite' ? this.#current(statement, prepared, decision.rewrite) : prepared;
        this.#bound(message, portal, statement, current);
      });
  }

  #bound(message: Message, name: string, statement: string, prepared: Prepared | undefined): undefined {
    const known = prepared ?? this.#portals.get(name);
    const undo =
      known &&
      this.#portals.set(
        name,
        prepared && { ...prepared, statement, bind: bindOf(message, prepared), executed: false },
      );
    const part = partOf(prepared);
    if (part?.kind === 'cascade') this.#options.server.write(withFormats(message, part.answers));
    else this.#options.server.forward(message);
    const replies = prepared?.rewrite
      ? descriptionReplies(this.#options.rewriter.translation(prepared.rewrite), undo)
      : undo && undoneReplies(undo);
    this.#options.replies.expect('Bind', replies);
  }

  /**
   * A prepared statement outlives a change of the graph and of the mode: where another text has to be sent now, it is
   * prepared again under its name.
   */
  #current(name: string, prepared: Prepared, rewrite: Rewrite): Prepared {
    if (rewrite.sql === prepared.rewrite?.sql && !prepared.lost) return prepared;
    // Its PREPARE could only be sent again as a statement of its own.
    if (prepared.inSql) return this.#current(name, { ...prepared, inSql: false }, outdated(name));
    const current: Prepared = { ...prepared, rewrite, lost: false };
    const translation = this.#options.rewriter.translation(rewrite);
    const refused = rewrite.parts.some(({ kind }) => kind === 'refused');
    // What is refused fails under a name of the proxy's own: the client's statement stays what it is.
    const under = refused ? SCRATCH : name;
    this.#options.server.write(
      Buffer.concat([write.close('S', under), write.parse(under, rewrite.sql, prepared.types)]),
    );
    const undo = refused ? () => {} : this.#options.prepared.set(name, current);
    const lose = refused ? undo : () => void this.#options.prepared.set(name, { ...current, lost: true });
    this.#options.replies.expect('Close', swallowedReplies(translation, undo));
    this.#options.replies.expect('Parse', swallowedReplies(translation, undo, lose));
    return current;
  }

  #describe(message: Message): undefined {
    const { kind, name } = readTarget(message);
    const prepared = kind === 'S' ? this.#options.prepared.get(name) : this.#portals.get(name);
    this.#options.server.forward(message);
    const replies =
      prepared?.rewrite && descriptionReplies(this.#options.rewriter.translation(prepared.rewrite));
    this.#options.replies.expect('Describe', replies);
  }

  #execute(message: Message): Promise<void> | undefined {
    const { portal: name } = readExecute(message);
    const bound = this.#portals.get(name);
    const first = !this.#executed;
    this.#executed = true;
    if (bound === undefined) return this.#forward(message);
    this.#options.circumstances.note(bound.effect);
    this.#transactionEnded ||= bound.effect !== 'none';
    const { rewrite } = bound;
    if (rewrite === undefined) return this.#forward(message);
    const [part] = rewrite.parts;
    if (bound.executed && part?.kind === 'cascade' && part.answers.kind === 'count')
      return cannotRun(name, this.#options);
    this.#portals.set(name, { ...bound, executed: true });
    const plan = planOf(rewrite.parts);
    const execute = senderOf(message, name, rewrite, this.#options);
    const { bind } = bound;
    if (plan && bind && !bound.executed) {
      const sender = (current: Rewrite) => senderOf(message, name, current, this.#options);
      const rebind = () => this.#rebind(name, bind, { ...bound, executed: true }, sender);
      const inBlock = this.#inBlock(first);
      // Other portals would be lost with a transaction that fails.
      if (inBlock === true || (inBlock === false && this.#bindings === 1))
        return this.#attempts.portal({ plan, rewrite, execute, rebind }, inBlock);
      if (isSuspecting(rewrite.parts)) return this.#executeExactly(rebind);
    }
    this.#expectExecuted(execute, rewrite);
    return undefined;
  }

  /** A portal that only finds out whether a rule may be broken is bound to what tells which. */
  async #settle(name: string, portal: BoundPortal): Promise<void> {
    const { bind } = portal;
    await (bind && this.#rebind(name, bind, portal, () => () => {}));
  }

  #expectExecuted(execute: () => void, rewrite: Rewrite): void {
    execute();
    this.#options.replies.expect('Execute', executeReplies(this.#options.rewriter.translation(rewrite)));
  }

  /** What only finds out whether a rule may be broken is no use where it cannot be sent again. */
  async #executeExactly(rebind: () => Promise<Bound | undefined>): Promise<void> {
    const bound = await rebind();
    if (bound) this.#expectExecuted(bound.execute, bound.rewrite);
  }

  /** Whether the next Execute is in a transaction block; undefined where that is not certain, or others came before it. */
  #inBlock(first: boolean): boolean | undefined {
    const { replies, state } = this.#options;
    if (replies.awaitsReady) return undefined;
    if (state.status === TransactionStatus.Open) return this.#transactionEnded ? undefined : true;
    return first && state.status === TransactionStatus.Idle ? false : undefined;
  }

  /**
   * Binds a portal again, to what its statement means by now.
   * @returns undefined where the client has got an error in place of its execution
   */
  async #rebind(
    name: string,
    bind: Buffer,
    bound: BoundPortal,
    sender: (rewrite: Rewrite) => () => void,
  ): Promise<Bound | undefined> {
    const { replies, rewriter, server } = this.#options;
    const source = { ...this.#source(bound.statement, bound.types), retries: false };
    const decision = await rewriter.decide(bound.text, source);
    if (decision.kind !== 'rewrite') return undefined;
    const { rewrite } = decision;
    const current = this.#current(bound.statement, bound, rewrite);
    const part = partOf(current);
    const message = { type: Frontend.Bind, buffer: bind, start: 0, end: bind.length, last: true };
    const again = part?.kind === 'cascade' ? withFormats(message, part.answers) : bind;
    server.write(Buffer.concat([write.close('P', name), again]));
    this.#portals.set(name, { ...current, bind, statement: bound.statement, executed: bound.executed });
    const swallowed = swallowedReplies(rewriter.translation(rewrite), () => {});
    replies.expect('Close', swallowed);
    replies.expect('Bind', swallowed);
    return { plan: planOf(rewrite.parts), rewrite, execute: sender(rewrite) };
  }

  #close(message: Message): undefined {
    const { kind, name } = readTarget(message);
    this.#options.server.forward(message);
    const { prepared } = this.#options;
    const undo = kind === 'S' ? forget(prepared, name) : forget(this.#portals, name);
    this.#options.replies.expect('Close', undo && undoneReplies(undo));
  }

  #forward(message: Message): undefined {
    this.#options.server.forward(message);
    this.#options.replies.expect('Execute');
  }
}

function outdated(name: string): Rewrite {
  return refusal(new ProxyError('PGC_EXECUTE', { name }));
}

/** @returns what takes it back, where there was something to forget */
function forget<T>(names: Names<T>, name: string): (() => void) | undefined {
  return names.get(name) && names.set(name, undefined);
}
