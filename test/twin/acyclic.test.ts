import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { twinCase } from './model.js';
import { OVERRIDES } from './sql.js';
import { type Difference, Twins } from './twin.js';

/**
 * `PGCASCADE_TWIN_SEED` repeats a run, `PGCASCADE_TWIN_CASES` makes it longer, and `PGCASCADE_TWIN_SHRINK` looks for the
 * smallest case that fails, which takes minutes.
 */
const seed = Number(process.env.PGCASCADE_TWIN_SEED ?? 20261122);
const cases = Number(process.env.PGCASCADE_TWIN_CASES ?? 80);
const shrink = Boolean(process.env.PGCASCADE_TWIN_SHRINK);
const STATEMENTS = 8;

const database = useDatabase();
const proxy = useProxy({ cascade: { overrides: OVERRIDES } });
let twins: Twins;
beforeAll(async () => {
  twins = await Twins.connect(database.url, proxy.url(database.name));
});
afterAll(() => twins?.end());

describe.each([
  { keys: 'NOT ENFORCED keys', overridden: false },
  { keys: 'enforced NO ACTION keys that overrides turn into actions', overridden: true },
])('on a server with $keys', ({ keys, overridden }) => {
  const statements = cases * STATEMENTS;
  test(`${statements} generated statements over acyclic schemas do what they do natively`, async () => {
    const otherRules: Difference[] = [];
    await fc.assert(
      fc.asyncProperty(twinCase(STATEMENTS, overridden), async (given) => {
        const differences = await twins.compare(given);
        expect(differences.filter(({ kind }) => kind === 'defect')).toEqual([]);
        otherRules.push(...differences);
      }),
      { seed, numRuns: cases, endOnFailure: !shrink },
    );
    console.log(
      `twin, ${keys}: seed ${seed}, ${statements} statements, 0 defects, ` +
        `${otherRules.length} refused for another of several broken rules`,
    );
    expect(otherRules.length).toBeLessThanOrEqual(statements * 0.01);
  }, 900_000);
});
