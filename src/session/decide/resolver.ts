/** Names in a client's text resolved: to relations, in a graph, under the session's settings. */
import { ProxyError } from '../../errors.js';
import type { RelationName } from '../../sql/names.js';
import { Folding } from '../catalog/folding.js';
import type { ResolvedContext } from '../catalog/resolved-context.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import { encodingOf } from '../server/encoding.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { ServerState } from '../server/server-state.js';

/** `failed` and `skipped` are those of the proxy's query that had no answer. */
export type Resolution = Resolved | { readonly kind: 'failed' | 'skipped' };

export interface Resolved extends ResolvedContext {
  readonly kind: 'resolved';
  /** The open transaction has changed settings or the schema. */
  readonly touched: boolean;
}

export class Resolver {
  readonly #catalog: SessionCatalog;
  readonly #folding: Folding;
  readonly #queries: InternalQueries;
  readonly #state: ServerState;

  constructor(catalog: SessionCatalog, queries: InternalQueries, state: ServerState) {
    this.#catalog = catalog;
    this.#folding = new Folding(state);
    this.#queries = queries;
    this.#state = state;
  }

  /** @throws ProxyError PGC_ENCODING where the server would fold a name otherwise than the parser here */
  async resolve(names: readonly RelationName[], protocol: Protocol): Promise<Resolution> {
    const ask = (sql: string) => this.#queries.askUntimed(sql, protocol);
    const found = await this.#catalog.resolve(names, ask);
    if ('kind' in found) return { kind: found.kind };
    const folds = await this.#folding.folds(names, ask);
    if (typeof folds === 'object') return { kind: folds.kind };
    if (folds) {
      const what = 'a name with capitals beyond ASCII';
      throw new ProxyError('PGC_ENCODING', { what, encoding: encodingOf(this.#state) });
    }
    return { kind: 'resolved', ...found, touched: this.#catalog.touched };
  }

  /** Whether to `renew` the graph before a transaction begins. */
  get isLate(): boolean {
    return this.#catalog.isLate;
  }

  /**
   * Asks for the graph between two transactions.
   * @returns whether there was an answer
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async renew(protocol: Protocol): Promise<boolean> {
    return !('kind' in (await this.#catalog.renew((sql) => this.#queries.askUntimed(sql, protocol))));
  }
}
