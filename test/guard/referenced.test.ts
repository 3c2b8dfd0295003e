/** An UPDATE that sets what a key references to what it is: it is answered as natively. */
import { describe, test } from 'vitest';
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
