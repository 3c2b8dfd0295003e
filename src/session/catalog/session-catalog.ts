/**
 * What a session knows of its surroundings: what names mean, whether cascading is on, and the graph.
 *
 * It asks the server once and remembers until something was sent that may change the answer. What slips through (a
 * function that sets the search_path) is caught by the expanded statement, which checks the name again.
 */
import type { ReadPoint } from '../../graph/cache.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';
import type { CatalogQuestion } from '../../graph/catalog/question.js';
import { bringsWork, type Look, type SessionEffect, strongest } from '../../sql/lexer/look.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import { CascadeMode } from './cascade-mode.js';
import {
  type Ask,
  CatalogReader,
  type CatalogReaderOptions,
  SERVER_DOES_ALL,
  type Unanswered,
} from './catalog-reader.js';
import { Meanings } from './meanings.js';
import type { Sight } from './own-sight.js';
import { emptyContext, type ResolvedContext } from './resolved-context.js';
import { leavesNothing, Sights } from './sights.js';

export class SessionCatalog {
  readonly #options: CatalogReaderOptions;
  readonly #reader: CatalogReader;
  readonly #meanings = new Meanings();
  readonly #mode = new CascadeMode();
  /** What the transaction did, at the most: its end changes that back, or makes it seen by others. */
  #changed: SessionEffect = 'none';
  /** The transaction had DDL that brings nothing as long as all keys are enforced: another session may add one before it ends. */
  #hasMinorDdl = false;
  readonly #sights: Sights;
  /** The catalog's state under which the meanings were asked for. */
  #fingerprint = '';
  /** Counts how often everything was forgotten. */
  #age = 0;

  constructor(options: CatalogReaderOptions) {
    this.#options = options;
    this.#reader = new CatalogReader(options);
    this.#sights = new Sights(options);
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#sights.arrived();
    this.executing();
  }

  /** Something of the client's is being executed, which may change the schema unseen. */
  executing(): void {
    this.#sights.touch();
    this.#meanings.touch();
  }

  /** A text is being sent. */
  invalidateBy(look: Look): void {
    const { database, graphs } = this.#options;
    // Where the proxy has nothing to do, most DDL brings nothing either: it only changes what names mean.
    const isMinor =
      look.effect === 'schema' && !bringsWork(look) && graphs.lastFingerprint(database) === SERVER_DOES_ALL;
    this.#hasMinorDdl ||= isMinor;
    this.invalidateFor(isMinor ? 'settings' : look.effect, look.words);
  }

  /**
   * Something with this effect is being sent, or was.
   * @param words of a text that makes a temporary table, as Look has them
   */
  invalidateFor(effect: SessionEffect, words?: ReadonlySet<string>): void {
    switch (effect) {
      case 'none':
        return;
      case 'transactionEnd':
        this.#sights.transactionOver();
        if (this.#hasSet) {
          this.#sights.forget();
          this.#forget();
        }
        return;
      case 'temporary':
        this.#meanings.hide(words);
        break;
      case 'settings':
      case 'schema':
        this.#sights.forget();
        this.#forget();
        break;
      default:
        effect satisfies never;
    }
    this.#changed = strongest(this.#changed, effect);
  }

