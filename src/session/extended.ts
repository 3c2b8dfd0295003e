/**
 * The extended query protocol of a session: prepared statements and portals, from Parse to Close
 * (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
 */
import { ProxyError } from '../errors.js';
import { isNoteworthy, sessionEffect } from '../sql/gate.js';
import { readBindNames, readParse, readTarget, write } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Backend, Frontend } from '../wire/types.js';
import type { Attempts } from './attempts.js';
import { descriptionReplies, swallowedReplies, undoneReplies } from './cascade-replies.js';
import { Executions } from './executions.js';
import type { FrontendOptions } from './frontend-options.js';
import { SCRATCH } from './injection.js';
import { sealed, sentText } from './markers.js';
import { isShort } from './portals.js';
import { type Names, type Prepared, UNWATCHED } from './prepared.js';
import type { ReplyHandler } from './replies.js';
import { type Rewrite, refusal } from './rewrite.js';

export class ExtendedQueries {
  readonly #options: FrontendOptions;
  readonly #executions: Executions;
  /** What changes names known here and is not answered yet; and whether any of it is of an earlier unit. */
  #unanswered = 0;
  #doubtful = false;
  /** What waits until all of them are answered, or skipped behind an error. */
  #onAnswered: () => void = () => {};

  constructor(options: FrontendOptions, attempts: Attempts) {
    this.#options = options;
    this.#executions = new Executions(options, attempts, (name, prepared, rewrite) => {
      return this.#current(name, prepared, rewrite);
    });
  }

  /** The server is idle: portals ended with the transaction. */
  idle(): void {
    this.#executions.portals.clear();
  }

  /** A Sync or a simple query was sent: what comes next is executed even where something before it failed. */
  endUnit(): void {
    this.#doubtful = this.#unanswered > 0;
    this.#executions.endUnit();
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
        return this.#executions.execute(message);
      default:
        return this.#close(message);
    }
  }

  #parse(message: Message): Promise<void> | undefined {
    const { name, text, types } = readParse(message);
    const waiting = name === '' ? this.#executions.settle() : undefined;
    if (waiting) return waiting.then(() => this.#parse(message));
    const effect = this.#options.active ? sessionEffect(text) : 'none';
    if (!this.#options.active || !isNoteworthy(text, this.#options.refusesCode)) {
      this.#options.server.forward(message);
      return this.#enter(name, effect === 'none' ? undefined : { ...UNWATCHED, types, effect });
    }
    return this.#options.rewriter.decide(text, this.#executions.source(name, types)).then((decision) => {
      if (decision.kind !== 'rewrite') {
        this.#options.server.forward(message);
        return this.#enter(name, { ...UNWATCHED, types, effect });
      }
      const rewrite = sealed(decision.rewrite);
      const prepared = { ...UNWATCHED, text: Buffer.from(text), types, rewrite, effect };
      const undo = this.#options.prepared.set(name, prepared);
      if (rewrite.changed) this.#options.server.write(write.parse(name, sentText(rewrite), types));
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
    const prepared = this.#options.prepared.get(statement);
    if (prepared?.rewrite === undefined) return this.#executions.bind(message, portal, statement, prepared);
    const source = this.#executions.source(statement, prepared.types);
    const { marker } = prepared.rewrite;
    // A value that repeats the marker makes it worthless: the statement is prepared again, with another one.
    const spent =
      marker !== undefined && message.buffer.subarray(message.start, message.end).includes(marker);
    const known = spent && !prepared.inSql ? { ...prepared, lost: true } : prepared;
    return this.#options.rewriter
      .decide(prepared.text, { ...source, retries: source.retries && isShort(message) })
      .then((decision) => {
        const current =
          decision.kind === 'rewrite' ? this.#current(statement, known, decision.rewrite) : prepared;
        this.#executions.bind(message, portal, statement, current);
      });
  }

  /**
   * A prepared statement outlives a change of the graph and of the mode: where another text has to be sent now, it is
   * prepared again under its name.
   */
  #current(name: string, prepared: Prepared, now: Rewrite): Prepared {
    if (now.sql === prepared.rewrite?.sql && !prepared.lost) return prepared;
    // Its PREPARE could only be sent again as a statement of its own.
    if (prepared.inSql) return this.#current(name, { ...prepared, inSql: false }, outdated(name));
    const rewrite = sealed(now);
    const current: Prepared = { ...prepared, rewrite, lost: false };
    const translation = this.#options.rewriter.translation(rewrite);
    const refused = rewrite.parts.some(({ kind }) => kind === 'refused');
    // What is refused fails under a name of the proxy's own: the client's statement stays what it is.
    const under = refused ? SCRATCH : name;
    this.#options.server.write(
      Buffer.concat([write.close('S', under), write.parse(under, sentText(rewrite), prepared.types)]),
    );
    const undo = refused ? () => {} : this.#options.prepared.set(name, current);
    const lose = refused ? undo : () => void this.#options.prepared.set(name, { ...current, lost: true });
    this.#options.replies.expect('Close', swallowedReplies(translation, undo));
    this.#options.replies.expect('Parse', swallowedReplies(translation, undo, lose));
    return current;
  }

  #describe(message: Message): undefined {
    const { kind, name } = readTarget(message);
    const prepared = kind === 'S' ? this.#options.prepared.get(name) : this.#executions.portals.get(name);
    this.#options.server.forward(message);
    const replies =
      prepared?.rewrite && descriptionReplies(this.#options.rewriter.translation(prepared.rewrite));
    this.#options.replies.expect('Describe', replies);
  }

  #close(message: Message): Promise<void> | undefined {
    const { kind, name } = readTarget(message);
    const waiting = kind === 'S' && name === '' ? this.#executions.settle() : undefined;
    if (waiting) return waiting.then(() => this.#close(message));
    this.#options.server.forward(message);
    const { prepared } = this.#options;
    const undo = kind === 'S' ? forget(prepared, name) : forget(this.#executions.portals, name);
    this.#options.replies.expect('Close', undo && undoneReplies(undo));
  }
}

function outdated(name: string): Rewrite {
  return refusal(new ProxyError('PGC_EXECUTE', { name }));
}

/** @returns what takes it back, where there was something to forget */
function forget<T>(names: Names<T>, name: string): (() => void) | undefined {
  return names.get(name) && names.set(name, undefined);
}
