/** The client's half of a session: takes its messages in order, and sends them on as they are or expanded. */
import { isNoteworthy, sessionEffect } from '../sql/gate.js';
import {
  queryText,
  readBindNames,
  readExecute,
  readParse,
  readTarget,
  withResultFormats,
  write,
} from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Frontend } from '../wire/types.js';
import {
  descriptionReplies,
  executeReplies,
  queryReplies,
  swallowedReplies,
  type Translation,
  undoneReplies,
} from './cascade-replies.js';
import type { SessionCircumstances } from './circumstances.js';
import type { Manner } from './injection.js';
import type { Output } from './output.js';
import { Names, type Portal, type Prepared, partOf } from './prepared.js';
import type { Answered, ExpectedReplies } from './replies.js';
import type { Part, Rewrite } from './rewrite.js';
import type { Decision, Rewriter, ServerState } from './rewriter.js';

export interface FrontendOptions {
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly circumstances: SessionCircumstances;
  readonly rewriter: Rewriter;
  readonly prepared: Names<Prepared>;
  readonly state: Omit<ServerState, 'settled'> & { readonly serverVersion: number };
  /** False where the configuration switched cascades off: everything passes. */
  readonly active: boolean;
}

export class FrontendSide {
  readonly #options: FrontendOptions;
  readonly #portals = new Names<Portal>();
  /** Messages of the extended protocol were sent since the last Sync or query. */
  #pipelining = false;
  #terminated = false;

  constructor(options: FrontendOptions) {
    this.#options = options;
  }

  /** Whether the client is between two units of work, as far as it has sent. */
  get betweenUnits(): boolean {
    return !this.#pipelining;
  }

