/** Names in a client's text resolved: to relations, in a graph, under the session's settings. */
import { ProxyError } from '../../errors.js';
import type { RelationName } from '../../sql/names.js';
import { Folding } from '../catalog/folding.js';
import type { Other, OtherServer } from '../catalog/other-server.js';
import { OFF_CONTEXT, type ResolvedContext } from '../catalog/resolved-context.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import { encodingOf } from '../server/encoding.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { ServerState } from '../server/server-state.js';

/** `failed` and `skipped` are those of the proxy's query that had no answer; `other` is a server whose keys cannot be known. */
export type Resolution = Resolved | { readonly kind: 'failed' | 'skipped' | 'other' };

export interface Resolved extends ResolvedContext {
  /** The open transaction has changed settings or the schema. */
  readonly touched: boolean;
}

/** Where the configuration switches cascades off; and for what a session that has switched them off prepares again. */
export const OFF: Resolved = { ...OFF_CONTEXT, touched: false };

export class Resolver {
  readonly #catalog: SessionCatalog;
  readonly #otherServer: OtherServer;
  readonly #folding: Folding;
  readonly #queries: InternalQueries;
  readonly #state: ServerState;

  constructor(
    catalog: SessionCatalog,
    otherServer: OtherServer,
    queries: InternalQueries,
    state: ServerState,
  ) {
    this.#catalog = catalog;
    this.#otherServer = otherServer;
    this.#folding = new Folding(state);
    this.#queries = queries;
    this.#state = state;
  }

  /**
   * @throws ProxyError PGC_ENCODING where the server would fold a name otherwise than the parser here, PGC_SERVER where no
   * cascade is sent to it and the configuration names keys
   */
  async resolve(names: readonly RelationName[], protocol: Protocol): Promise<Resolution> {
    const guessed = await this.#otherServer.recognise(protocol);
    const isConcerned = guessed.kind === 'other' && this.#otherServer.concerns(names);
    const server = isConcerned ? await this.#otherServer.recognise(protocol, true) : guessed;
    if (server.kind === 'other') return this.#resolveOther(server, names);
    if (server.kind !== 'catalog') return { kind: server.kind };
    const found = await this.#catalog.resolve(names, (sql) => this.#otherServer.askCatalog(sql, protocol));
    const turnedOut = found.kind === 'failed' ? this.#otherServer.turnedOut : undefined;
    if (turnedOut) return this.#resolveOther(turnedOut, names);
    if (found.kind !== 'resolved') return { kind: found.kind };
    const ask = (sql: string) => this.#queries.askUntimed(sql, protocol);
    const folds = await this.#folding.folds(names, ask);
    if (typeof folds === 'object') return { kind: folds.kind };
    if (folds) {
      const what = 'a name with capitals beyond ASCII';
      throw new ProxyError('PGC_ENCODING', { what, encoding: encodingOf(this.#state) });
    }
    return { ...found, touched: this.#catalog.touched };
  }

  /** @throws as `resolve` */
  async #resolveOther(server: Other, names: readonly RelationName[]): Promise<Resolution> {
    const resolved = await this.#otherServer.resolve(server, names, this.#catalog.mayHideTables);
    if (resolved) return { ...resolved, touched: this.#catalog.touched };
    this.#otherServer.refuse(server, names);
    return { kind: 'other' };
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
    const renewed = await this.#catalog.renew((sql) => this.#otherServer.askCatalog(sql, protocol));
    return renewed.kind === 'resolved';
  }
}
