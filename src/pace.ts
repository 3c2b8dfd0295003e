/** Long work on the event loop is done in slices, between which all other clients are served. */

/** In milliseconds. */
const SLICE = 8;
/** How many small items are worked on between two looks at the clock. */
const FEW = 64;

/** Slices wait for each other: however many pieces of work there are, each turn of the event loop runs one slice of one. */
let turn: Promise<unknown> = Promise.resolve();

/** Says when the slice of some work is over. */
export class Pace {
  #end = performance.now() + SLICE;

  /** @returns undefined as long as the slice lasts; then a promise to await before the next step */
  next(): Promise<void> | undefined {
    if (performance.now() < this.#end) return undefined;
    turn = turn.then(() => new Promise(setImmediate));
    return turn.then(() => {
      this.#end = performance.now() + SLICE;
    });
  }

  /** Does `work` for each item, where the work for one item is short. */
  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    let done = 0;
    for (const item of items) {
      work(item);
      if (++done % FEW === 0) await this.next();
    }
  }
}

/**
 * Work that grows with the client's text or with the tables that a DELETE reaches, in steps of some milliseconds at the
 * most. The caller decides whether other clients are served between two steps.
 */
export type Steps<T> = Generator<undefined, T>;

/**
 * Runs all steps of some work, and serves other clients between its slices.
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
