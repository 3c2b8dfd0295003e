/** What the interleavings have to find: proxies with one mistake each. */
import { expect, inject, test, vi } from 'vitest';
import { useDatabase } from '../../support/database.js';
import { startProxy } from '../../support/proxy.js';
import { OVERRIDES } from '../schema-sql.js';
import { EACH, interleave, type Keys } from './interleave.js';
import { CLIENTS, settingsOf } from './settings.js';
import { Side } from './side.js';

interface Mutant {
  readonly sendsOnce?: boolean;
  readonly forgetsKey?: boolean;
}

const now = vi.hoisted((): { mutant: Mutant } => ({ mutant: {} }));

vi.mock(import('../../../src/session/execute/retry-policy.js'), async (load) => {
  const original = await load();
  return {
    ...original,
    get MOST_ATTEMPTS() {
      const most = now.mutant.sendsOnce ? 1 : original.MOST_ATTEMPTS;
      return most as typeof original.MOST_ATTEMPTS;
    },
  };
});

vi.mock(import('../../../src/render/single/actions/deletions.js'), async (load) => {
  const original = await load();
  const renderDeletions: typeof original.renderDeletions = (plan, locking) => {
    const enforced = plan.keys.some(({ enforcedByServer }) => enforcedByServer);
    const sql = original.renderDeletions(plan, locking);
    return now.mutant.forgetsKey && !enforced
      ? sql.map((cte) => cte.replace('WHERE', 'WHERE r.v = 1 AND'))
      : sql;
  };
  return { ...original, renderDeletions };
});

/** One scenario with its interleavings. */
const SEARCH = { seed: 300, runs: EACH, keepsSnapshot: false } as const;
/** Within so many interleavings each mistake has to be seen. */
const MOST = 64;
const native = useDatabase();
const other = useDatabase();

test.each<[string, Keys, Mutant]>([
  ['does not send a DELETE again that was overtaken', 'overridden', { sendsOnce: true }],
  ['leaves children whose key is not enforced', 'emulated', { forgetsKey: true }],
])(
  'a proxy is found out that %s',
  async (_, keys, mutant) => {
    now.mutant = mutant;
    const server = inject('postgres');
    const proxy = await startProxy({ cascade: { overrides: OVERRIDES } });
    const at = { ...server, database: native.name };
    const direct = { ...server, database: other.name };
    const settings = settingsOf('read committed');
    const sides = {
      native: await Side.connect(at, at, CLIENTS, settings),
      proxied: await Side.connect(
        direct,
        { ...direct, host: proxy.host, port: proxy.port },
        CLIENTS,
        settings,
      ),
    };
    try {
      let [runs, differences] = [0, 0];
      for (let first = 0; differences === 0 && runs < MOST; first++) {
        const figures = await interleave(sides, { ...SEARCH, first, keys });
        runs += figures.interleavings;
        differences += figures.differences.length;
      }
      expect(differences).toBeGreaterThan(0);
    } finally {
      for (const side of Object.values(sides)) side.end();
      await proxy.stop();
      now.mutant = {};
    }
  },
  120_000,
);
