/**
 * The memory for clients' messages that are not whole, or that the server has not taken yet, of all sessions together. It has
 * a bound: else clients that send without an end could take the proxy down.
 */

import { ProxyError } from '../errors.js';

/** A session that takes some of the memory. */
export interface MemoryUser {
  /** @param error PGC_MEMORY: it takes more than all others, and there is too little. It has to give back what it takes. */
  end(error: ProxyError): void;
}

/** So much of a session is not counted: what it has read ahead, and short messages. One long message has room alone. */
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

  /** A session takes so many bytes by now. Where that is too much for all, whoever takes the most gives it back. */
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
