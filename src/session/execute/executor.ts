/**
 * Carries out what is sent in the place of a client's DELETE, until it has ended for good. This is all that the client's
 * half of a session knows of how that is done: one statement, sent as often as it takes.
 */
import type { SessionEvents } from '../../observe/session-events.js';
import type { SeparateStatement } from '../decide/decision.js';
import { carryOut } from './execution.js';
import { type Portal, PortalExecution, type PortalParts } from './portal-execution.js';
import { type ExpandedQuery, QueryExecution, type QueryParts } from './query-execution.js';

export interface ExecutorParts extends QueryParts, PortalParts {
  readonly decider: QueryParts['decider'];
  readonly events: Pick<SessionEvents, 'retried'>;
}

export class Executor {
  readonly #parts: ExecutorParts;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /**
   * Sends a text as a simple query, at once.
   * @returns a promise that is fulfilled when the client has its answer: or, without one, with the statements of the text that
   * have to be sent one by one, as what one of them means has changed since
   */
  async query(query: ExpandedQuery): Promise<Iterable<SeparateStatement> | undefined> {
    const execution = new QueryExecution(query, this.#parts);
    await carryOut(execution, this.#parts.events);
    return execution.separateStatements;
  }

  /**
   * Executes a portal.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   * @returns a promise that is fulfilled when no other attempt follows: the client's next message may be sent
   */
  portal(portal: Portal, inBlock: boolean): Promise<void> {
    return carryOut(new PortalExecution(portal, inBlock, this.#parts), this.#parts.events);
  }
}
