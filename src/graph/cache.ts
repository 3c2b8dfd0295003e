/**
 * The graphs of all databases, least recently used out first.
 *
 * A graph is known by its fingerprint, so it can be shared by all sessions that see the same catalog, and one that
 * changed the schema in its open transaction simply sees another. What is remembered per database is which
 * fingerprint was seen last, and when.
 */
import { LRUCache } from 'lru-cache';
import type { Recognition } from '../profiles/recognise.js';
import type { Graph } from './graph.js';
import { SingleFlight } from './single-flight.js';

/** Of all databases together: dozens of graphs of hundreds of tables, or a few of thousands. One is always kept. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What a graph takes of the heap at most, for each byte of the answer that it was read from (`npm run bench -- catalog`). */
const HEAP_OF_A_BYTE = 3;
/** Milliseconds. A session that reads the catalog may wait for a lock that a session holds which waits for it. */
const PATIENCE = 5000;
const MOST_DATABASES = 1024;
/** Of all databases together. What the cache forgets is logged once more. */
const MOST_NEWS = 10_000;

/** Tells of the changes that are made to the schema of one database. */
export interface Watch {
  /** Names the database and its running server, as they name themselves (server.sql); undefined as long as unknown. */
  readonly server: string | undefined;
  /** How many of its round trips have begun. */
  readonly begun: number;
  /**
   * How many changes it knows of, where all are among them that were committed when so many round trips had begun.
   * @returns undefined where some may be missing
   */
  changes(since: number): Promise<number | undefined>;
}

/** A graph, and what tells it from all others in this process: a rewrite that was made with it bears its id. */
export interface KnownGraph {
  readonly id: string;
  readonly graph: Graph;
}

interface CachedGraph extends KnownGraph {
  readonly bytes: number;
}

/** The state before a session asked for the graph: the answer is no older than this. */
export interface ReadPoint {
  readonly at: number;
  /** Of this database. */
  readonly invalidations: number;
  /** As Watch.changes; undefined where nothing tells of them. */
  readonly changes: number | undefined;
}

interface Seen extends ReadPoint {
  readonly fingerprint: string;
}

