/** Does work in slices, between which the event loop goes on: to plan what reaches thousands of tables takes long. */
import type { Steps } from '../plan/steps.js';

/** In milliseconds. */
const SLICE = 8;

/** Slices take turns: however many are at work, there is one of them in each turn of the loop. */
let turn: Promise<unknown> = Promise.resolve();

/** @throws what the work throws */
export async function inSlices<T>(work: Steps<T>): Promise<T> {
  for (let end = performance.now() + SLICE; ; ) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() < end) continue;
    turn = turn.then(() => new Promise(setImmediate));
    await turn;
    end = performance.now() + SLICE;
  }
}
