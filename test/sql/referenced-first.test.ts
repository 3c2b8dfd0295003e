/** The order of the CTEs of a WITH RECURSIVE is the one that PostgreSQL's own loop gives, however many there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { referencedFirst } from '../../src/sql/statement/referenced-first.js';

/** The loop of TopologicalSort (parse_cte.c), step by step: it takes the square of their number. */
function sorted(references: readonly ReadonlySet<number>[]): readonly number[] {
  const order = [...references.keys()];
  const left = references.map((each) => new Set(each));
  for (let i = 0; i < order.length; i++) {
    const free = order.findIndex((member, j) => j >= i && left[member]?.size === 0);
    const [one, other] = [order[i], order[free]];
    if (one === undefined || other === undefined) break;
    [order[i], order[free]] = [other, one];
    for (const each of left) each.delete(other);
  }
  return order;
}

test('the members stand as the loop leaves them, also where they refer to one another in a cycle', () => {
  const references = fc
    .integer({ min: 1, max: 12 })
    .chain((count) =>
      fc
        .array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count })
        .map((lists) => lists.map((list, i) => new Set(list.filter((each) => each !== i)))),
    );
  fc.assert(
    fc.property(references, (each) => {
      expect(referencedFirst(each)).toEqual(sorted(each));
    }),
    { numRuns: 2000 },
  );
});

test('a chain of 200,000, each of which refers to the next, is sorted', () => {
  const count = 200_000;
  const chain = Array.from({ length: count }, (_, i) => new Set(i + 1 < count ? [i + 1] : []));
  const order = referencedFirst(chain);
  expect(order.slice(0, 2)).toEqual([count - 1, count - 2]);
  expect(new Set(order).size).toBe(count);
});
