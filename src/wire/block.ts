const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Bytes that belong together and arrive in pieces. The memory grows by doubling: bytes that arrive one by one cost neither
 * an object each nor a copy of all for each, and the memory is at most twice what has arrived.
 */
export class Block {
  #memory = NOTHING;
  #size = 0;

  /** What has arrived. Valid until the next `append`: copy what is kept. */
  get bytes(): Buffer {
    return this.#memory.length === this.#size ? this.#memory : this.#memory.subarray(0, this.#size);
  }

  get size(): number {
    return this.#size;
  }

  /** How many bytes of memory the block takes. */
  get kept(): number {
    return this.#memory.length;
  }

  /**
   * The first piece is kept as it is.
   * @param most how many bytes there can be at the most
   */
  append(piece: Buffer, most = Number.POSITIVE_INFINITY): void {
    const size = this.#size + piece.length;
    if (this.#size === 0) {
      this.#memory = piece;
    } else {
      if (size > this.#memory.length) {
        const grown = Buffer.allocUnsafeSlow(Math.min(2 * size, most));
        this.#memory.copy(grown, 0, 0, this.#size);
        this.#memory = grown;
      }
      piece.copy(this.#memory, this.#size);
    }
    this.#size = size;
  }

  clear(): void {
    this.#memory = NOTHING;
    this.#size = 0;
  }
}
