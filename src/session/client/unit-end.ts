/** Tells the parts of a session that a unit of work is over: the client has sent its Sync, a simple query or a FunctionCall. */
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
   * Is called once for each Sync, FunctionCall and query of the client's, when it is sent.
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
