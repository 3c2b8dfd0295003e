/** What is kept of clients' messages that are not whole, or that the server has not taken yet, of all sessions together. */

/** A session that keeps some of it. */
export interface Keeper {
  /** It keeps more than all others, and there is too much: it has to give it up. */
  outOfMemory(): void;
}

/** So much each session may keep uncounted: what it has read ahead, and short messages. One long message has room alone. */
const UNCOUNTED = 256 * 1024;

export class MessageMemory {
  readonly #limit: number;
  readonly #kept = new Map<Keeper, number>();
  #total = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes are kept at the moment, where they are counted. */
  get total(): number {
    return this.#total;
  }

  /** A session keeps so many bytes by now. Where that is too much, whoever keeps the most gives it up. */
  note(keeper: Keeper, bytes: number): void {
    const counted = Math.max(0, bytes - UNCOUNTED);
    const before = this.#kept.get(keeper) ?? 0;
    if (counted === before) return;
    this.#total += counted - before;
    if (counted > 0) this.#kept.set(keeper, counted);
    else this.#kept.delete(keeper);
    while (this.#total > this.#limit) this.#giveUpLargest();
  }

  #giveUpLargest(): void {
    let [largest, most]: readonly [Keeper | undefined, number] = [undefined, 0];
    for (const [keeper, bytes] of this.#kept) if (bytes > most) [largest, most] = [keeper, bytes];
    if (largest === undefined) return;
    this.#kept.delete(largest);
    this.#total -= most;
    largest.outOfMemory();
  }
}
