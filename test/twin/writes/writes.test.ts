/** Rows that are written with keys which nobody enforces, and cascade.guard: check, against enforced keys. */
import { expect, test } from 'vitest';
import { fuzz } from '../fuzz.js';
import { reproduction } from '../report.js';
import { OVERRIDES } from '../schema-sql.js';
import { useTwins } from '../use-twins.js';

const twins = useTwins({ cascade: { overrides: OVERRIDES, guard: 'check', copy: 'verify' } });

const SHOWN = [
  'insert',
  'update',
  'upsert',
  'merge writes',
  'copy in',
  'insert: 23503',
  'update: 23503',
  'view: narrow',
  'CHECK OPTION',
];

// More with npm run test:fuzz -- --writes.
test('random writes on random schemas do what they do natively', async () => {
  const which = 'writes' as const;
  const figures = await fuzz(twins(), { seed: 2, which, statements: 200, differences: 1, shrinkFor: 60_000 });
  expect(figures.differences.map(reproduction)).toEqual([]);
  expect([...figures.shown.keys()]).toEqual(expect.arrayContaining(SHOWN));
  const refused = [...figures.refused.values()].reduce((sum, count) => sum + count, 0);
  expect(refused).toBeLessThan(figures.statements * 0.1);
}, 300_000);
