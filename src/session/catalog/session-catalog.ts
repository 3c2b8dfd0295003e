/**
 * What a session knows of its surroundings: what names mean, whether cascading is on, and the graph.
 *
 * It asks the server once and remembers until something was sent that may change the answer. What slips through (a
 * function that sets the search_path) is caught by the expanded statement, which checks the name again.
 */
import { ProxyError } from '../../errors.js';
import type { GraphCache, KnownGraph, ReadPoint } from '../../graph/cache.js';
import { type CatalogAnswer, readAnswer } from '../../graph/catalog/answer.js';
import {
  type Catalog,
  type CatalogQuestion,
  catalogQuestion,
  type SessionFacts,
} from '../../graph/catalog/catalog.js';
import type { Rules } from '../../graph/catalog/rules.js';
import { mergeGraph } from '../../graph/merge.js';
import { Graph } from '../../graph/model.js';
import type { SessionEvents } from '../../observe/session-events.js';
import type { SessionEffect } from '../../sql/lexer/look.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import type { Answer } from '../server/question.js';
import { OwnSight, type Sight, scopeOf } from './own-sight.js';

/** Where there is nothing for the proxy to do: in place of a fingerprint, and the graph. */
const IDLE = 'idle';
const NO_GRAPH = new Graph(new Map(), [], [], []);
const NO_CATALOG: Catalog = { relations: [], keys: [], configured: [] };

/** Beyond it a session forgets and asks again. */
const MOST_NAMES = 1000;

export interface ResolvedContext {
  readonly graph: Graph;
  /** Tells the graph from all others. */
  readonly graphId: string;
  /** False where the session or its role switched cascades off. */
  readonly active: boolean;
  readonly meaning: (name: RelationName) => number | null;
}

export interface SessionCatalogOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly graphs: GraphCache;
  readonly rules: Rules;
  readonly events: SessionEvents;
}

type Ask = (sql: string) => Promise<Answer>;
type Unanswered = Exclude<Answer, { kind: 'value' }>;

export class SessionCatalog {
  readonly #options: SessionCatalogOptions;
  #meanings = new Map<string, number | null>();
  #settings: { readonly mode: string | null; readonly replica: boolean } | undefined;
  /** The transaction changed settings or the schema: its end changes them back, or makes them seen by others. */
  #touched = false;
  #ddl = false;
  /** Where this session is, as far as it was asked; and when its last bytes came. */
  #server: string | undefined;
  #arrival: number;
  readonly #own = new OwnSight();
  /** The session has made a temporary relation: from then on it is asked what they are. */
  #hasTemporaries = false;
  /** The catalog's state under which the meanings were asked for. */
  #fingerprint = '';
  /** Counts how often everything was forgotten. */
  #age = 0;

  constructor(options: SessionCatalogOptions) {
    this.#options = options;
    this.#arrival = options.graphs.arrival;
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#arrival = this.#options.graphs.arrival;
    this.#own.touch();
  }

  /** Something of the client's is being executed, which may change the schema unseen. */
  executing(): void {
    this.#own.touch();
  }

