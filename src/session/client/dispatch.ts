/** The client's half of a session: takes its messages in order, and sends them on as they are or expanded. */

import { isSuspecting, planOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { isNoteworthy, kept, type Look, mayTakeData } from '../../sql/lexer/look.js';
import { queryText, readBind, readExecute, readTarget, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Frontend, TransactionStatus } from '../../wire/types.js';
import { look } from '../catalog/reported-look.js';
import type { Decision } from '../decide/decision.js';
import { Attempts } from '../execute/attempts.js';
import type { FrontendOptions } from '../execute/frontend-options.js';
import type { Protocol } from '../server/internal-query.js';
import { sealed, sentText } from '../server/markers.js';
import type { Answered, ReplyHandler } from '../server/outstanding-replies.js';
import { queryReplies } from '../server/results.js';
import { CopyIn } from './copy-in.js';
import { ExtendedQueries } from './extended.js';
import { sendInPieces } from './statement-by-statement.js';
import { UnitOfWork } from './unit-of-work.js';

export class Dispatch {
  readonly #options: FrontendOptions;
  readonly #extended: ExtendedQueries;
  readonly #attempts: Attempts;
  readonly #copyIn: CopyIn;
  readonly #unit: UnitOfWork;
  #terminated = false;

  constructor(options: FrontendOptions) {
    this.#options = options;
    this.#unit = new UnitOfWork(options.replies, options.state);
    this.#attempts = new Attempts(options);
    this.#extended = new ExtendedQueries(options, this.#attempts, this.#unit);
    this.#copyIn = new CopyIn(options.server, options.replies, () => this.#endUnit(false));
  }

  /** Whether the client is between two units of work, as far as it has sent. */
  get betweenUnits(): boolean {
    return this.#unit.isBetweenUnits;
  }

  /** The client said goodbye. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** The session is over: what is said to the client's messages from now on reaches nobody. */
  end(): void {
    this.#copyIn.end();
  }

  /** ReadyForQuery came. @param idle the server is idle and has answered everything */
  answered(idle: boolean): void {
    const { catalog, replies, decider } = this.#options;
    if (idle) {
      catalog.idle();
      this.#extended.idle();
      this.#options.queries.idle();
    }
    if (replies.settled) decider.settings.report();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * It is rejected with ConnectionOver where the connection has to end.
   */
  take(message: Message): Promise<void> | undefined {
    const { jit, pendingPrepares } = this.#options;
    if (message.type === Frontend.Terminate) {
      this.#terminated = true;
      return this.#forward(message);
    }
    if (this.#copyIn.isConcerned) return this.#copyIn.take(message, (it) => this.take(it));
    if (!pendingPrepares.settled && namesStatement(message))
      return pendingPrepares.answered().then(() => this.take(message));
    switch (message.type) {
      case Frontend.Query:
        jit.on();
        return this.#query(message);
      case Frontend.Parse:
      case Frontend.Bind:
      case Frontend.Describe:
      case Frontend.Close:
        this.#unit.begin();
        return this.#extended.take(message);
      case Frontend.Execute:
        return this.#execute(message);
      case Frontend.Sync:
        jit.endUnit();
        this.#endUnit(this.#unit.isInBlock === true);
        return this.#forward(message, 'Sync');
      case Frontend.FunctionCall:
        jit.on();
        this.#endUnit(this.#unit.isInBlock === true);
        this.#unit.callFunction();
        this.#options.catalog.executing();
        return this.#forward(message, 'FunctionCall');
      case Frontend.Flush:
        return this.#flush(message);
      default:
        // Data that no COPY takes are ignored, and not answered.
        return this.#forward(message);
    }
  }

  #execute(message: Message): Promise<void> | undefined {
    this.#unit.begin();
    const portal = readExecute(message)?.portal;
    return then(this.#extended.take(message), () => {
      if (portal === undefined || !this.#extended.takesData(portal)) return undefined;
      this.#options.server.write(write.flush());
      return this.#copyIn.decided();
    });
  }

  #query(message: Message): Promise<void> | undefined {
    const text = queryText(message);
    if (text === undefined) return this.#forwardQuery(message, undefined, false);
    const seen = look(text, this.#options.state, this.#options.decider.settings);
    return then(this.#textOf(message, seen), () => (mayTakeData(seen) ? this.#copyIn.decided() : undefined));
  }

  #textOf(message: Message, seen: Look): Promise<void> | undefined {
    const { active, catalog, queries, prepared, refusesCode, replies, decider, state } = this.#options;
    if (queries.hasImplicitTransaction && !this.#unit.hasExecuted)
      return queries.endImplicitTransaction().then(() => this.#textOf(message, seen));
    // A simple query drops the unnamed statement (postgres.c, exec_simple_query), unless it is skipped behind an error.
    const undo = prepared.get('') && prepared.set('', undefined);
    // From the first Execute on a query belongs to the implicit transaction of the messages before it.
    const protocol = this.#unit.hasExecuted ? 'extended' : 'simple';
    if (protocol === 'extended') queries.queryInPipeline();
    const retries = protocol === 'simple' && replies.settled && state.status === TransactionStatus.Idle;
    const inBlock = protocol === 'simple' && this.#unit.isInBlock === true;
    this.#endUnit(inBlock);
    if (!active || !isNoteworthy(seen, refusesCode)) {
      catalog.invalidateFor(seen.effect);
      return this.#forwardQuery(message, undo, inBlock);
    }
    return decider
      .decide(seen, { protocol, inString: true, types: [], retries, prepares: protocol === 'simple' })
      .then((decision) => {
        if (decision.kind === 'pieces') return this.#inPieces(decision);
        catalog.invalidateFor(seen.effect);
        // Where a question failed in a query of its own, the client has its error and its ReadyForQuery.
        if (decision.kind === 'failed' && protocol === 'simple') return;
        if (decision.kind === 'pass') return this.#forwardQuery(message, undo, inBlock);
        return this.#send(message, seen, decision.rewrite, undo, protocol, inBlock);
      });
  }

  /** Sends a query that was looked at; one that is expanded may be sent again. */
  #send(
    message: Message,
    seen: Look,
    rewrite: Rewrite,
    undo: (() => void) | undefined,
    protocol: Protocol,
    inBlock: boolean,
  ): Promise<void> | undefined {
    const { decider, server } = this.#options;
    const { rules } = rewrite;
    const plan = planOf(rules);
    if (protocol === 'simple' && (plan || isSuspecting(rules) || rewrite.leftPrepared))
      return this.#attempts.query(plan, kept(seen), rewrite, () => this.#endUnit(inBlock), undo);
    const sent = sealed(rewrite);
    if (sent.changed) server.write(write.query(sentText(sent)));
    else server.forward(message);
    this.#expectQuery(queryReplies(decider.translation(sent), undo), undo, inBlock);
    return undefined;
  }

  async #inPieces(decision: Decision & { kind: 'pieces' }): Promise<void> {
    await sendInPieces(decision, this.#options);
    this.#endUnit(false);
  }

  #forwardQuery(message: Message, undo: (() => void) | undefined, inBlock: boolean): undefined {
    this.#options.server.forward(message);
    this.#expectQuery(undo && { receive: () => 'forward', skipped: undo }, undo, inBlock);
  }

  /** @param undo takes back that the unnamed statement was dropped, where there was one */
  #expectQuery(handler: ReplyHandler | undefined, undo: (() => void) | undefined, inBlock: boolean): void {
    if (handler && undo) this.#extended.expectNamed('Query', handler);
    else this.#options.replies.expect('Query', handler);
    this.#endUnit(inBlock);
  }

  /** @param inBlock whether it is certain that the transaction goes on */
  #endUnit(inBlock: boolean): void {
    this.#extended.endUnit(this.#unit.end());
    this.#options.queries.endUnit();
    this.#options.catalog.unitEnds(inBlock);
  }

  /** A Flush is not answered, unless something is in it, which the server refuses. */
  #flush(message: Message): undefined {
    const isFlush = message.end - message.start === write.flush().length;
    if (!isFlush) this.#unit.begin();
    return this.#forward(message, isFlush ? undefined : 'Flush');
  }

  #forward(message: Message, answered?: Answered): undefined {
    this.#options.server.forward(message);
    if (answered) this.#options.replies.expect(answered);
  }
}

/** @returns what is done next, behind what may have to wait */
function then(
  first: Promise<void> | undefined,
  next: () => Promise<void> | undefined,
): Promise<void> | undefined {
  return first ? first.then(next) : next();
}

/** Whether a message names a prepared statement that SQL may have prepared or dropped: it does not touch the unnamed one. */
function namesStatement(message: Message): boolean {
  switch (message.type) {
    case Frontend.Bind:
      return (readBind(message)?.statement ?? '') !== '';
    case Frontend.Describe:
    case Frontend.Close: {
      const target = readTarget(message);
      return target?.kind === 'S' && target.name !== '';
    }
    default:
      return false;
  }
}