export class GraphCache {
  /** Of all caches: the rewrites of statements are kept beyond the cache of the graphs by which they were made. */
  static #made = 0;
  readonly #graphs = new LRUCache<string, CachedGraph>({
    maxSize: MOST_BYTES,
    sizeCalculation: ({ bytes }) => Math.min(Math.max(HEAP_OF_A_BYTE * bytes, 1), MOST_BYTES),
  });
  readonly #reads = new SingleFlight(PATIENCE);
  readonly #seen = new LRUCache<string, Seen>({ max: MOST_DATABASES });
  readonly #servers = new LRUCache<string, string>({ max: MOST_DATABASES });
  readonly #logged = new LRUCache<string, true>({ max: MOST_NEWS });
  readonly #kinds = new LRUCache<string, Recognition>({ max: MOST_DATABASES });
  readonly #serverDoesAll = new LRUCache<string, true>({ max: MOST_DATABASES });
  readonly #refresh: number;
  readonly #watch: Watch | undefined;
  /** When each database was invalidated last, by the count of all; and the same for those that are forgotten here. */
  readonly #invalidated = new LRUCache<string, number>({
    max: MOST_DATABASES,
    dispose: (count, _, reason) => {
      if (reason === 'evict') this.#forgotten = Math.max(this.#forgotten, count);
    },
  });
  readonly #uses = { hits: 0, misses: 0 };
  #forgotten = 0;
  #invalidations = 0;

  /**
   * @param refresh how long a fingerprint is trusted where nothing tells of changes, in milliseconds
   * @param watch tells of changes in one of the databases
   */
  constructor(refresh: number, watch?: Watch) {
    this.#refresh = refresh;
    this.#watch = watch;
  }

  /** Whether sessions should ask which server and database they are in. */
  get isWatched(): boolean {
    return this.#watch !== undefined;
  }

  /** Whether what one session has seen holds for the next statement. */
  get isTrusted(): boolean {
    return this.#refresh > 0 || this.isWatched;
  }

  /** To be taken when a statement comes, for `readPoint`. */
  get arrival(): number {
    return this.#watch?.begun ?? 0;
  }

  /** The server and database in which the last session of this database has found itself: a new one is taken to be there too. */
  server(database: string): string | undefined {
    return this.#servers.get(database);
  }

  /** What the server of a database was found to be; undefined where nobody has asked yet. */
  serverKind(database: string): Recognition | undefined {
    return this.#kinds.get(database);
  }

  /** @returns whether it is news */
  recordServerKind(database: string, kind: Recognition): boolean {
    const known = this.#kinds.get(database);
    this.#kinds.set(database, kind);
    return known?.server !== kind.server || known.withoutCatalog !== kind.withoutCatalog;
  }

  /** Whether the server of this database performed all keys itself when it was last asked. */
  serverDoesAll(database: string): boolean {
    return this.#serverDoesAll.has(database);
  }

  recordServerDoesAll(database: string, doesAll: boolean): void {
    if (doesAll) this.#serverDoesAll.set(database, true);
    else this.#serverDoesAll.delete(database);
  }

  /** A session has asked in which server and database it is. @returns whether it is news that the watched database is another one */
  recordServer(database: string, server: string): boolean {
    const news = this.#servers.get(database) !== server;
    this.#servers.set(database, server);
    const watched = this.#watch?.server;
    return news && watched !== undefined && watched !== server;
  }

  /**
   * To be taken before the graph is used, or asked for.
   * @param server where the session is
   * @param arrival when its statement came: all changes that were committed before are known by then
   * @returns a promise where changes are told, and have to be waited for
   */
  readPoint(database: string, server: string | undefined, arrival: number): ReadPoint | Promise<ReadPoint> {
    const point = (changes: number | undefined): ReadPoint => ({
      at: performance.now(),
      invalidations: this.#invalidationsOf(database),
      changes,
    });
    const watch = server !== undefined && server === this.#watch?.server ? this.#watch : undefined;
    return watch ? watch.changes(arrival).then(point) : point(undefined);
  }

  /** The database's fingerprint, where it is fresh. */
  currentFingerprint(database: string, now: ReadPoint): string | undefined {
    const seen = this.#seen.get(database);
    return seen && this.isFresh(seen, now) ? seen.fingerprint : undefined;
  }

  /** The fingerprint that was seen last, fresh or not. */
  lastFingerprint(database: string): string | undefined {
    return this.#seen.get(database)?.fingerprint;
  }

  /** Whether what was seen `then` still holds: where the database notifies of changes, until there is one; else for `refresh`. */
  isFresh(then: ReadPoint, now: ReadPoint): boolean {
    if (then.changes !== now.changes) return false;
    return now.changes !== undefined || now.at - then.at < this.#refresh;
  }

  /**
   * A session saw this fingerprint in a transaction that had written nothing, and that looks at no older state: every
   * other session would see it too.
   * @param asked when it asked: a change that was made known since may be newer than the answer
   */
  recordFingerprint(database: string, fingerprint: string, asked: ReadPoint): void {
    if (asked.invalidations === this.#invalidationsOf(database))
      this.#seen.set(database, { ...asked, fingerprint });
  }

  /** Some session changed the schema, or may have: the next one that needs it looks again. */
  invalidate(database: string): void {
    this.outdate(database);
    this.#seen.delete(database);
  }

  /** Some session changed the schema, and not what was seen last: only what a session is being told may be older. */
  outdate(database: string): void {
    this.#invalidated.set(database, ++this.#invalidations);
  }

  #invalidationsOf(database: string): number {
    return this.#invalidated.get(database) ?? this.#forgotten;
  }

  /** Whether this text is logged of a database for the first time. */
  isNews(database: string, text: string): boolean {
    const key = `${database}\0${text}`;
    if (this.#logged.has(key)) return false;
    this.#logged.set(key, true);
    return true;
  }

  /** The graph of the catalog that has this fingerprint, for every session that sees that catalog. */
  get(database: string, fingerprint: string): KnownGraph | undefined {
    const known = this.#graphs.get(graphKey(database, fingerprint));
    this.#uses[known ? 'hits' : 'misses']++;
    return known;
  }

  /** How often a graph was there, and how often it had to be read. */
  get uses(): { readonly hits: number; readonly misses: number } {
    return this.#uses;
  }

  /** Of each database the graph that was seen last, with the time when it was (performance.now). */
  *lastSeen(): Iterable<{ readonly database: string; readonly at: number; readonly graph: Graph }> {
    for (const [database, { fingerprint, at }] of this.#seen.entries()) {
      const known = this.#graphs.peek(graphKey(database, fingerprint));
      if (known) yield { database, at, graph: known.graph };
    }
  }

  /**
   * Keeps a graph for every session that sees this fingerprint. It has to come from the same statement as the fingerprint,
   * and from a transaction that had written nothing: what others will never see must not be kept under a name that they
   * may come to see (docs/decisions.md, 21).
   * @param bytes of the answer that it was read from
   */
  set(database: string, fingerprint: string, graph: Graph, bytes: number): KnownGraph {
    const known = { ...this.ownGraph(graph), bytes };
    this.#graphs.set(graphKey(database, fingerprint), known);
    return known;
  }

  /**
   * A session that wants the graph of a fingerprint takes a turn: one session reads the catalog, and the others wait for it.
   * @returns undefined where another one has cached it; else what to call when it was read, or could not be
   */
  turn(database: string, fingerprint: string): Promise<(() => void) | undefined> {
    const key = graphKey(database, fingerprint);
    return this.#reads.take(key, () => this.#graphs.has(key));
  }

  /** A graph that one session alone may use. */
  ownGraph(graph: Graph): KnownGraph {
    GraphCache.#made++;
    return { id: `graph ${GraphCache.#made}`, graph };
  }
}

function graphKey(database: string, fingerprint: string): string {
  return `${database}\0${fingerprint}`;
}
