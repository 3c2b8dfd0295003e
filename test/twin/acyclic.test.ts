import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { twinCase } from './model.js';
import { type Difference, Twins } from './twin.js';

/** `PGCASCADE_TWIN_SEED` repeats a run, `PGCASCADE_TWIN_CASES` makes it longer. */
const seed = Number(process.env.PGCASCADE_TWIN_SEED ?? 20261122);
const cases = Number(process.env.PGCASCADE_TWIN_CASES ?? 80);
const STATEMENTS = 8;

const database = useDatabase();
const proxy = useProxy();
let twins: Twins;
beforeAll(async () => {
  twins = await Twins.connect(database.url, proxy.url(database.name));
});
afterAll(() => twins?.end());

test(`${cases * STATEMENTS} generated statements over acyclic schemas do what they do natively`, async () => {
  const otherRules: Difference[] = [];
  await fc.assert(
    fc.asyncProperty(twinCase(STATEMENTS), async (given) => {
      const differences = await twins.compare(given);
      expect(differences.filter(({ kind }) => kind === 'defect')).toEqual([]);
      otherRules.push(...differences);
    }),
    { seed, numRuns: cases },
  );
  console.log(
    `twin: seed ${seed}, ${cases * STATEMENTS} statements, 0 defects, ` +
      `${otherRules.length} refused for another of several broken rules`,
  );
  expect(otherRules.length).toBeLessThanOrEqual(cases * STATEMENTS * 0.01);
}, 900_000);
