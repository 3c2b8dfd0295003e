/** Rows that are written with keys which nobody enforces, and cascade.guard: check, against enforced keys. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { useDatabase } from '../../support/database.js';
import { useProxy } from '../../support/proxy.js';
import { fuzz } from '../fuzz.js';
import { reproduction } from '../report.js';
import { OVERRIDES } from '../schema-sql.js';
import { Twins } from '../twins.js';

const native = useDatabase();
const emulated = useDatabase();
const proxy = useProxy({ cascade: { overrides: OVERRIDES, guard: 'check' } });
let twins: Twins;
beforeAll(async () => {
  const server = inject('postgres');
  const other = { ...server, database: emulated.name };
  twins = await Twins.connect({ ...server, database: native.name }, other, {
    ...other,
    host: proxy.host,
    port: proxy.port,
  });
});
afterAll(() => twins?.end());

const SHOWN = ['insert', 'update', 'upsert', 'merge writes', 'insert: 23503', 'update: 23503'];

// More with npm run test:fuzz -- --writes.
test('random writes on random schemas do what they do natively', async () => {
  const which = 'writes of new keys' as const;
  const figures = await fuzz(twins, { seed: 2, which, statements: 200, differences: 1, shrinkFor: 60_000 });
  expect(figures.differences.map(reproduction)).toEqual([]);
  expect([...figures.shown.keys()]).toEqual(expect.arrayContaining(SHOWN));
  const refused = [...figures.refused.values()].reduce((sum, count) => sum + count, 0);
  expect(refused).toBeLessThan(figures.statements * 0.1);
}, 300_000);
