/** The client's half of a session: takes its messages in order, and gives each to what handles its type. */
import { readBind, readExecute, readTarget, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Frontend } from '../../wire/types.js';
import { Executor } from '../execute/executor.js';
import type { FrontendOptions } from '../execute/frontend-options.js';
import type { Answered } from '../server/outstanding-replies.js';
import { CopyIn } from './copy-in.js';
import { ExtendedQueries } from './extended.js';
import { Portals } from './portals.js';
import { SimpleQuery } from './simple-query.js';
import { StatementByStatement } from './statement-by-statement.js';
import { UnansweredNames } from './unanswered-names.js';
import { UnitEnd } from './unit-end.js';
import { UnitOfWork } from './unit-of-work.js';

export class Dispatch {
  readonly #options: FrontendOptions;
  readonly #extended: ExtendedQueries;
  readonly #simple: SimpleQuery;
  readonly #copyIn: CopyIn;
  readonly #portals: Portals;
  readonly #unanswered: UnansweredNames;
  readonly #unit: UnitOfWork;
  readonly #unitEnd: UnitEnd;
  #terminated = false;

  constructor(options: FrontendOptions) {
    const { replies, server, state } = options;
    this.#options = options;
    this.#unit = new UnitOfWork(replies, state);
    this.#portals = new Portals(state);
    this.#unanswered = new UnansweredNames(replies);
    const shared = { ...options, unit: this.#unit, portals: this.#portals, unanswered: this.#unanswered };
    this.#unitEnd = new UnitEnd(shared);
    const executor = new Executor(options);
    this.#extended = new ExtendedQueries(options, executor, this.#unit, this.#portals, this.#unanswered);
    this.#copyIn = new CopyIn(server, replies, this.#unitEnd);
    this.#simple = new SimpleQuery({
      ...shared,
      executor,
      unitEnd: this.#unitEnd,
      copyIn: this.#copyIn,
      statementByStatement: new StatementByStatement(options),
    });
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
    const { catalog, queries, replies, decider } = this.#options;
    if (idle) {
      catalog.idle();
      this.#portals.clear();
      queries.idle();
    }
    if (replies.settled) decider.settings.report();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * It is rejected with ConnectionOver where the connection has to end.
   */
  take(message: Message): Promise<void> | undefined {
    if (message.type === Frontend.Terminate) {
      this.#terminated = true;
      return this.#forward(message);
    }
    if (this.#copyIn.isConcerned) return this.#copyIn.take(message, (it) => this.take(it));
    const namesKnown = this.#namesKnown(message);
    if (namesKnown) return namesKnown.then(() => this.take(message));
    switch (message.type) {
      case Frontend.Query:
        return this.#simple.take(message);
      case Frontend.Parse:
      case Frontend.Bind:
      case Frontend.Describe:
      case Frontend.Close:
        this.#unit.begin();
        return this.#extended.take(message);
      case Frontend.Execute:
        return this.#execute(message);
      case Frontend.Sync:
        this.#options.jit.endUnit();
        this.#unitEnd.end(this.#unit.isInBlock === true);
        return this.#forward(message, 'Sync');
      case Frontend.FunctionCall:
        this.#options.jit.on();
        this.#unitEnd.end(this.#unit.isInBlock === true);
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

  /** @returns what is fulfilled when it is known what the names in the message stand for; undefined where it is known */
  #namesKnown(message: Message): Promise<void> | undefined {
    const { pendingPrepares } = this.#options;
    if (!pendingPrepares.settled && namesStatement(message)) return pendingPrepares.answered();
    return EXTENDED.has(message.type) && !this.#unanswered.settled ? this.#unanswered.answered() : undefined;
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

/** The messages whose meaning depends on the names before them. */
const EXTENDED: ReadonlySet<number> = new Set([
  Frontend.Parse,
  Frontend.Bind,
  Frontend.Describe,
  Frontend.Execute,
  Frontend.Close,
]);

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
