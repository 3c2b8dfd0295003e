/** Random numbers that come again with their seed. */
export class Random {
  #state: number;

  /** @param seed two that differ only in their last bits give unlike numbers */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
    this.below(1);
  }

  /** From 0 to less than `bound`: mulberry32, of which 32 bits of state are enough for a few thousand cases. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** @throws where there is none to pick from */
  pick<T>(choices: readonly T[]): T {
    const [chosen] = choices.slice(this.below(choices.length));
    if (chosen === undefined) throw new Error('there is nothing to pick from');
    return chosen;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
