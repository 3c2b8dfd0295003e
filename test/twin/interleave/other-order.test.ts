import { describe, expect, test } from 'vitest';
import type { Ended, Trace, Turn } from './lockstep.js';
import { areFreedTogether, isOtherOrder } from './other-order.js';
import { type Parting, partingOf } from './parting.js';
import type { Operation, Schema } from './scenario.js';
import type { Wait } from './side.js';
import type { Trials } from './trials.js';

/** t1 references t0. */
const keys = [
  { name: 'k', from: 1, column: 'f0', to: 0, action: 'CASCADE', fallback: null, indexed: false },
] as const;
const schema: Schema = {
  tables: [
    { keys: [], rows: [] },
    { keys, rows: [] },
  ],
  keys,
};
const deletion = (table: number): Operation => ({
  ...{ table, extended: false, kind: 'delete', where: { kind: 'v', v: 1 }, returning: false },
});
const touch: Operation = { table: 1, extended: false, kind: 'touch', id: 1, v: 1 };

const done = (at: number): Ended => ({ answer: ['C DONE 1.', 'Z T'], circle: [], at });
const victim = (at: number, ...circle: readonly Wait[]): Ended => ({
  answer: ['E C=40P01', 'Z E'],
  circle,
  at,
});
const waits = (client: number, by: number): Wait => ({ client, by });

function turn(client: number, operation: Operation | undefined, native: Ended, proxied: Ended): Turn {
  return { client, step: { bytes: Buffer.alloc(0), shown: '', operation }, native, proxied };
}

type Before = {
  readonly [K in 'native' | 'proxied']?: readonly (readonly [number, readonly Wait[]])[] | undefined;
};

/** @param before who waits for whom after a number of turns, on each side */
function isKnown(
  turns: readonly Turn[],
  before: Before = {},
  is: (trace: Trace, parting: Parting) => boolean = (trace, parting) =>
    isOtherOrder(trace, parting, { schema } as Trials),
): boolean {
  const { native = [], proxied = [] } = before;
  const trace: Trace = {
    turns,
    waits: { native: new Map(native), proxied: new Map(proxied) },
    ...{ parted: undefined, left: { native: [], proxied: [] }, orphans: [] },
  };
  const parting = partingOf(trace);
  if (!parting) throw new Error('the sides do not part');
  return is(trace, parting);
}

describe('a deadlock on one side', () => {
  const closing = (waiting: Operation, circle: readonly Wait[] = [waits(1, 0), waits(0, 1)]) => [
    turn(2, touch, done(1), done(1)),
    turn(0, waiting, done(3), done(4)),
    turn(1, touch, victim(3, ...circle), done(3)),
    turn(1, undefined, done(4), done(4)),
  ];

  test('is known where a DELETE of what is referenced is in the circle', () => {
    expect(isKnown(closing(deletion(0)))).toBe(true);
  });

  test('and not where it takes nothing below, or only stands beside the circle, or is none', () => {
    expect(isKnown(closing(deletion(1)))).toBe(false);
    expect(isKnown(closing(deletion(0), [waits(1, 2), waits(2, 1)]))).toBe(false);
    expect(isKnown(closing(touch))).toBe(false);
  });

  test('and not where both sides have one', () => {
    const [first, second, , last] = closing(deletion(0)) as [Turn, Turn, Turn, Turn];
    const circle = [waits(1, 0), waits(0, 1)];
    const both = turn(1, touch, victim(3, ...circle), { ...victim(3, ...circle), answer: ['E C=40P01'] });
    expect(isKnown([first, second, both, last])).toBe(false);
  });
});

describe('a step that waits on one side', () => {
  const waiting = (operation: Operation) => [
    turn(0, touch, done(1), done(1)),
    turn(1, operation, done(4), done(4)),
    turn(2, touch, done(3), done(4)),
    turn(0, undefined, done(4), done(4)),
  ];
  const first = [2, [waits(1, 0)]] as const;

  test('is known where it waits for a DELETE that waits', () => {
    const proxied = [first, [3, [waits(1, 0), waits(2, 1)]]] as const;
    expect(isKnown(waiting(deletion(0)), { native: [first], proxied })).toBe(true);
    expect(isKnown(waiting(touch), { native: [first], proxied })).toBe(false);
    expect(isKnown(waiting(deletion(1)), { native: [first], proxied })).toBe(false);
  });

  test('and not where it waits for somebody else', () => {
    const proxied = [first, [3, [waits(1, 0), waits(2, 0)]]] as const;
    expect(isKnown(waiting(deletion(0)), { native: [first], proxied })).toBe(false);
  });
});

describe('of two that have waited another one goes on first', () => {
  const released = (operation: Operation) => [
    turn(0, touch, done(1), done(1)),
    turn(1, operation, done(4), done(5)),
    turn(2, touch, done(5), done(4)),
    turn(0, undefined, done(4), done(4)),
    turn(0, undefined, done(5), done(5)),
  ];
  const both = [3, [waits(1, 0), waits(2, 0)]] as const;

  test('where both wait for who has let go, and one is a DELETE', () => {
    expect(isKnown(released(deletion(0)), { native: [both], proxied: [both] })).toBe(true);
    expect(isKnown(released(touch), { native: [both], proxied: [both] })).toBe(false);
  });

  test('and not where one waits for somebody else', () => {
    const other = [3, [waits(1, 0)]] as const;
    expect(isKnown(released(deletion(0)), { native: [both], proxied: [other] })).toBe(false);
  });
});

describe('two are woken by the end of one transaction, and another one goes on first on each side', () => {
  const turns = [
    turn(0, touch, done(1), done(1)),
    turn(1, touch, done(4), done(5)),
    turn(2, touch, done(5), done(4)),
    turn(0, undefined, done(4), done(4)),
    turn(0, undefined, done(5), done(5)),
  ];
  const before = [3, [waits(1, 0), waits(2, 0)]] as const;
  const natively = [4, [waits(2, 1)]] as const;
  const here = [4, [waits(1, 2)]] as const;
  const are = (native: Before['native'], proxied: Before['proxied']) =>
    isKnown(turns, { native, proxied }, areFreedTogether);

  test('is known where both wait for its end alone, and the later one for the first', () => {
    expect(are([before, natively], [before, here])).toBe(true);
    expect(isKnown(turns, { native: [before, natively], proxied: [before, here] })).toBe(false);
  });

  test('and not where one stood behind the other in a queue', () => {
    const queued = [3, [waits(1, 0), waits(2, 0), waits(2, 1)]] as const;
    expect(are([queued, natively], [before, here])).toBe(false);
    expect(are([before, natively], [queued, here])).toBe(false);
  });

  test('and not where the later one waits for somebody else, or for nobody', () => {
    expect(are([before, natively], [before])).toBe(false);
    expect(are([before, natively], [before, [4, [waits(1, 0)]]])).toBe(false);
    expect(are([before], [before, here])).toBe(false);
  });

  test('and not where the same one goes on first', () => {
    const same = turns.with(2, turn(2, touch, done(5), { ...done(5), answer: ['E C=40001', 'Z E'] }));
    const both = { native: [before, natively], proxied: [before, natively] };
    expect(isKnown(same.with(1, turn(1, touch, done(4), done(4))), both, areFreedTogether)).toBe(false);
  });
});
