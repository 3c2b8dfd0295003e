import { expect, test } from 'vitest';
import { PATTERNS_SHOWN } from './coverage.js';
import { fuzz } from './fuzz.js';
import { reproduction } from './report.js';
import { OVERRIDES } from './schema-sql.js';
import { useTwins } from './use-twins.js';

const twins = useTwins({ cascade: { overrides: OVERRIDES } });

// Another seed is gone through in mutations.test.ts; more with npm run test:fuzz.
test('random statements on random schemas do what they do natively', async () => {
  const figures = await fuzz(twins(), { seed: 1, statements: 600, differences: 1, shrinkFor: 60_000 });
  expect(figures.differences.map(reproduction)).toEqual([]);
  expect([...figures.shown.keys()]).toEqual(expect.arrayContaining([...PATTERNS_SHOWN]));
  const refused = [...figures.refused.values()].reduce((sum, count) => sum + count, 0);
  expect(refused).toBeLessThan(figures.statements * 0.05);
}, 300_000);
