/**
 * What a session knows of its surroundings: what names mean, whether cascading is on, and the graph.
 *
 * It asks the server once and remembers until something was sent that may change the answer. What slips through (a
 * function that sets the search_path) is caught by the expanded statement, which checks the name again.
 */
import type { ReadPoint } from '../../graph/cache.js';
import type { CatalogQuestion, SessionFacts } from '../../graph/catalog/catalog.js';
import type { Graph } from '../../graph/model.js';
import { type SessionEffect, strongest } from '../../sql/lexer/look.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import { CascadeMode } from './cascade-mode.js';
import {
  type Ask,
  CatalogReader,
  type CatalogReaderOptions,
  type CatalogReading,
  type Unanswered,
} from './catalog-reader.js';
import { Meanings } from './meanings.js';
import { OwnSight, type Sight, scopeOf } from './own-sight.js';

export interface ResolvedContext {
  readonly graph: Graph;
  /** Tells the graph from all others. */
  readonly graphId: string;
  /** False where the session or its role switched cascades off. */
  readonly active: boolean;
  readonly meaning: (name: RelationName) => number | null;
  /** A name means none of the graph, where another one would: any statement may change that. */
  readonly hides: boolean;
}

export class SessionCatalog {
  readonly #options: CatalogReaderOptions;
  readonly #reader: CatalogReader;
  readonly #meanings = new Meanings();
  readonly #mode = new CascadeMode();
  /** What the transaction did, at the most: its end changes that back, or makes it seen by others. */
  #changed: SessionEffect = 'none';
  /** Where this session is, as far as it was asked; and when its last bytes came. */
  #server: string | undefined;
  #arrival: number;
  readonly #own = new OwnSight();
  /** The catalog's state under which the meanings were asked for. */
  #fingerprint = '';
  /** Counts how often everything was forgotten. */
  #age = 0;

  constructor(options: CatalogReaderOptions) {
    this.#options = options;
    this.#reader = new CatalogReader(options);
    this.#arrival = options.graphs.arrival;
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#arrival = this.#options.graphs.arrival;
    this.executing();
  }

  /** Something of the client's is being executed, which may change the schema unseen. */
  executing(): void {
    this.#own.touch();
    this.#meanings.touch();
  }

