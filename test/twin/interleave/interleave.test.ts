/** Several clients at once, natively and through the proxy: what differs is of a kind that docs/differences.md names. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { useDatabase } from '../../support/database.js';
import { useProxy } from '../../support/proxy.js';
import { OVERRIDES } from '../schema-sql.js';
import { interleave } from './interleave.js';
import type { Sides } from './lockstep.js';
import { reproduction } from './report.js';
import { CLIENTS, settingsOf } from './settings.js';
import { Side } from './side.js';

const native = useDatabase();
const other = useDatabase();
const proxy = useProxy({ cascade: { overrides: OVERRIDES } });
const opened: Side[] = [];

async function connect(isolation: string): Promise<Sides> {
  const server = inject('postgres');
  const at = { ...server, database: native.name };
  const direct = { ...server, database: other.name };
  const through = { ...direct, host: proxy.host, port: proxy.port };
  const settings = settingsOf(isolation);
  const sides = {
    native: await Side.connect(at, at, CLIENTS, settings),
    proxied: await Side.connect(direct, through, CLIENTS, settings),
  };
  opened.push(sides.native, sides.proxied);
  return sides;
}

const levels = ['read committed', 'repeatable read'] as const;
const sides = new Map<string, Sides>();
beforeAll(async () => {
  for (const level of levels) sides.set(level, await connect(level));
});
afterAll(() => {
  for (const side of opened.splice(0)) side.end();
});

// More, with other seeds: npm run test:interleave.
test.each(
  levels.flatMap((isolation) =>
    (['emulated', 'overridden'] as const).map((keys) => [isolation, keys] as const),
  ),
)(
  'in %s with %s keys all that clients get is as natively, or differs in a known way',
  async (isolation, keys) => {
    const both = sides.get(isolation);
    if (!both) throw new Error(`no connections in ${isolation}`);
    const keepsSnapshot = isolation !== 'read committed';
    const figures = await interleave(both, { seed: 1, runs: 16, keys, keepsSnapshot });
    expect(figures.differences.map(reproduction)).toEqual([]);
    expect(figures.waited).toBeGreaterThan(0);
    if (keys === 'overridden') expect(figures.orphans).toBe(0);
  },
  120_000,
);
