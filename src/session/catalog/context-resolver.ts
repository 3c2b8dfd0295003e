/**
 * Resolves the names of a statement to the context in which the statement is rewritten: what the names mean, the session's settings
 * pgcascade.*, and the graph that holds. It remembers what the server has answered, and queries the server only for the rest.
 */
import type { ReadPoint } from '../../graph/cache.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';
import type { CatalogQuestion } from '../../graph/catalog/question.js';
import { emptying } from '../../graph/emptying.js';
import type { RelationName } from '../../sql/names.js';
import type { SessionPolicy } from '../policy/policy.js';
import { type Ask, CatalogReader, type CatalogReaderOptions, type Unanswered } from './catalog-reader.js';
import { Meanings } from './meanings.js';
import type { CatalogState } from './own-catalog-state.js';
import { PgcascadeSettings } from './pgcascade-settings.js';
import type { ResolvedContext } from './resolved-context.js';
import type { KnownSoFar, SeenCatalog } from './seen-catalog.js';
import type { TransactionChanges } from './transaction-changes.js';

export class ContextResolver {
  readonly #reader: CatalogReader;
  readonly #seenCatalog: SeenCatalog;
  readonly #changes: TransactionChanges;
  readonly #policy: SessionPolicy;
  readonly #meanings = new Meanings();
  readonly #settings = new PgcascadeSettings();
  /** The fingerprint of the catalog for which the meanings hold. */
  #fingerprint = '';

  constructor(options: CatalogReaderOptions, seenCatalog: SeenCatalog, changes: TransactionChanges) {
    this.#reader = new CatalogReader(options);
    this.#seenCatalog = seenCatalog;
    this.#changes = changes;
    this.#policy = options.policy;
  }

  /** Bytes came from the client, or something that the client sent is being executed. */
  touch(): void {
    this.#meanings.touch();
  }

  /** A temporary table without keys is made. @param words as Meanings.hide */
  hide(words: ReadonlySet<string> | undefined): void {
    this.#meanings.hide(words);
  }

  /** Settings may have changed. */
  forget(): void {
    this.#meanings.forget();
    this.#settings.forget();
  }