  /** A text with this effect is being sent. */
  invalidateFor(effect: SessionEffect): void {
    if (effect === 'none') return;
    if (effect === 'ends') this.#own.transactionOver();
    if (effect === 'ends' && !this.#touched) return;
    this.#own.forget();
    this.#forget();
    if (effect === 'ends') return;
    this.#touched = true;
    if (effect === 'schema') this.#ddl = true;
  }

  /**
   * A Sync or a simple query is being sent: outside of a transaction block it ends what was set in the unit, or what an
   * error undid.
   * @param inBlock it is certain that the transaction goes on
   */
  unitEnds(inBlock: boolean): void {
    this.#own.touch();
    if (inBlock) return;
    this.#own.transactionOver();
    if (this.#touched) this.#forget();
  }

  /** The server says that no transaction is open, or that it has failed. */
  transactionOver(): void {
    this.#own.transactionOver();
  }

  /** Another number since something was sent that may have changed settings. */
  get age(): number {
    return this.#age;
  }

  /** Whether the open transaction has changed settings or the schema. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Whether what was sent may have changed the schema. */
  get changing(): boolean {
    return this.#ddl;
  }

  /** A transaction is over. More may have been sent since, but what it changed others see from its answer on. */
  committed(): void {
    if (this.#ddl) this.#options.graphs.invalidate(this.#options.database);
  }

  /** The server is idle: no transaction is open. */
  idle(): void {
    if (!this.#touched) return;
    this.#forget();
    this.#touched = false;
    this.#ddl = false;
  }

  /**
   * @param ask puts a question to the server over this session
   * @returns the surroundings, or the answer that could not be had
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async resolve(names: readonly RelationName[], ask: Ask): Promise<ResolvedContext | Unanswered> {
    const { graphs, database } = this.#options;
    if (this.#meanings.size > MOST_NAMES) this.#meanings = new Map();
    const age = this.#age;
    const server = this.#server ?? graphs.server(database);
    const now = await graphs.readPoint(database, server, this.#arrival);
    const own = this.#own.fresh(graphs, now);
    const temporaries = this.#own.hasTemporaries(graphs, now);
    const shared = own === undefined && temporaries !== true ? this.#shared(now) : undefined;
    let sight = own ?? shared;
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (sight?.fingerprint !== this.#fingerprint) this.#meanings = new Map();
    const distinct = [...new Map(names.map((name) => [quoteRelation(name), name])).values()];
    const unknown = distinct.filter((name) => this.#meaning(name) === null);
    const where = graphs.isWatched && this.#server === undefined;
    // What all see is what this session sees, but for temporary relations of its own.
    const alone = shared !== undefined && temporaries === undefined;
    if (unknown.length > 0 || sight === undefined || this.#settings === undefined || where || alone) {
      const question = { names: unknown, fingerprint: sight === undefined, catalog: false, server: where };
      const found = await this.#ask(question, now, ask);
      if ('kind' in found) return found;
      const isUnknown = question.fingerprint && found.fingerprint === null && found.idle !== true;
      if (isUnknown || found.temporary === null || (shared !== undefined && found.temporary))
        return this.resolve(names, ask);
      // Whoever tells of changes elsewhere does not tell of changes here.
      if (where && this.#server !== server) return this.resolve(names, ask);
      const seen = sight ?? this.#sighted(found, now) ?? (await this.#readInTurn(distinct, found, now, ask));
      if (seen === 'read by another') return this.resolve(names, ask);
      if ('kind' in seen) return seen;
      sight = seen;
      this.#fingerprint = seen.fingerprint;
    }
    // While the server answered, it reported a change: what was remembered before is worth nothing.
    if (age !== this.#age) return this.resolve(names, ask);
    const active = this.#isActive();
    // A function may switch cascades on again, unseen: while they are off the server is asked each time.
    if (!active) this.#settings = undefined;
    const { graph, id } = sight.known;
    return { graph, graphId: id, active, meaning: (name) => this.#meaning(name) };
  }

  /** What all sessions see, unless this one's own transaction has changed it. */
  #shared(now: ReadPoint): Sight | undefined {
    const { graphs, database } = this.#options;
    const fingerprint = this.#ddl ? undefined : graphs.currentFingerprint(database, now);
    const known = fingerprint === undefined ? undefined : graphs.get(database, fingerprint);
    return fingerprint === undefined || known === undefined ? undefined : { fingerprint, known };
  }

  async #ask(
    asked: Omit<CatalogQuestion, 'temporary'>,
    now: ReadPoint,
    ask: Ask,
  ): Promise<CatalogAnswer | Unanswered> {
    const { database, graphs, rules } = this.#options;
    // A graph that is empty as long as a short look says so needs no fingerprint.
    const idle = asked.fingerprint && rules.overrides.length === 0 && rules.relations.length === 0;
    const fingerprint = asked.fingerprint && (asked.catalog || !idle || !graphs.isIdle(database));
    const question = { ...asked, temporary: this.#hasTemporaries, idle, fingerprint };
    const answer = await ask(catalogQuestion(question, rules.relations));
    if (answer.kind !== 'value') return answer;
    const found = await readAnswer(answer.value);
    this.#learn(question.names, found);
    if (found.idle !== null) graphs.recordIdle(database, found.idle);
    if (found.temporary === null) this.#hasTemporaries = true;
    this.#own.recordTemporaries(found.temporary, now);
    return found;
  }

  /** Of those that would keep the same graph, one reads the catalog. */
  async #readInTurn(
    names: readonly RelationName[],
    { written, fingerprint }: SessionFacts,
    now: ReadPoint,
    ask: Ask,
  ): Promise<Sight | Unanswered | 'read by another'> {
    const { database, graphs } = this.#options;
    if (written) return this.#read(names, now, ask);
    const end = await graphs.turn(database, fingerprint ?? '');
    if (end === undefined) return 'read by another';
    try {
      return await this.#read(names, now, ask);
    } finally {
      end();
    }
  }

  /** Reads the whole catalog, in one statement with its fingerprint and with what the names mean in it. */
  async #read(names: readonly RelationName[], now: ReadPoint, ask: Ask): Promise<Sight | Unanswered> {
    const { database, events, graphs, rules } = this.#options;
    this.#meanings = new Map();
    const began = performance.now();
    const found = await this.#ask({ names, fingerprint: true, catalog: true, server: false }, now, ask);
    if ('kind' in found) return found;
    events.catalogRead(performance.now() - began);
    const graph = await mergeGraph(found.catalog ?? NO_CATALOG, rules);
    for (const { text } of graph.problems)
      if (graphs.isNews(database, text)) events.warned(`${database}: ${text}`);
    const { bytes, written } = found;
    const fingerprint = found.fingerprint ?? '';
    const known = written ? graphs.ownGraph(graph) : graphs.set(database, fingerprint, graph, bytes);
    return this.#record(found, fingerprint, now, known);
  }

  /** @returns undefined where the graph of what was found is not known, and not certain to be empty */
  #sighted(found: SessionFacts, now: ReadPoint): Sight | undefined {
    const { graphs, database } = this.#options;
    const fingerprint = found.idle ? IDLE : (found.fingerprint ?? '');
    let known = graphs.get(database, fingerprint);
    if (found.idle) known ??= graphs.set(database, fingerprint, NO_GRAPH, 0);
    return known && this.#record(found, fingerprint, now, known);
  }

