/** Long work on the event loop is done in slices, between which all other clients are served. */

/** In milliseconds. */
const SLICE = 8;
/** So many small items are worked off between two looks at the clock. */
const FEW = 64;

/** Slices take turns: however many works there are, one of them has a slice in each turn of the loop. */
let turn: Promise<unknown> = Promise.resolve();

/** Says when the slice of some work is over. */
export class Pace {
  #end = performance.now() + SLICE;

  /** @returns undefined as long as the slice lasts; then what to wait for before the next step */
  next(): Promise<void> | undefined {
    if (performance.now() < this.#end) return undefined;
    turn = turn.then(() => new Promise(setImmediate));
    return turn.then(() => {
      this.#end = performance.now() + SLICE;
    });
  }

  /** Goes through items, each of which is little work. */
  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    let done = 0;
    for (const item of items) {
      work(item);
      if (++done % FEW === 0) await this.next();
    }
  }
}

/**
 * Work that grows with the client's text or with what it reaches, in steps: behind each of them, which takes some
 * milliseconds at the most, others may come first. Whoever runs it decides.
 */
export type Steps<T> = Generator<undefined, T>;

/**
 * Carries out work that comes in steps.
 * @throws what the work throws
 */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  const pace = new Pace();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    const waiting = pace.next();
    if (waiting) await waiting;
  }
}
