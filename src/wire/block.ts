const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Bytes that belong together and arrive in pieces. The memory grows by doubling: bytes that arrive one by one cost neither
 * an object each nor a copy of all for each, and the memory is at most twice what has arrived.
 */
export class Block {
  #buffer = NOTHING;
  #size = 0;

  /** What has arrived. Valid until the next `append`: copy what is kept. */
  get bytes(): Buffer {
    return this.#buffer.length === this.#size ? this.#buffer : this.#buffer.subarray(0, this.#size);
  }

  get size(): number {
    return this.#size;
  }

  /** How many bytes of memory the block takes. */
  get memory(): number {
    return this.#buffer.length;
  }

  /**
   * The first piece is kept as it is.
   * @param most how many bytes there can be at most
   */
  append(piece: Buffer, most = Number.POSITIVE_INFINITY): void {
    const size = this.#size + piece.length;
    if (this.#size === 0) {
      this.#buffer = piece;
    } else {
      if (size > this.#buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.min(2 * size, most));
        this.#buffer.copy(grown, 0, 0, this.#size);
        this.#buffer = grown;
      }
      piece.copy(this.#buffer, this.#size);
    }
    this.#size = size;
  }

  clear(): void {
    this.#buffer = NOTHING;
    this.#size = 0;
  }
}