  /** What was found in a transaction that had written something stays with this session, and so do temporary relations. */
  #record(found: SessionFacts, fingerprint: string, asked: ReadPoint, known: KnownGraph): Sight {
    const { graphs, database } = this.#options;
    const scope = scopeOf(found);
    if (scope === 'all' && !this.#ddl) graphs.recordFingerprint(database, fingerprint, asked);
    this.#own.record({ fingerprint, known, asked, scope });
    return { fingerprint, known };
  }

  #locate(server: string): void {
    const { database, events, graphs } = this.#options;
    this.#server = server;
    const elsewhere = `graph.url leads to another database than ${database}: changes of its schema are noticed within graph.refresh`;
    if (graphs.recordServer(database, server)) events.warned(elsewhere);
  }

  #learn(names: readonly RelationName[], found: SessionFacts): void {
    for (const [i, name] of names.entries())
      this.#meanings.set(quoteRelation(name), found.meanings[i] ?? null);
    this.#settings = { mode: found.mode, replica: found.replica };
    if (found.server !== null) this.#locate(found.server);
  }

  #meaning(name: RelationName): number | null {
    return this.#meanings.get(quoteRelation(name)) ?? null;
  }

  #isActive(): boolean {
    const mode = this.#settings?.mode ?? '';
    if (mode !== '' && mode !== 'on' && mode !== 'off') throw new ProxyError('PGC_MODE', { value: mode });
    return mode !== 'off' && this.#settings?.replica !== true;
  }

  #forget(): void {
    this.#age++;
    this.#meanings = new Map();
    this.#settings = undefined;
  }
}
