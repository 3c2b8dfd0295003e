/** Work in slices: the event loop goes on between them, and several works take turns. */
import { expect, test } from 'vitest';
import type { Steps } from '../../src/pace.js';
import { inSlices } from '../../src/pace.js';

/** So many steps, each longer than a slice. */
function* work(steps: number, onStep: () => void = () => {}): Steps<string> {
  for (let step = 0; step < steps; step++) {
    for (const end = performance.now() + 10; performance.now() < end; );
    onStep();
    yield;
  }
  return 'done';
}

test('the event loop goes on between slices', async () => {
  const events: string[] = [];
  const tick = () => {
    events.push('other');
    if (events.length < 100) setImmediate(tick);
  };
  setImmediate(tick);
  expect(await inSlices(work(3, () => events.push('step')))).toBe('done');
  expect(events.join(' ')).toMatch(/^step( other)+ step( other)+ step/);
});

test('works that are done at the same time have one slice in a turn of the loop', async () => {
  const events: string[] = [];
  let working = true;
  const turn = () => {
    events.push('turn');
    if (working) setImmediate(turn);
  };
  const works = [1, 2, 3].map(() => inSlices(work(3, () => events.push('step'))));
  events.length = 0;
  setImmediate(turn);
  await Promise.all(works);
  working = false;
  expect(events.join(' ')).not.toContain('step step');
});

test('what is short is done at once', () => {
  let done = false;
  function* short(): Steps<void> {
    yield;
    done = true;
  }
  void inSlices(short());
  expect(done).toBe(true);
});

test('an error of the work is the error of all', async () => {
  function* broken(): Steps<void> {
    yield;
    throw new Error('broken');
  }
  await expect(inSlices(broken())).rejects.toThrow('broken');
});
