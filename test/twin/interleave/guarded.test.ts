/** Several clients at once under cascade.guard: check and cascade.locks: rows, against enforced keys. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { useDatabase } from '../../support/database.js';
import { useProxy } from '../../support/proxy.js';
import { EACH, interleave } from './interleave.js';
import type { Sides } from './lockstep.js';
import { reproduction } from './report.js';
import { CLIENTS, settingsOf } from './settings.js';
import { Side } from './side.js';

const native = useDatabase();
const other = useDatabase();
const proxy = useProxy({ cascade: { guard: 'check', locks: 'rows' } });
let sides: Sides;
beforeAll(async () => {
  const server = inject('postgres');
  const at = { ...server, database: native.name };
  const direct = { ...server, database: other.name };
  const through = { ...direct, host: proxy.host, port: proxy.port };
  const settings = settingsOf('read committed');
  sides = {
    native: await Side.connect(at, at, CLIENTS, settings),
    proxied: await Side.connect(direct, through, CLIENTS, settings),
  };
});
afterAll(() => {
  for (const side of Object.values(sides ?? {})) side.end();
});

// More: npm run test:interleave -- --guarded.
test('nobody leaves an orphan, and all that clients get is as natively, or differs in a known way', async () => {
  const options = { keys: 'emulated', keepsSnapshot: false, guarded: true } as const;
  const figures = await interleave(sides, { seed: 1, runs: 24, ...options });
  expect(figures.differences.map(reproduction)).toEqual([]);
  expect(figures.waited).toBeGreaterThan(0);
  expect(figures.orphans).toBe(0);
}, 120_000);

test.each([
  [41_001, 11, 'another row'],
  [41_001, 154, 'deadlock through locks'],
  [41_001, 183, 'after the locks'],
  [99_828, 16, 'rule at once'],
  [51_001, 1, 'sent again'],
] as const)(
  'seed %i, scenario %i has a difference that is known: %s',
  async (seed, first, kind) => {
    const options = { keys: 'emulated', keepsSnapshot: false, guarded: true } as const;
    const figures = await interleave(sides, { seed, first, runs: EACH, ...options });
    expect(figures.differences.map(reproduction)).toEqual([]);
    expect(figures.kinds.get(kind)).toBe(1);
  },
  120_000,
);
