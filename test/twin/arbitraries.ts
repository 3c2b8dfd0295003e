/** Pieces of what fast-check generates. Each shrinks towards its first value, which is the plainest one. */
import fc from 'fast-check';

/** One of the values, as often as it is heavy. */
export function pick<T>(...choices: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> {
  return fc.constantFrom(
    ...choices.flatMap(([weight, value]) => Array.from({ length: weight }, () => value)),
  );
}

/** True once in so many times. */
export function once(times: number): fc.Arbitrary<boolean> {
  return pick([times - 1, false], [1, true]);
}

/** A number that stands for one of many things; what is counted modulo their number later. */
export const place = fc.nat(59);

/** One of the values that ids and codes have. */
export const value = fc.integer({ min: 1, max: 6 });