  /** The client said goodbye. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** The server is idle: portals ended with the transaction. */
  idle(): void {
    if (!this.#pipelining) this.#portals.clear();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * @throws ProtocolViolation
   */
  take(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case Frontend.Query:
        return this.#query(message);
      case Frontend.Parse:
        return this.#parse(message);
      case Frontend.Bind:
        return this.#bind(message);
      case Frontend.Describe:
        return this.#describe(message);
      case Frontend.Execute:
        return this.#execute(message);
      case Frontend.Close:
        return this.#close(message);
      case Frontend.Sync:
        this.#pipelining = false;
        return this.#forward(message, 'Sync');
      case Frontend.FunctionCall:
        return this.#forward(message, 'FunctionCall');
      case Frontend.CopyDone:
      case Frontend.CopyFail:
        return this.#forward(message, 'CopyEnd');
      case Frontend.Terminate:
        this.#terminated = true;
        return this.#forward(message);
      default:
        return this.#forward(message);
    }
  }

  #query(message: Message): Promise<void> | undefined {
    const text = queryText(message);
    // A simple query drops the unnamed statement (postgres.c, exec_simple_query).
    if (!this.#options.prepared.isEmpty) this.#options.prepared.set('', undefined);
    const manner = this.#pipelining ? 'pipeline' : 'query';
    this.#pipelining = false;
    if (!this.#options.active || !isNoteworthy(text)) {
      this.#options.circumstances.note(sessionEffect(text));
      return this.#forward(message, 'Query');
    }
    return this.#decide(text, [], manner).then((decision) => {
      this.#options.circumstances.note(sessionEffect(text));
      // Where a question failed in a query of its own, the client has its error and its ReadyForQuery.
      if (decision.kind === 'failed' && manner === 'query') return;
      if (decision.kind !== 'rewrite') return this.#forward(message, 'Query');
      const { rewrite } = decision;
      if (rewrite.changed) this.#send(write.query(rewrite.sql));
      else this.#options.server.forward(message);
      this.#options.replies.expect('Query', queryReplies(this.#translation(rewrite, text)));
    });
  }

  #parse(message: Message): Promise<void> | undefined {
    const { name, text, types } = readParse(message);
    this.#pipelining = true;
    const effect = this.#options.active ? sessionEffect(text) : 'none';
    if (!this.#options.active || !isNoteworthy(text)) {
      this.#options.server.forward(message);
      return this.#enter(name, effect === 'none' ? undefined : { ...UNWATCHED, types, effect });
    }
    return this.#decide(text, types, 'pipeline').then((decision) => {
      if (decision.kind !== 'rewrite') {
        this.#options.server.forward(message);
        return this.#enter(name, { ...UNWATCHED, types, effect });
      }
      const { rewrite } = decision;
      const prepared = { text: Buffer.from(text), types, rewrite, effect, lost: false };
      const undo = this.#options.prepared.set(name, prepared);
      if (rewrite.changed) this.#send(write.parse(name, rewrite.sql, types));
      else this.#options.server.forward(message);
      this.#options.replies.expect('Parse', descriptionReplies(this.#translation(rewrite, text), undo));
    });
  }

  /** A Parse of a text that does not delete was sent. */
  #enter(name: string, prepared: Prepared | undefined): undefined {
    const known = prepared ?? this.#options.prepared.get(name);
    const undo = known && this.#options.prepared.set(name, prepared);
    this.#options.replies.expect('Parse', undo && undoneReplies(undo));
  }

  #bind(message: Message): Promise<void> | undefined {
    const { portal, statement } = readBindNames(message);
    const prepared = this.#options.prepared.get(statement);
    this.#pipelining = true;
    if (prepared?.rewrite === undefined) return this.#bound(message, portal, prepared);
    return this.#decide(prepared.text, prepared.types, 'pipeline').then((decision) => {
      const current =
        decision.kind === 'rewrite' ? this.#current(statement, prepared, decision.rewrite) : prepared;
      this.#bound(message, portal, current);
    });
  }

  #bound(message: Message, name: string, prepared: Prepared | undefined): undefined {
    const known = prepared ?? this.#portals.get(name);
    const undo = known && this.#portals.set(name, prepared && { prepared, rows: 0 });
    const part = partOf(prepared);
    if (part?.kind !== 'cascade') this.#options.server.forward(message);
    else {
      const hidden = part.hidden;
      this.#send(
        withResultFormats(message, (formats) =>
          hidden === undefined
            ? []
            : formats.length < 2
              ? formats
              : [...Array<number>(hidden).fill(0), ...formats],
        ),
      );
    }
    const replies = prepared?.rewrite
      ? descriptionReplies(this.#translation(prepared.rewrite, prepared.text), undo)
      : undo && undoneReplies(undo);
    this.#options.replies.expect('Bind', replies);
  }

  /**
   * A prepared statement outlives a change of the graph and of the mode: where another text has to be sent now, it is
   * prepared again under its name.
   */
  #current(name: string, prepared: Prepared, rewrite: Rewrite): Prepared {
    if (rewrite.sql === prepared.rewrite?.sql && !prepared.lost) return prepared;
    const current: Prepared = { ...prepared, rewrite, lost: false };
    const translation = this.#translation(rewrite, prepared.text);
    const refused = rewrite.parts.some(({ kind }) => kind === 'refused');
    // What is refused fails under a name of the proxy's own: the client's statement stays what it is.
    const under = refused ? SCRATCH : name;
    this.#send(Buffer.concat([write.close('S', under), write.parse(under, rewrite.sql, prepared.types)]));
    const undo = refused ? () => {} : this.#options.prepared.set(name, current);
    const lose = refused ? undo : () => void this.#options.prepared.set(name, { ...current, lost: true });
    this.#options.replies.expect('Close', swallowedReplies(translation, undo));
    this.#options.replies.expect('Parse', swallowedReplies(translation, undo, lose));
    return current;
  }

  #describe(message: Message): undefined {
    const { kind, name } = readTarget(message);
    this.#pipelining = true;
    const prepared = kind === 'S' ? this.#options.prepared.get(name) : this.#portals.get(name)?.prepared;
    this.#options.server.forward(message);
    const replies =
      prepared?.rewrite && descriptionReplies(this.#translation(prepared.rewrite, prepared.text));
    this.#options.replies.expect('Describe', replies);
  }

  #execute(message: Message): undefined {
    const { portal: name } = readExecute(message);
    const portal = this.#portals.get(name);
    this.#pipelining = true;
    if (portal === undefined) return this.#forward(message, 'Execute');
    this.#options.circumstances.note(portal.prepared.effect);
    const { rewrite, text } = portal.prepared;
    if (rewrite === undefined) return this.#forward(message, 'Execute');
    const part = partOf(portal.prepared);
    // Without RETURNING there is one row, the count: a limit of one would suspend the portal behind it.
    if (part?.kind === 'cascade' && part.hidden === undefined) this.#send(write.execute(name));
    else this.#options.server.forward(message);
    this.#options.replies.expect('Execute', executeReplies(this.#translation(rewrite, text), portal));
  }

  #close(message: Message): undefined {
    const { kind, name } = readTarget(message);
    this.#pipelining = true;
    this.#options.server.forward(message);
    const names = kind === 'S' ? this.#options.prepared : this.#portals;
    const undo = names.get(name) && names.set(name, undefined);
    this.#options.replies.expect('Close', undo && undoneReplies(undo));
  }

  #forward(message: Message, answered?: Answered): undefined {
    this.#options.server.forward(message);
    if (answered) this.#options.replies.expect(answered);
  }

  #send(bytes: Buffer): void {
    this.#options.server.write(bytes);
  }

  #decide(text: Buffer, types: readonly number[], manner: Manner): Promise<Decision> {
    const { rewriter, state, replies } = this.#options;
    const { status, parameters } = state;
    return rewriter.decide(text, types, manner, { status, parameters, settled: replies.settled });
  }

  #translation(rewrite: Rewrite, text: Buffer): Translation {
    const completed = (part: Part) => this.#completed(part, rewrite, text);
    return { rewrite, serverVersion: this.#options.state.serverVersion, completed };
  }

  /** The server has executed a statement that concerns prepared ones. */
  #completed(part: Part, rewrite: Rewrite, text: Buffer): void {
    const { prepared } = this.#options;
    if (part.kind === 'release' && part.name === undefined) prepared.clear();
    else if (part.kind === 'release') prepared.set(part.name ?? '', undefined);
    else if (part.kind === 'prepare') prepared.set(part.name, { ...UNWATCHED, text, rewrite });
  }
}

/** For the text of a statement that is refused when it is bound. */
const SCRATCH = 'pgcascade';

/** A prepared statement that does not delete. */
const UNWATCHED: Prepared = {
  text: Buffer.alloc(0),
  types: [],
  rewrite: undefined,
  effect: 'none',
  lost: false,
};
