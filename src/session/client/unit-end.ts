/** What is over when a unit of work is: the client has sent its Sync, a simple query or a FunctionCall. */
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { Portals } from './portals.js';
import type { UnansweredNames } from './unanswered-names.js';
import type { UnitOfWork } from './unit-of-work.js';

interface UnitEndOptions {
  readonly unit: UnitOfWork;
  readonly portals: Portals;
  readonly unanswered: UnansweredNames;
  readonly queries: InternalQueries;
  readonly catalog: SessionCatalog;
}

export class UnitEnd {
  readonly #options: UnitEndOptions;

  constructor(options: UnitEndOptions) {
    this.#options = options;
  }

  /**
   * The client's Sync, FunctionCall or query is sent: once for each of them.
   * @param inBlock whether it is certain that the transaction goes on
   */
  end(inBlock: boolean): void {
    const { unit, portals, unanswered, queries, catalog } = this.#options;
    if (!unit.end()) portals.endTransaction();
    unanswered.endUnit();
    queries.endUnit();
    catalog.unitEnds(inBlock);
  }

  /** The server is idle and has answered everything: no transaction is open. */
  serverIdle(): void {
    const { portals, queries, catalog } = this.#options;
    catalog.serverIdle();
    portals.clear();
    queries.serverIdle();
  }
}
