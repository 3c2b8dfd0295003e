/** Long work on the event loop is done in slices, so that all other clients are served meanwhile. */

/** Milliseconds without a break for what else there is to do. */
const SLICE = 10;

export class Breath {
  #since = performance.now();

  /** Lets other work be done where this has gone on for long enough. */
  async take(): Promise<void> {
    if (performance.now() - this.#since < SLICE) return;
    await new Promise(setImmediate);
    this.#since = performance.now();
  }

  /** Goes through items, many of them between two looks at the clock. */
  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    let done = 0;
    for (const item of items) {
      work(item);
      if (++done % 64 === 0) await this.take();
    }
  }
}
