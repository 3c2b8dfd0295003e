/** The client's half of a session: takes its messages in order, and sends them on as they are or expanded. */
import { isNoteworthy, sessionEffect } from '../sql/gate.js';
import { queryText, readBindNames, readTarget, write } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Frontend, TransactionStatus } from '../wire/types.js';
import { planOf } from './attempt.js';
import { Attempts } from './attempts.js';
import { queryReplies } from './cascade-replies.js';
import { ExtendedQueries } from './extended.js';
import type { FrontendOptions } from './frontend-options.js';
import type { Manner } from './injection.js';
import { sealed, sentText } from './markers.js';
import { sendInPieces } from './pieces.js';
import type { Answered, ReplyHandler } from './replies.js';
import type { Rewrite } from './rewrite.js';
import type { Decision } from './rewriter.js';

export class FrontendSide {
  readonly #options: FrontendOptions;
  readonly #extended: ExtendedQueries;
  readonly #attempts: Attempts;
  /** Messages of the extended protocol were sent since the last Sync or query; and an Execute among them. */
  #pipelining = false;
  #executing = false;
  #terminated = false;

  constructor(options: FrontendOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options);
    this.#extended = new ExtendedQueries(options, this.#attempts);
  }

  /** Whether the client is between two units of work, as far as it has sent. */
  get betweenUnits(): boolean {
    return !this.#pipelining;
  }

  /** The client said goodbye. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** The server is idle and has answered everything. */
  idle(): void {
    this.#extended.idle();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * @throws ProtocolViolation
   */
  take(message: Message): Promise<void> | undefined {
    const { naming } = this.#options;
    if (!naming.settled && namesStatement(message)) return naming.answered().then(() => this.take(message));
    switch (message.type) {
      case Frontend.Query:
        return this.#query(message);
      case Frontend.Parse:
      case Frontend.Bind:
      case Frontend.Describe:
      case Frontend.Execute:
      case Frontend.Close:
        this.#pipelining = true;
        this.#executing ||= message.type === Frontend.Execute;
        return this.#extended.take(message);
      case Frontend.Sync:
        this.#endUnit();
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
    const { active, circumstances, injection, prepared, refusesCode, replies, rewriter, state } =
      this.#options;
    if (injection.lingers && !this.#executing) return injection.leave().then(() => this.#query(message));
    const text = queryText(message);
    // A simple query drops the unnamed statement (postgres.c, exec_simple_query), unless it is skipped behind an error.
    const undo = prepared.get('') && prepared.set('', undefined);
    // From the first Execute on a query belongs to the implicit transaction of the messages before it.
    const manner = this.#executing ? 'pipeline' : 'query';
    const retries = manner === 'query' && replies.settled && state.status === TransactionStatus.Idle;
    this.#endUnit();
    if (!active || !isNoteworthy(text, refusesCode)) {
      circumstances.note(sessionEffect(text));
      return this.#forwardQuery(message, undo);
    }
    return rewriter.decide(text, { manner, inString: true, types: [], retries }).then((decision) => {
      if (decision.kind === 'pieces') return this.#inPieces(decision);
      circumstances.note(sessionEffect(text));
      // Where a question failed in a query of its own, the client has its error and its ReadyForQuery.
      if (decision.kind === 'failed' && manner === 'query') return;
      if (decision.kind !== 'rewrite') return this.#forwardQuery(message, undo);
      return this.#send(message, text, decision.rewrite, undo, manner);
    });
  }

  /** Sends a query that was looked at; one that is an expanded statement alone may be sent again. */
  #send(
    message: Message,
    text: Buffer,
    rewrite: Rewrite,
    undo: (() => void) | undefined,
    manner: Manner,
  ): Promise<void> | undefined {
    const { rewriter, server } = this.#options;
    const plan = manner === 'query' ? planOf(rewrite.parts) : undefined;
    if (plan) return this.#attempts.query(plan, Buffer.from(text), rewrite, () => this.#endUnit(), undo);
    const sent = sealed(rewrite);
    if (sent.changed) server.write(write.query(sentText(sent)));
    else server.forward(message);
    this.#expectQuery(queryReplies(rewriter.translation(sent), undo), undo);
    return undefined;
  }

  async #inPieces(decision: Decision & { kind: 'pieces' }): Promise<void> {
    await sendInPieces(decision, this.#options);
    this.#endUnit();
  }

  #forwardQuery(message: Message, undo: (() => void) | undefined): undefined {
    this.#options.server.forward(message);
    this.#expectQuery(undo && { receive: () => 'forward', skipped: undo }, undo);
  }

  /** @param undo takes back that the unnamed statement was dropped, where there was one */
  #expectQuery(handler: ReplyHandler | undefined, undo: (() => void) | undefined): void {
    if (handler && undo) this.#extended.expectNamed('Query', handler);
    else this.#options.replies.expect('Query', handler);
    this.#endUnit();
  }

  #endUnit(): void {
    this.#pipelining = false;
    this.#executing = false;
    this.#extended.endUnit();
    this.#options.injection.endUnit();
    // Outside of a transaction block it ends what was set in the unit, or undone by an error.
    this.#options.circumstances.note('ends');
  }

  #forward(message: Message, answered?: Answered): undefined {
    this.#options.server.forward(message);
    if (answered) this.#options.replies.expect(answered);
  }
}

/** Whether a message names a prepared statement that SQL may have prepared or dropped: it does not touch the unnamed one. */
function namesStatement(message: Message): boolean {
  switch (message.type) {
    case Frontend.Bind:
      return readBindNames(message).statement !== '';
    case Frontend.Describe:
    case Frontend.Close: {
      const { kind, name } = readTarget(message);
      return kind === 'S' && name !== '';
    }
    default:
      return false;
  }
}
