/** What the fuzzed writes have to find: guards with one mistake each. */
import { expect, inject, test, vi } from 'vitest';
import { useDatabase } from '../../support/database.js';
import { startProxy } from '../../support/proxy.js';
import { fuzz } from '../fuzz.js';
import { OVERRIDES } from '../schema-sql.js';
import { Twins } from '../twins.js';

type Mistake =
  | 'forgets the youngest key'
  | 'looks at nothing that an UPDATE sets'
  | 'knows no rows of its own';

const now = vi.hoisted((): { mistake: Mistake | undefined } => ({ mistake: undefined }));

vi.mock(import('../../../src/plan/guard.js'), async (load) => {
  const original = await load();
  const guardedKeys: typeof original.guardedKeys = (graph, relation, written) => {
    const sets = now.mistake === 'looks at nothing that an UPDATE sets' ? [] : written.sets;
    const keys = original.guardedKeys(graph, relation, { ...written, sets });
    if (now.mistake === 'forgets the youngest key') return keys.length > 1 ? keys.slice(0, -1) : keys;
    return now.mistake === 'knows no rows of its own'
      ? keys.map((key) => ({ ...key, own: undefined }))
      : keys;
  };
  return { ...original, guardedKeys };
});

const native = useDatabase();
const emulated = useDatabase();

test.each<Mistake>([
  'forgets the youngest key',
  'looks at nothing that an UPDATE sets',
  'knows no rows of its own',
])('a guard is found out that %s', async (mistake) => {
  now.mistake = mistake;
  const server = inject('postgres');
  const proxy = await startProxy({ cascade: { overrides: OVERRIDES, guard: 'check', copy: 'verify' } });
  const other = { ...server, database: emulated.name };
  const through = { ...other, host: proxy.host, port: proxy.port };
  const twins = await Twins.connect({ ...server, database: native.name }, other, through);
  try {
    const options = { which: 'writes of new keys', keys: 'emulated', differences: 1, shrinkFor: 0 } as const;
    const figures = await fuzz(twins, { seed: 3, statements: 400, ...options });
    expect(figures.differences).toHaveLength(1);
  } finally {
    twins.end();
    await proxy.stop();
    now.mistake = undefined;
  }
}, 120_000);
