/**
 * What the server has told one session: what names mean, its settings pgcascade.*, and which graph holds. What is not known, or no longer
 * holds, is asked for.
 */
import type { ReadPoint } from '../../graph/cache.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';
import type { CatalogQuestion } from '../../graph/catalog/question.js';
import { emptying } from '../../graph/emptying.js';
import type { RelationName } from '../../sql/names.js';
import type { SessionPolicy } from '../policy/policy.js';
import { type Ask, CatalogReader, type CatalogReaderOptions, type Unanswered } from './catalog-reader.js';
import { Meanings } from './meanings.js';
import type { Sight } from './own-sight.js';
import { PgcascadeSettings } from './pgcascade-settings.js';
import type { ResolvedContext } from './resolved-context.js';
import type { Sights, Standing } from './sights.js';
import type { TransactionChanges } from './transaction-changes.js';

export class Surroundings {
  readonly #reader: CatalogReader;
  readonly #sights: Sights;
  readonly #changes: TransactionChanges;
  readonly #policy: SessionPolicy;
  readonly #meanings = new Meanings();
  readonly #settings = new PgcascadeSettings();
  /** The catalog's state under which the meanings were asked for. */
  #fingerprint = '';

  constructor(options: CatalogReaderOptions, sights: Sights, changes: TransactionChanges) {
    this.#reader = new CatalogReader(options);
    this.#sights = sights;
    this.#changes = changes;
    this.#policy = options.policy;
  }

  /** Bytes came from the client, or something of the client's is being executed. */
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
   * Asks the server for what is not known.
   * @param standing what the session knows without asking
   * @returns what it sees; or `outdated` where the answer does not belong to that standing, so that the caller has to begin again
   */
  async see(
    standing: Standing,
    names: readonly RelationName[],
    ask: Ask,
  ): Promise<Sight | Unanswered | 'outdated'> {
    const { sight } = standing;
    this.#meanings.bound();
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (sight !== undefined && sight.fingerprint !== this.#fingerprint) this.#meanings.forget();
    const unknown = this.#meanings.unknown(names, sight?.known.graph);
    const isKnown = sight !== undefined && unknown.length === 0 && this.#isCertain(standing);
    return isKnown ? sight : this.#askServer(standing, names, unknown, ask);
  }

  /**
   * The context that `see` and `contextOf` would give, where they would ask nothing.
   * @returns undefined where something would be asked, or where `contextOf` would throw
   */
  contextNow(standing: Standing, names: readonly RelationName[]): ResolvedContext | undefined {
    const { sight } = standing;
    if (sight?.fingerprint !== this.#fingerprint || !this.#isCertain(standing)) return undefined;
    const isAsked = !this.#settings.isSettled || this.#meanings.unknown(names, sight.known.graph).length > 0;
    return isAsked ? undefined : this.contextOf(sight, names);
  }

  #isCertain({ isLost, mayHaveTemporaries }: Standing): boolean {
    return !isLost && !mayHaveTemporaries && this.#settings.isKnown;
  }

  /**
   * @param names of a statement, which are known in what the session sees
   * @throws ProxyError PGC_MODE for a mode that is none, PGC_GUARD_VALUE, PGC_LOCKS_VALUE, PGC_BATCH_VALUE and PGC_LIMIT_VALUE for such other settings
   */
  contextOf({ known }: Sight, names: readonly RelationName[]): ResolvedContext {
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
   * Asks what is not known, and reads the catalog where its graph is not.
   * @param names all those that the statement has
   * @param unknown those of which the meaning is not known
   * @returns as `see`
   */
  async #askServer(
    { server, now, isShared, isLost, sight }: Standing,
    names: readonly RelationName[],
    unknown: readonly RelationName[],
    ask: Ask,
  ): Promise<Sight | Unanswered | 'outdated'> {
    const question = { names: unknown, fingerprint: sight === undefined, catalog: false, server: isLost };
    const found = await this.#ask(question, now, ask);
    if (found.kind !== 'facts') return found;
    // The server turned out not to do all that is declared: the fingerprint, which was left out, is needed.
    const lacksFingerprint =
      question.fingerprint && found.fingerprint === null && found.serverDoesAll !== true;
    // The session has temporary relations, which no other one sees, and was not asked what they are.
    const hasTemporaries = found.temporary === null || (isShared && found.temporary);
    // The session is in another database than it was taken to be in, and the watch tells of that one's changes alone.
    const isElsewhere = isLost && !this.#sights.isAt(server);
    if (lacksFingerprint || hasTemporaries || isElsewhere) return 'outdated';
    const seen = sight ?? (await this.#sighted(names, found, now, ask));
    if (seen === 'read by another') return 'outdated';
    if (seen.kind !== 'sight') return seen;
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
  async #sighted(
    names: readonly RelationName[],
    found: SessionFacts,
    now: ReadPoint,
    ask: Ask,
  ): Promise<Sight | Unanswered | 'read by another'> {
    const known = this.#reader.known(found);
    if (known) return this.#sights.record(known, now, this.#changes.hasSchema);
    const reading = await this.#reader.readInTurn(names, found, ask);
    if (reading === 'read by another' || reading.kind !== 'sight') return reading;
    this.#meanings.forget();
    this.#learn(names, reading.facts, now);
    return this.#sights.record(reading, now, this.#changes.hasSchema);
  }

  #learn(names: readonly RelationName[], found: SessionFacts, asked: ReadPoint): void {
    this.#meanings.learn(names, found.meanings);
    this.#settings.learn(found);
    if (found.server !== null) this.#sights.locate(found.server);
    this.#sights.recordTemporaries(found.temporary, asked);
  }
}
