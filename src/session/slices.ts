/** Does work in slices, between which the event loop goes on: to plan what reaches thousands of tables takes long. */
import type { Steps } from '../plan/steps.js';

/** In milliseconds. */
const SLICE = 8;

/** Slices take turns: however many are at work, there is one of them in each turn of the loop. */
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
}

/** @throws what the work throws */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  const pace = new Pace();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    const waiting = pace.next();
    if (waiting) await waiting;
  }
}