  /** Whether the transaction's end changes more than what names mean that hide others, which are asked for each time. */
  get #hasSet(): boolean {
    return this.#changed === 'settings' || this.#changed === 'schema';
  }

  /**
   * A Sync or a simple query is being sent: outside of a transaction block it ends what was set in the unit, or what an
   * error undid.
   * @param inBlock it is certain that the transaction goes on
   */
  unitEnds(inBlock: boolean): void {
    this.executing();
    if (inBlock) return;
    this.#sights.transactionOver();
    if (this.#hasSet) this.#forget();
  }

  /** The server says that no transaction is open, or that it has failed. */
  transactionOver(): void {
    this.#sights.transactionOver();
  }

  /** Another number since something was sent that may have changed settings. */
  get age(): number {
    return this.#age;
  }

  /** Whether the open transaction has changed settings, the schema, or made a temporary table. */
  get touched(): boolean {
    return this.#changed !== 'none';
  }

  /** Whether what was sent may have changed the schema. */
  get changing(): boolean {
    const { database, graphs } = this.#options;
    const bringsMore = this.#hasMinorDdl && graphs.lastFingerprint(database) !== SERVER_DOES_ALL;
    return this.#changed === 'schema' || bringsMore;
  }

  /** Whether the transaction's end may show others another schema. */
  get mayShowChanges(): boolean {
    return this.changing || this.#hasMinorDdl;
  }

  /** A transaction is over. More may have been sent since, but what it changed others see from its answer on. */
  committed(): void {
    const { database, graphs } = this.#options;
    if (this.changing) graphs.invalidate(database);
    else if (this.#hasMinorDdl) graphs.outdate(database);
  }

  /** The server is idle: no transaction is open. */
  serverIdle(): void {
    if (this.#hasSet) this.#forget();
    this.#changed = 'none';
    this.#hasMinorDdl = false;
  }

  /**
   * Whether to ask for the graph before the next transaction begins: the last one asked when it had written something, and
   * what it saw is nobody else's (docs/decisions.md, 56).
   */
  get isLate(): boolean {
    return this.#sights.isLate && this.#options.graphs.isTrusted;
  }

  /** Asks for the graph where what all see is not fresh. No transaction is open. As `resolve`. */
  renew(ask: Ask): Promise<ResolvedContext | Unanswered> {
    this.#sights.renew();
    return this.resolve([], ask);
  }

  /**
   * Whether it is known, without asking, that nothing has to be expanded or refused, whatever a text deletes: the server itself
   * carries out all that this session's database declares.
   * @returns a promise as GraphCache.readPoint
   */
  serverDoesAll(): boolean | Promise<boolean> {
    const standing = this.#sights.now(this.changing);
    return standing instanceof Promise ? standing.then(leavesNothing) : leavesNothing(standing);
  }

  /**
   * @param ask puts a question to the server over this session
   * @returns the surroundings, or the answer that could not be had
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async resolve(names: readonly RelationName[], ask: Ask): Promise<ResolvedContext | Unanswered> {
    this.#meanings.bound();
    const age = this.#age;
    const standing = await this.#sights.now(this.changing);
    const { server, now, isShared, isLost } = standing;
    let { sight } = standing;
    if (sight && leavesNothing(standing)) return emptyContext(sight);
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (sight !== undefined && sight.fingerprint !== this.#fingerprint) this.#meanings.forget();
    const distinct = [...new Map(names.map((name) => [quoteRelation(name), name])).values()];
    const unknown = this.#meanings.unknown(distinct, sight?.known.graph);
    const isUncertain = isLost || standing.mayHaveTemporaries || !this.#mode.isKnown;
    if (sight === undefined || unknown.length > 0 || isUncertain) {
      const question = { names: unknown, fingerprint: sight === undefined, catalog: false, server: isLost };
      const found = await this.#ask(question, now, ask);
      if ('kind' in found) return found;
      const isUnknown = question.fingerprint && found.fingerprint === null && found.serverDoesAll !== true;
      if (isUnknown || found.temporary === null || (isShared && found.temporary))
        return this.resolve(names, ask);
      // The session is in another database than it was taken to be in, and the watch tells of that one's changes alone.
      if (isLost && !this.#sights.isAt(server)) return this.resolve(names, ask);
      const seen = sight ?? (await this.#sighted(distinct, found, now, ask));
      if (seen === 'read by another') return this.resolve(names, ask);
      if ('kind' in seen) return seen;
      if (seen.fingerprint !== this.#fingerprint) this.#meanings.retain(distinct);
      sight = seen;
      this.#fingerprint = seen.fingerprint;
    }
    // While the server answered, it reported that a setting has changed: names may mean other relations by now.
    if (age !== this.#age) {
      this.#forget();
      return this.resolve(names, ask);
    }
    const active = this.#mode.isActive();
    const { graph, id } = sight.known;
    const hides = this.#meanings.hideAny(distinct, graph);
    return { graph, graphId: id, active, meaning: (name) => this.#meanings.of(name), hides };
  }

  async #ask(
    question: Omit<CatalogQuestion, 'temporary'>,
    now: ReadPoint,
    ask: Ask,
  ): Promise<SessionFacts | Unanswered> {
    const found = await this.#reader.ask(question, ask);
    if (!('kind' in found)) this.#learn(question.names, found, now);
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
    if (known) return this.#sights.record(known, now, this.changing);
    const reading = await this.#reader.readInTurn(names, found, ask);
    if (reading === 'read by another' || 'kind' in reading) return reading;
    this.#meanings.forget();
    this.#learn(names, reading.facts, now);
    return this.#sights.record(reading, now, this.changing);
  }

  #learn(names: readonly RelationName[], found: SessionFacts, asked: ReadPoint): void {
    this.#meanings.learn(names, found.meanings);
    this.#mode.learn(found);
    if (found.server !== null) this.#sights.locate(found.server);
    this.#sights.recordTemporaries(found.temporary, asked);
  }

  #forget(): void {
    this.#age++;
    this.#meanings.forget();
    this.#mode.forget();
  }
}
