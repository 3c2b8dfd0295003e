import { expect, test } from 'vitest';
import { Rounds } from '../../src/graph/watch/rounds.js';

/** Rounds that end when they are told to. */
function rounds() {
  const ends: (() => void)[] = [];
  const made = new Rounds(
    () =>
      new Promise((resolve) => {
        ends.push(resolve);
      }),
  );
  const ended: string[] = [];
  const wait = (name: string, begun = made.begun) => made.after(begun).then(() => ended.push(name));
  /** Ends the round that is under way, and lets all that follows from it happen. */
  const end = () => {
    ends.shift()?.();
    return new Promise((resolve) => setImmediate(resolve));
  };
  return { made, wait, end, ended };
}

test('whoever comes during a round trip waits for the next, and all of them for the same', async () => {
  const { made, wait, end, ended } = rounds();
  wait('first');
  wait('second');
  wait('third');
  expect(made.begun).toBe(1);
  await end();
  expect([made.begun, ended]).toEqual([2, ['first']]);
  await end();
  expect([made.begun, ended]).toEqual([2, ['first', 'second', 'third']]);
});

test('what came before a round trip that is over does not wait again', async () => {
  const { made, wait, end, ended } = rounds();
  const early = made.begun;
  wait('first');
  await end();
  wait('early', early);
  await end();
  expect([made.begun, ended]).toEqual([1, ['first', 'early']]);
});
