/** Resolves the names in a client's text: to relations of a graph, under the session's settings. */
import { ProxyError } from '../../errors.js';
import { cascadesFrom, cascadingTables } from '../../graph/by-names.js';
import { isSentInSteps } from '../../profiles/recognise.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import type { Unanswered } from '../catalog/catalog-reader.js';
import { Folding } from '../catalog/folding.js';
import { type Other, type OtherServer, refusal } from '../catalog/other-server.js';
import { OFF_CONTEXT, type ResolvedContext } from '../catalog/resolved-context.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import { resolveByName } from '../catalog/told/meanings-by-name.js';
import { ToldKeys, type ToldKeysOptions } from '../catalog/told/told-keys.js';
import type { SessionPolicy } from '../policy/policy.js';
import { encodingOf } from '../server/encoding.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { ServerState } from '../server/server-state.js';

/** `failed` and `skipped`: a question of the proxy's had no answer. `other`: a server whose keys cannot be known. */
export type Resolution = Resolved | { readonly kind: 'failed' | 'skipped' | 'other' };

export interface Resolved extends ResolvedContext {
  /** The open transaction has changed settings or the schema. */
  readonly touched: boolean;
}

/** The context where the configuration switches cascades off, and for what is prepared again in a session that has switched them off. */
export const OFF: Resolved = { ...OFF_CONTEXT, touched: false };

interface ResolverOptions extends ToldKeysOptions {
  readonly queries: InternalQueries;
  readonly state: ServerState;
}

export class Resolver {
  readonly #catalog: SessionCatalog;
  readonly #otherServer: OtherServer;
  readonly #folding: Folding;
  readonly #queries: InternalQueries;
  readonly #state: ServerState;
  readonly #policy: SessionPolicy;
  readonly #toldKeys: ToldKeys;

  constructor(options: ResolverOptions) {
    const { catalog, otherServer, policy, queries, state } = options;
    this.#catalog = catalog;
    this.#otherServer = otherServer;
    this.#folding = new Folding(state);
    this.#queries = queries;
    this.#state = state;
    this.#policy = policy;
    this.#toldKeys = new ToldKeys(options);
  }

  /**
   * @throws ProxyError PGC_ENCODING where the server would fold a name otherwise than the parser here, PGC_SERVER where no
   * cascade is sent to it and the configuration names keys
   */
  async resolve(names: readonly RelationName[], protocol: Protocol): Promise<Resolution> {
    const guessed = await this.#otherServer.recognise(protocol);
    const isConcerned = guessed.kind === 'other' && this.#otherServer.concerns(names);
    const server = isConcerned ? await this.#otherServer.recognise(protocol, true) : guessed;
    if (server.kind === 'other') return this.#resolveOther(server, names, protocol);
    if (server.kind !== 'catalog') return { kind: server.kind };
    const found = await this.#catalog.resolve(names, (sql) => this.#otherServer.askCatalog(sql, protocol));
    const turnedOut = found.kind === 'failed' ? this.#otherServer.turnedOut : undefined;
    if (turnedOut) return this.#resolveOther(turnedOut, names, protocol);
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
  async #resolveOther(
    server: Other,
    names: readonly RelationName[],
    protocol: Protocol,
  ): Promise<Resolution> {
    const { batchRows, keySettings, strategy } = this.#policy.current;
    const graph = await this.#toldKeys.graph(server, protocol);
    if (graph.kind !== 'graph') return { kind: graph.kind };
    const isSent = isSentInSteps(server.family, strategy);
    // Which table a key references that has an override, only the catalog could tell.
    if (!graph.isTold && (!isSent || keySettings.overrides.length > 0)) {
      this.#otherServer.refuse(server, names);
      return { kind: 'other' };
    }
    const naming = {
      batchRows,
      mayHideTables: this.#catalog.mayHideTables,
      encoding: encodingOf(this.#state),
    };
    const resolved = resolveByName(graph, names, server.family, naming);
    if (isSent) return { ...resolved, touched: this.#catalog.touched };
    const acting = names.find((name) => isActedOn(resolved, name));
    if (acting) throw refusal(quoteRelation(acting), server);
    return { kind: 'other' };
  }

  /**
   * Refuses a text whose statements are not understood, where it may concern a table with rows to cascade to.
   * @returns the question that had no answer, if there is one
   * @throws as OtherServer.refuseText
   */
  async refuseText(server: Other, text: string, protocol: Protocol): Promise<Unanswered | undefined> {
    const graph = await this.#toldKeys.graph(server, protocol);
    if (graph.kind !== 'graph') return graph;
    this.#otherServer.refuseText(server, text, graph.isTold ? cascadingTables(graph.known.graph) : undefined);
    return undefined;
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

function isActedOn({ graph, meaning }: ResolvedContext, name: RelationName): boolean {
  const relation = graph.relation(meaning(name) ?? 0);
  return relation !== undefined && cascadesFrom(graph, relation);
}
