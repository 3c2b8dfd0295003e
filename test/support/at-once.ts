import type { Steps } from '../../src/pace.js';

/** Does all steps of some work, one after the other. @throws what the work throws */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
