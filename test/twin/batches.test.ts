/** Cascades in batches leave what enforced keys leave; where those undo all, no row references what is gone. */
import { expect, test } from 'vitest';
import { fuzz } from './fuzz.js';
import { reproduction } from './report.js';
import { OVERRIDES } from './schema-sql.js';
import { useTwins } from './use-twins.js';

const twins = useTwins({ cascade: { overrides: OVERRIDES, batch_rows: 2 } }, true);

// More with npm run test:fuzz -- --batch-rows 2.
test('random DELETEs in batches of two rows', async () => {
  const figures = await fuzz(twins(), {
    ...{ seed: 1, statements: 300, differences: 1, shrinkFor: 60_000 },
    which: 'deletes in batches',
  });
  expect(figures.differences.map(reproduction)).toEqual([]);
  const refused = [...figures.refused.values()].reduce((sum, count) => sum + count, 0);
  expect(refused).toBeLessThan(figures.statements * 0.6);
}, 300_000);
