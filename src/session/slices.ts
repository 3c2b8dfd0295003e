/** Carries out work that comes in steps (plan/steps.ts): to plan what reaches thousands of tables takes long. */
import { Pace } from '../pace.js';
import type { Steps } from '../plan/steps.js';

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
