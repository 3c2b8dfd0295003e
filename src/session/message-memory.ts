/**
 * The memory that all sessions together use for clients' messages that are not whole, or that the server has not taken yet. It has a
 * bound: else clients that send without an end could take the proxy down.
 */

import { ProxyError } from '../errors.js';

/** A session that uses some of the memory. */
export interface MemoryUser {
  /** Ends the session that uses the most, where there is too little for all. @param error PGC_MEMORY */
  end(error: ProxyError): void;
}

/** Bytes of each session that are not counted: what it has read ahead, and short messages. */
const UNCOUNTED = 256 * 1024;

export class MessageMemory {
  readonly #limit: number;
  readonly #taken = new Map<MemoryUser, number>();
  #total = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes are taken at the moment, of those that are counted. */
  get total(): number {
    return this.#total;
  }

  /** A session uses so many bytes now. Where that is too much for all, the sessions that use the most are ended. */
  note(user: MemoryUser, bytes: number): void {
    const counted = Math.max(0, bytes - UNCOUNTED);
    const before = this.#taken.get(user) ?? 0;
    if (counted === before) return;
    this.#total += counted - before;
    if (counted > 0) this.#taken.set(user, counted);
    else this.#taken.delete(user);
    while (this.#total > this.#limit) this.#endLargest();
  }

  #endLargest(): void {
    let [largest, most]: readonly [MemoryUser | undefined, number] = [undefined, 0];
    for (const [user, bytes] of this.#taken) if (bytes > most) [largest, most] = [user, bytes];
    if (largest === undefined) return;
    this.#taken.delete(largest);
    this.#total -= most;
    largest.end(new ProxyError('PGC_MEMORY'));
  }
}
