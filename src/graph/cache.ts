/**
 * The graphs of all databases, least recently used out first.
 *
 * A graph is known by its fingerprint, so it can be shared by all sessions that see the same catalog, and one that
 * changed the schema in its open transaction simply sees another. What is remembered per database is which
 * fingerprint was seen last, and when.
 */
import { LRUCache } from 'lru-cache';
import type { Graph } from './model.js';

const MOST_GRAPHS = 64;
const MOST_DATABASES = 1024;

/** How things stood before a session asked: what it is told is no newer than this. */
export interface Moment {
  readonly at: number;
  readonly invalidations: number;
}

export class GraphCache {
  readonly #graphs = new LRUCache<string, Graph>({ max: MOST_GRAPHS });
  readonly #seen = new LRUCache<string, { fingerprint: string; at: number }>({ max: MOST_DATABASES });
  readonly #refresh: number;
  #invalidations = 0;

  /** @param refresh how long a fingerprint is trusted, in milliseconds */
  constructor(refresh: number) {
    this.#refresh = refresh;
  }

  /** To be taken before a question is asked. */
  moment(): Moment {
    return { at: performance.now(), invalidations: this.#invalidations };
  }

  /** The database's fingerprint, unless it is unknown or older than `refresh`. */
  fresh(database: string): string | undefined {
    const seen = this.#seen.get(database);
    return seen && performance.now() - seen.at < this.#refresh ? seen.fingerprint : undefined;
  }

  /**
   * A session saw this fingerprint with nothing of its own uncommitted.
   * @param asked when it asked: a change that was made known since may be newer than the answer
   */
  saw(database: string, fingerprint: string, asked: Moment): void {
    if (asked.invalidations === this.#invalidations) this.#seen.set(database, { fingerprint, at: asked.at });
  }

  /** Some session changed the schema, or may have: the next one that needs it looks again. */
  invalidate(database: string): void {
    this.#invalidations++;
    this.#seen.delete(database);
  }

  graph(database: string, fingerprint: string): Graph | undefined {
    return this.#graphs.get(`${database}\0${fingerprint}`);
  }

  keep(database: string, fingerprint: string, graph: Graph): void {
    this.#graphs.set(`${database}\0${fingerprint}`, graph);
  }
}