  /**
   * Queries the server for what is not known.
   * @param soFar what the session knows without a query
   * @returns what the session sees of the catalog; or `outdated` where the answer does not belong to what was known then, so that the caller has
   * to begin again
   */
  async see(
    soFar: KnownSoFar,
    names: readonly RelationName[],
    ask: Ask,
  ): Promise<CatalogState | Unanswered | 'outdated'> {
    const { catalogState } = soFar;
    this.#meanings.bound();
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (catalogState !== undefined && catalogState.fingerprint !== this.#fingerprint) this.#meanings.forget();
    const unknown = this.#meanings.unknown(names, catalogState?.known.graph);
    const isKnown = catalogState !== undefined && unknown.length === 0 && this.#isCertain(soFar);
    return isKnown ? catalogState : this.#askServer(soFar, names, unknown, ask);
  }

  /**
   * The context that `see` and `contextOf` would give, where they would send no query.
   * @returns undefined where they would send one, or where `contextOf` would throw
   */
  contextNow(soFar: KnownSoFar, names: readonly RelationName[]): ResolvedContext | undefined {
    const { catalogState } = soFar;
    if (catalogState?.fingerprint !== this.#fingerprint || !this.#isCertain(soFar)) return undefined;
    const isAsked =
      !this.#settings.isSettled || this.#meanings.unknown(names, catalogState.known.graph).length > 0;
    return isAsked ? undefined : this.contextOf(catalogState, names);
  }

  #isCertain({ isLost, mayHaveTemporaries }: KnownSoFar): boolean {
    return !isLost && !mayHaveTemporaries && this.#settings.isKnown;
  }

  /**
   * @param names those of a statement; `see` has resolved them
   * @throws ProxyError PGC_MODE, PGC_GUARD_VALUE, PGC_LOCKS_VALUE, PGC_BATCH_VALUE or PGC_LIMIT_VALUE where the session has set pgcascade.* to a
   * value that it cannot have
   */
  contextOf({ known }: CatalogState, names: readonly RelationName[]): ResolvedContext {
    const batchRows = this.#settings.batchRows ?? this.#policy.current.batchRows;
    // Batches leave no key to the server.
    const graph = batchRows > 0 ? emptying(known.graph) : known.graph;
    return {
      kind: 'resolved',
      graph,
      graphId: batchRows > 0 ? `${known.id} emptying` : known.id,
      batchRows,
      onLimit: this.#settings.onLimit ?? this.#policy.current.onLimit,
      guard: this.#settings.guard,
      locks: this.#settings.locks,
      active: this.#settings.isActive(),
      meaning: (name) => this.#meanings.of(name),
      hides: this.#meanings.hideAny(names, graph),
    };
  }

  /**
   * Queries the server for what is not known, and reads the catalog where no graph is known for it.
   * @param names all names in the statement
   * @param unknown those whose meaning is not known
   * @returns as `see`
   */
  async #askServer(
    { server, now, isShared, isLost, catalogState }: KnownSoFar,
    names: readonly RelationName[],
    unknown: readonly RelationName[],
    ask: Ask,
  ): Promise<CatalogState | Unanswered | 'outdated'> {
    const question = {
      names: unknown,
      fingerprint: catalogState === undefined,
      catalog: false,
      server: isLost,
    };
    const found = await this.#ask(question, now, ask);
    if (found.kind !== 'facts') return found;
    // The server turned out not to do all that is declared: the fingerprint, which was left out, is needed.
    const lacksFingerprint =
      question.fingerprint && found.fingerprint === null && found.serverDoesAll !== true;
    // The session has temporary relations, which no other session sees, and the query did not ask which.
    const hasTemporaries = found.temporary === null || (isShared && found.temporary);
    // The session is in another database than was assumed, and the watch reports changes of the assumed one only.
    const isElsewhere = isLost && !this.#seenCatalog.isAt(server);
    if (lacksFingerprint || hasTemporaries || isElsewhere) return 'outdated';
    const seen = catalogState ?? (await this.#stateSeen(names, found, now, ask));
    if (seen === 'read by another') return 'outdated';
    if (seen.kind !== 'catalog state') return seen;
    if (seen.fingerprint !== this.#fingerprint) this.#meanings.retain(names);
    this.#fingerprint = seen.fingerprint;
    return seen;
  }

  async #ask(
    question: Omit<CatalogQuestion, 'temporary'>,
    now: ReadPoint,
    ask: Ask,
  ): Promise<SessionFacts | Unanswered> {
    const found = await this.#reader.ask(question, ask);
    if (found.kind === 'facts') this.#learn(question.names, found, now);
    return found;
  }

  /** The graph of what was found: one that is known, or that of the whole catalog. */
  async #stateSeen(
    names: readonly RelationName[],
    found: SessionFacts,
    now: ReadPoint,
    ask: Ask,
  ): Promise<CatalogState | Unanswered | 'read by another'> {
    const known = this.#reader.known(found);
    if (known) return this.#seenCatalog.record(known, now, this.#changes.hasSchema);
    const reading = await this.#reader.readInTurn(names, found, ask);
    if (reading === 'read by another' || reading.kind !== 'catalog state') return reading;
    this.#meanings.forget();
    this.#learn(names, reading.facts, now);
    return this.#seenCatalog.record(reading, now, this.#changes.hasSchema);
  }

  #learn(names: readonly RelationName[], found: SessionFacts, asked: ReadPoint): void {
    this.#meanings.learn(names, found.meanings);
    this.#settings.learn(found);
    if (found.server !== null) this.#seenCatalog.locate(found.server);
    this.#seenCatalog.recordTemporaries(found.temporary, asked);
  }
}
