/** The client's half of a session: takes its messages in order, and sends them on as they are or expanded. */
import { mayDelete, sessionEffect } from '../sql/gate.js';
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
import type { Output } from './output.js';
import { type Names, type Portal, type Prepared, partOf } from './prepared.js';
import type { Answered, ExpectedReplies } from './replies.js';
import type { Rewrite } from './rewrite.js';
import type { Decision, Rewriter, ServerState } from './rewriter.js';

export interface FrontendOptions {
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly circumstances: SessionCircumstances;
  readonly rewriter: Rewriter;
  readonly prepared: Names<Prepared>;
  readonly state: ServerState & { readonly serverVersion: number };
  /** False where the configuration switched cascades off: everything passes. */
  readonly active: boolean;
}

export class FrontendSide {
  readonly #options: FrontendOptions;
  readonly #portals = new Map<string, Portal>();
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
    if (!this.#options.prepared.isEmpty) this.#options.prepared.set('', undefined);
    const manner = this.#pipelining ? 'pipeline' : 'query';
    this.#pipelining = false;
    if (!this.#options.active || !mayDelete(text)) {
      this.#options.circumstances.note(sessionEffect(text));
      return this.#forward(message, 'Query');
    }
    return this.#options.rewriter.decide(text, [], manner, this.#options.state).then((decision) => {
      this.#options.circumstances.note(sessionEffect(text));
      // Where a question failed in a query of its own, the client has its error and its ReadyForQuery.
      if (decision.kind === 'failed' && manner === 'query') return;
      if (decision.kind !== 'rewrite' || !decision.rewrite.changed) return this.#forward(message, 'Query');
      this.#send(write.query(decision.rewrite.sql));
      this.#options.replies.expect('Query', queryReplies(this.#translation(decision.rewrite)));
    });
  }

  #parse(message: Message): Promise<void> | undefined {
    const { name, text, types } = readParse(message);
    this.#pipelining = true;
    const effect = this.#options.active ? sessionEffect(text) : 'none';
    if (!this.#options.active || !mayDelete(text)) {
      const prepared = effect === 'none' ? undefined : { text: '', types, rewrite: undefined, effect };
      if (!prepared && this.#options.prepared.get(name) === undefined) return this.#forward(message, 'Parse');
      const undo = this.#options.prepared.set(name, prepared);
      this.#options.server.forward(message);
      this.#options.replies.expect('Parse', undoneReplies(undo));
      return undefined;
    }
    const { rewriter, state } = this.#options;
    return rewriter.decide(text, types, 'pipeline', state).then((decision) => {
      const rewrite = rewriteOf(decision);
      const prepared = rewrite ? { text: text.toString('utf8'), types, rewrite, effect } : undefined;
      const undo = this.#options.prepared.set(name, prepared);
      if (rewrite?.changed) this.#send(write.parse(name, rewrite.sql, types));
      else this.#options.server.forward(message);
      const replies = rewrite ? descriptionReplies(this.#translation(rewrite), undo) : undoneReplies(undo);
      this.#options.replies.expect('Parse', replies);
    });
  }

  #bind(message: Message): Promise<void> | undefined {
    const { portal, statement } = readBindNames(message);
    const prepared = this.#options.prepared.get(statement);
    this.#pipelining = true;
    if (prepared === undefined) {
      this.#portals.delete(portal);
      return this.#forward(message, 'Bind');
    }
    if (prepared.rewrite === undefined) {
      this.#portals.set(portal, { prepared, rows: 0 });
      return this.#forward(message, 'Bind');
    }
    const { rewriter, state } = this.#options;
    return rewriter.decide(Buffer.from(prepared.text), prepared.types, 'pipeline', state).then((decision) => {
      const current = this.#prepareAgain(statement, prepared, rewriteOf(decision));
      this.#portals.set(portal, { prepared: current, rows: 0 });
      const part = partOf(current);
      if (part?.kind !== 'cascade') return this.#forward(message, 'Bind');
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
      if (current.rewrite) this.#expect('Bind', current.rewrite);
    });
  }

  /** A prepared statement outlives a change of the graph: it is prepared again under its name, with the new plan. */
  #prepareAgain(name: string, prepared: Prepared, rewrite: Rewrite | undefined): Prepared {
    if (rewrite === undefined || rewrite.sql === prepared.rewrite?.sql) return prepared;
    const current = { ...prepared, rewrite };
    const undo = this.#options.prepared.set(name, current);
    const replies = swallowedReplies(this.#translation(rewrite), undo);
    this.#send(Buffer.concat([write.close('S', name), write.parse(name, rewrite.sql, prepared.types)]));
    this.#options.replies.expect('Close', replies);
    this.#options.replies.expect('Parse', replies);
    return current;
  }

  #describe(message: Message): undefined {
    const { kind, name } = readTarget(message);
    this.#pipelining = true;
    const prepared = kind === 'S' ? this.#options.prepared.get(name) : this.#portals.get(name)?.prepared;
    this.#options.server.forward(message);
    if (prepared?.rewrite && partOf(prepared)) this.#expect('Describe', prepared.rewrite);
    else this.#options.replies.expect('Describe');
  }

  #execute(message: Message): undefined {
    const { portal: name } = readExecute(message);
    const portal = this.#portals.get(name);
    this.#pipelining = true;
    if (portal === undefined) return this.#forward(message, 'Execute');
    this.#options.circumstances.note(portal.prepared.effect);
    const part = partOf(portal.prepared);
    if (portal.prepared.rewrite === undefined || part === undefined) return this.#forward(message, 'Execute');
    // Without RETURNING there is one row, the count: a limit of one would suspend the portal behind it.
    if (part.kind === 'cascade' && part.hidden === undefined) this.#send(write.execute(name));
    else this.#options.server.forward(message);
    this.#options.replies.expect(
      'Execute',
      executeReplies(this.#translation(portal.prepared.rewrite), portal),
    );
  }

  #close(message: Message): undefined {
    const { kind, name } = readTarget(message);
    this.#pipelining = true;
    this.#options.server.forward(message);
    if (kind === 'P') this.#portals.delete(name);
    const undo = kind === 'S' ? this.#options.prepared.set(name, undefined) : undefined;
    this.#options.replies.expect('Close', undo && undoneReplies(undo));
  }

  #forward(message: Message, answered?: Answered): undefined {
    this.#options.server.forward(message);
    if (answered) this.#options.replies.expect(answered);
  }

  #send(bytes: Buffer): void {
    this.#options.server.write(bytes);
  }

  #expect(answered: Answered, rewrite: Rewrite): void {
    this.#options.replies.expect(answered, descriptionReplies(this.#translation(rewrite)));
  }

  #translation(rewrite: Rewrite): Translation {
    return { rewrite, serverVersion: this.#options.state.serverVersion };
  }
}

/** A text that deletes is remembered with what was made of it, were it nothing: it is looked at again when it is bound. */
function rewriteOf(decision: Decision): Rewrite | undefined {
  return decision.kind === 'rewrite' ? decision.rewrite : undefined;
}