  /**
   * A text with this effect is being sent.
   * @param words of a text that makes a temporary table, as Look has them
   */
  invalidateFor(effect: SessionEffect, words?: ReadonlySet<string>): void {
    switch (effect) {
      case 'none':
        return;
      case 'ends':
        this.#own.transactionOver();
        if (this.#hasSet) {
          this.#own.forget();
          this.#forget();
        }
        return;
      case 'temporary':
        this.#meanings.hide(words);
        break;
      case 'settings':
      case 'schema':
        this.#own.forget();
        this.#forget();
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
    this.#own.transactionOver();
    if (this.#hasSet) this.#forget();
  }

  /** The server says that no transaction is open, or that it has failed. */
  transactionOver(): void {
    this.#own.transactionOver();
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
    return this.#changed === 'schema';
  }

  /** A transaction is over. More may have been sent since, but what it changed others see from its answer on. */
  committed(): void {
    if (this.changing) this.#options.graphs.invalidate(this.#options.database);
  }

  /** The server is idle: no transaction is open. */
  idle(): void {
    if (this.#hasSet) this.#forget();
    this.#changed = 'none';
  }

  /**
   * Whether to ask for the graph before the next transaction begins: the last one asked when it had written something, and
   * what it saw is nobody else's (docs/decisions.md, 56).
   */
  get isLate(): boolean {
    return this.#own.isLate && this.#options.graphs.isTrusted;
  }

  /** Asks for the graph where what all see is not fresh. No transaction is open. As `resolve`. */
  renew(ask: Ask): Promise<ResolvedContext | Unanswered> {
    this.#own.renew();
    return this.resolve([], ask);
  }

  /**
   * @param ask puts a question to the server over this session
   * @returns the surroundings, or the answer that could not be had
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async resolve(names: readonly RelationName[], ask: Ask): Promise<ResolvedContext | Unanswered> {
    const { graphs, database } = this.#options;
    this.#meanings.bound();
    const age = this.#age;
    const server = this.#server ?? graphs.server(database);
    const now = await graphs.readPoint(database, server, this.#arrival);
    const own = this.#own.fresh(graphs, now);
    const temporaries = this.#own.hasTemporaries(graphs, now);
    const shared = own === undefined && temporaries !== true ? this.#shared(now) : undefined;
    let sight = own ?? shared;
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (sight !== undefined && sight.fingerprint !== this.#fingerprint) this.#meanings.forget();
    const distinct = [...new Map(names.map((name) => [quoteRelation(name), name])).values()];
    const unknown = this.#meanings.unknown(distinct, sight?.known.graph);
    const where = graphs.isWatched && this.#server === undefined;
    // What all see is what this session sees, but for temporary relations of its own.
    const alone = shared !== undefined && temporaries === undefined;
    if (unknown.length > 0 || sight === undefined || !this.#mode.isKnown || where || alone) {
      const question = { names: unknown, fingerprint: sight === undefined, catalog: false, server: where };
      const found = await this.#ask(question, now, ask);
      if ('kind' in found) return found;
      const isUnknown = question.fingerprint && found.fingerprint === null && found.idle !== true;
      if (isUnknown || found.temporary === null || (shared !== undefined && found.temporary))
        return this.resolve(names, ask);
      // Whoever tells of changes elsewhere does not tell of changes here.
      if (where && this.#server !== server) return this.resolve(names, ask);
      const seen = sight ?? (await this.#sighted(distinct, found, now, ask));
      if (seen === 'read by another') return this.resolve(names, ask);
      if ('kind' in seen) return seen;
      if (seen.fingerprint !== this.#fingerprint) this.#meanings.retain(distinct);
      sight = seen;
      this.#fingerprint = seen.fingerprint;
    }
    // While the server answered, it reported a change: what it said before, and what was remembered, is worth nothing.
    if (age !== this.#age) {
      this.#forget();
      return this.resolve(names, ask);
    }
    const active = this.#mode.isActive();
    const { graph, id } = sight.known;
    const hides = this.#meanings.hideAny(distinct, graph);
    return { graph, graphId: id, active, meaning: (name) => this.#meanings.of(name), hides };
  }

  /** What all sessions see, unless this one's own transaction has changed it. */
  #shared(now: ReadPoint): Sight | undefined {
    const { graphs, database } = this.#options;
    const fingerprint = this.changing ? undefined : graphs.currentFingerprint(database, now);
    const known = fingerprint === undefined ? undefined : graphs.get(database, fingerprint);
    return fingerprint === undefined || known === undefined ? undefined : { fingerprint, known };
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
    if (known) return this.#record(known, now);
    const reading = await this.#reader.readInTurn(names, found, ask);
    if (reading === 'read by another' || 'kind' in reading) return reading;
    this.#meanings.forget();
    this.#learn(names, reading.facts, now);
    return this.#record(reading, now);
  }

  /** What was found in a transaction that had written something stays with this session, and so do temporary relations. */
  #record({ facts, fingerprint, known }: CatalogReading, asked: ReadPoint): Sight {
    const { graphs, database } = this.#options;
    const scope = scopeOf(facts);
    if (scope === 'all' && !this.changing) graphs.recordFingerprint(database, fingerprint, asked);
    this.#own.record({ fingerprint, known, asked, scope });
    return { fingerprint, known };
  }

  #locate(server: string): void {
    const { database, events, graphs } = this.#options;
    this.#server = server;
    const elsewhere = `graph.url leads to another database than ${database}: changes of its schema are noticed within graph.refresh`;
    if (graphs.recordServer(database, server)) events.warned(elsewhere);
  }

  #learn(names: readonly RelationName[], found: SessionFacts, asked: ReadPoint): void {
    this.#meanings.learn(names, found.meanings);
    this.#mode.learn(found);
    if (found.server !== null) this.#locate(found.server);
    this.#own.recordTemporaries(found.temporary, asked);
  }

  #forget(): void {
    this.#age++;
    this.#meanings.forget();
    this.#mode.forget();
  }
}
