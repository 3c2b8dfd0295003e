import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { twinCase } from './model.js';
import { Twins } from './twin.js';

/** `PGCASCADE_TWIN_SEED` repeats a run, `PGCASCADE_TWIN_CASES` makes it longer. */
const seed = Number(process.env.PGCASCADE_TWIN_SEED ?? 20261122);
const cases = Number(process.env.PGCASCADE_TWIN_CASES ?? 80);
const STATEMENTS = 8;

const database = useDatabase();
let proxy: Proxy;
let twins: Twins;
beforeAll(async () => {
  proxy = await startProxy({ upstream: database.url });
  twins = await Twins.connect(database.url, proxy.url(database.name));
});
afterAll(async () => {
  await twins?.end();
  await proxy?.stop();
});

test(`${cases * STATEMENTS} generated statements over acyclic schemas do what they do natively`, async () => {
  await fc.assert(
    fc.asyncProperty(twinCase(STATEMENTS), async (given) => {
      expect(await twins.compare(given)).toBeUndefined();
    }),
    { seed, numRuns: cases, endOnFailure: false, interruptAfterTimeLimit: 300_000 },
  );
}, 600_000);
