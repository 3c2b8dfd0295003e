/** An UPDATE of what a key references: one that leaves it as it is is answered as natively, one that changes it is refused. */
import { describe, expect, test } from 'vitest';
import { bind, execute, parse, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });

const KEPT = [
  "UPDATE orgs SET id = id, name = 'x'",
  "UPDATE orgs SET id = 1, name = 'x' WHERE id = 1 RETURNING *",
  "UPDATE orgs AS o SET (id, name) = (o.id, 'x') WHERE false",
  "INSERT INTO orgs VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id, name = EXCLUDED.name",
  "INSERT INTO orgs VALUES (1, 'x'), (3, 'y') ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id RETURNING id, name",
  "INSERT INTO orgs VALUES (3, 'y') ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id",
  `MERGE INTO orgs USING (VALUES (1), (3)) AS s (id) ON orgs.id = s.id
     WHEN MATCHED THEN UPDATE SET id = s.id, name = 'x' WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'y')`,
  "UPDATE pairs SET a = a, b = 'x' WHERE b = 'x' RETURNING old.a, new.b",
  'UPDATE users SET id = id, boss = 10, org_id = 2 RETURNING id',
  'UPDATE users SET id = id, boss = 99',
  'UPDATE orgs SET id = NULL WHERE id = 1',
  'UPDATE orgs SET id = 2 WHERE id = 1',
];
const CHANGED = [
  ['users_org_fkey', 'UPDATE orgs SET id = id + 10 WHERE id = 1'],
  ['users_org_fkey', "UPDATE orgs SET name = 'x', id = CASE id WHEN 7 THEN 8 ELSE id END"],
  ['users_org_fkey', 'INSERT INTO orgs VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 9'],
  [
    'users_org_fkey',
    'MERGE INTO orgs USING (VALUES (1)) AS s (id) ON orgs.id = s.id WHEN MATCHED THEN UPDATE SET id = 9',
  ],
  ['simple_fkey', "UPDATE pairs SET b = 'z' WHERE a = 1"],
  ['users_boss_fkey', 'UPDATE users SET id = 11 WHERE id = 10'],
] as const;

describe('a referenced key that stays', () => {
  test.each(KEPT)('%s', async (text) => {
    await twin.queries(text, 'SELECT * FROM orgs ORDER BY id', 'SELECT * FROM users ORDER BY id');
  });

  test('in the extended protocol', () =>
    twin.asNative((client) =>
      client.ask(
        parse('UPDATE orgs SET id = $1, name = $2 WHERE id = $1'),
        bind({ values: ['1', 'x'] }),
        execute(),
        sync,
      ),
    ));
});

test.each(CHANGED)('what %s references is not changed: %s', async (key, text) => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  const before = await client.query('SELECT * FROM orgs ORDER BY id');
  await expect(client.query(text)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining(`what key ${key} references`),
  });
  expect((await client.query('SELECT * FROM orgs ORDER BY id')).rows).toEqual(before.rows);
});
