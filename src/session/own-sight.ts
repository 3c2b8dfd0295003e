/**
 * What one session saw last of the catalog, for itself alone: in a transaction that has written something it may be what
 * nobody else ever sees.
 */
import type { GraphCache, KnownGraph, Moment } from '../graph/cache.js';

/** A state of the catalog. */
export interface Sight {
  readonly fingerprint: string;
  readonly known: KnownGraph;
}

interface Seen extends Sight {
  readonly asked: Moment;
  /** The transaction had written something. */
  readonly written: boolean;
}

export class OwnSight {
  #seen: Seen | undefined;
  /** The client has sent nothing since that could have changed it, or that was sent after a change of another's. */
  #untouched = false;

  /** The server was asked at this moment, and has answered. */
  record(seen: Seen): void {
    this.#seen = seen;
    this.#untouched = true;
  }

  /** Bytes came from the client, or something of the client's is being executed. */
  touch(): void {
    this.#untouched = false;
  }

  /** The transaction may be over, or the session itself has changed what it saw. */
  forget(): void {
    this.#seen = undefined;
  }

  /**
   * @param now what GraphCache.moment says
   * @returns what was seen, where it need not be asked for again
   */
  fresh(graphs: GraphCache, now: Moment): Sight | undefined {
    if (this.#seen === undefined) return undefined;
    // Parse and Bind that came in one go are one statement.
    if (this.#untouched && this.#seen.asked.changes === now.changes) return this.#seen;
    return this.#seen.written && graphs.isFresh(this.#seen.asked, now) ? this.#seen : undefined;
  }
}
