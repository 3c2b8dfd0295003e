/** cascade.guard: check. New keys are looked at as an enforced key looks at them, with its answers and errors. */
import { describe, expect, test } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });

describe('an INSERT', () => {
  test('of keys that are there has the native tag', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) VALUES (30, 1), (31, 2)',
      'INSERT INTO users (id) VALUES (32)',
    ));

  test('of a key that is not there is refused with the native error', async () => {
    const answers = await twin.queries('INSERT INTO users (id, org_id) VALUES (30, 1), (31, 99)');
    expect(answers.join()).toMatch(/23503.*users_org_fkey/s);
  });

  test('of NULL passes', () => twin.queries('INSERT INTO users VALUES (30, NULL, NULL, NULL)'));

  test('names the row and the key that natively come first', () =>
    twin.queries(
      'INSERT INTO users VALUES (30, 1, 99, NULL), (31, 99, 10, NULL)',
      'INSERT INTO users VALUES (30, 99, 99, NULL)',
    ));

  test('names what is checked at once before what is deferred, whichever row it is of', () =>
    twin.queries(
      'INSERT INTO late VALUES (1, 99, 99)',
      'INSERT INTO late VALUES (1, 99, 10), (2, 1, 99)',
      'INSERT INTO late VALUES (1, 99, 10), (2, 98, 10)',
      'INSERT INTO late VALUES (1, 1, 10), (2, 2, 10)',
      'UPDATE late SET org = 99, boss = id + 10',
      'MERGE INTO late USING (VALUES (1, 99, 10), (3, 1, 99)) AS v (id, org, boss) ON late.id = v.id WHEN MATCHED THEN UPDATE SET org = v.org WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.org, v.boss)',
    ));

  test('of rows that reference each other passes', () =>
    twin.queries(
      'INSERT INTO users VALUES (30, 1, 31, NULL), (31, 1, 30, NULL)',
      'INSERT INTO users VALUES (40, 1, 40, NULL)',
      'INSERT INTO users VALUES (50, 1, 51, NULL), (52, 1, 50, NULL)',
    ));

  test('with RETURNING gives the native rows and columns', () =>
    twin.queries(
      "INSERT INTO users (id, org_id, name) VALUES (30, 1, 'x') RETURNING *",
      'INSERT INTO users AS u (id, org_id) VALUES (31, 1) RETURNING u.id + 1 AS next, u.org_id, 5',
      'INSERT INTO users (id, org_id) VALUES (32, 99) RETURNING id',
      'INSERT INTO users (id, org_id) SELECT 33, 1 WHERE false RETURNING id',
    ));

  test('with OLD and NEW in its RETURNING gives the native rows', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) VALUES (30, 1) RETURNING old.id, new.id',
      `INSERT INTO users (id, org_id) VALUES (10, 2) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id
        RETURNING old.org_id, new.org_id`,
      `INSERT INTO users (id, org_id) VALUES (10, 1) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id
        RETURNING WITH (OLD AS was) was.org_id, new.org_id`,
      `INSERT INTO users (id, org_id) VALUES (10, 99) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id
        RETURNING WITH (NEW AS "is") "is".org_id`,
    ));

  test('of several rows has the error of a later row before that of a key', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) VALUES (30, 99), (10, 1)',
      'INSERT INTO users (id, org_id) SELECT g, 99 FROM generate_series(30, 20, -10) AS g',
      'INSERT INTO users (id, org_id) VALUES (generate_series(30, 20, -10), 99)',
    ));

  test('of VALUES in which a function gives several rows has the native tag', () =>
    twin.queries('INSERT INTO users (id, org_id) VALUES (generate_series(30, 33), 1)'));

  test('of a SELECT, after a WITH, and of defaults is looked at', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) SELECT g, g - 29 FROM generate_series(30, 31) AS g',
      'WITH n (id) AS (VALUES (41)) INSERT INTO users (id, org_id) SELECT id, 1 FROM n',
      'WITH RECURSIVE n (id) AS (VALUES (42) UNION SELECT id + 1 FROM n WHERE id < 44) INSERT INTO users (id, org_id) SELECT id, id FROM n',
      'INSERT INTO users (id) SELECT 60',
      'INSERT INTO users (id, org_id) SELECT g, g FROM generate_series(70, 79) AS g',
    ));

  test('with ON CONFLICT is looked at', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) VALUES (10, 99) ON CONFLICT DO NOTHING',
      'INSERT INTO users (id, org_id) VALUES (10, 99) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id',
      'INSERT INTO users (id, org_id) VALUES (10, 2) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id',
      "INSERT INTO users (id, org_id) VALUES (10, 99) ON CONFLICT (id) DO UPDATE SET name = 'x' WHERE users.id > 0",
    ));

  test('of a key of other types is looked at', () =>
    twin.queries(
      'INSERT INTO wide VALUES (1, 1)',
      'INSERT INTO wide VALUES (2, 9999999999)',
      'INSERT INTO wide VALUES (3, 99)',
    ));

  test('of a MATCH SIMPLE key of several columns is looked at where none is NULL', () =>
    twin.queries(
      "INSERT INTO simple VALUES (2, 2, 'y'), (3, NULL, 'q'), (4, 5, NULL)",
      "INSERT INTO simple VALUES (5, 1, 'y')",
    ));

  test('of a MATCH FULL key that is NULL in part is refused', () =>
    twin.queries(
      `INSERT INTO "Full" VALUES (2, 2, 'y'), (3, NULL, NULL)`,
      `INSERT INTO "Full" VALUES (4, NULL, 'y')`,
      `INSERT INTO "Full" VALUES (5, 1, 'y')`,
    ));

  test('into a partitioned table names the partition', () =>
    twin.queries(
      'INSERT INTO parts VALUES (1, 1), (2, 99)',
      'INSERT INTO parts_1 VALUES (1, 99)',
      'INSERT INTO parts VALUES (2, 2) RETURNING *',
    ));

  test('that the server refuses has its error, and the position in the client’s text', () =>
    twin.queries(
      'INSERT INTO users (id, org_id) VALUES (10, 1)',
      'INSERT INTO users (id, nothing) VALUES (30, 1)',
      'INSERT INTO users (id, org_id) VALUES (30, 1) RETURNING nothing',
      'BEGIN READ ONLY; INSERT INTO users (id, org_id) VALUES (30, 1)',
    ));

  test('that is refused leaves its transaction failed', () =>
    twin.queries(
      'BEGIN',
      'INSERT INTO orgs VALUES (3)',
      'INSERT INTO users (id, org_id) VALUES (30, 3)',
      'SAVEPOINT s',
      'INSERT INTO users (id, org_id) VALUES (31, 4)',
      'SELECT 1',
      'ROLLBACK TO s',
      'COMMIT',
    ));

  test('in a string of several statements is looked at', () =>
    twin.queries(
      'INSERT INTO orgs VALUES (3); INSERT INTO users (id, org_id) VALUES (30, 3); SELECT 1',
      'INSERT INTO orgs VALUES (4); INSERT INTO users (id, org_id) VALUES (31, 5); SELECT 1',
      'DELETE FROM orgs WHERE id = 2; INSERT INTO users (id, org_id) VALUES (31, 2)',
      'SET search_path = public; INSERT INTO users (id, org_id) VALUES (40, 99)',
    ));

  test('into a table without keys passes', () =>
    twin.queries('INSERT INTO alone VALUES (1, 99) RETURNING *', 'UPDATE alone SET org = 98'));
});

describe('an UPDATE', () => {
  test('to keys that are there, and to NULL, has the native tag', () =>
    twin.queries('UPDATE users SET org_id = 2', 'UPDATE users SET org_id = NULL, boss = 20 WHERE id = 10'));

  test('to a key that is not there is refused with the native error', () =>
    twin.queries(
      'UPDATE users SET org_id = 99 WHERE id = 20',
      "UPDATE users AS u SET (name, org_id) = (SELECT 'x', 99) FROM orgs WHERE u.id = 20 AND orgs.id = 1 RETURNING u.*, orgs.name",
      'UPDATE users SET boss = 99',
      'UPDATE wide SET org = 99; SELECT 1',
      'UPDATE parts SET org = 99 WHERE id = 2',
      `UPDATE "Full" SET a = NULL`,
    ));

  test('of rows to each other is looked at as natively', () =>
    twin.queries(
      'UPDATE users SET boss = 20',
      'UPDATE users SET boss = id',
      'INSERT INTO users (id, boss) VALUES (10, 20), (20, 10) ON CONFLICT (id) DO UPDATE SET boss = excluded.boss',
    ));

  test('of a table and of what inherits from it is looked at in each', () =>
    twin.queries(
      'UPDATE plants SET host = CASE WHEN id < 5 THEN 2 ELSE 6 END',
      'UPDATE plants SET host = 2',
      'UPDATE plants SET host = 5',
      'UPDATE ONLY plants SET host = 5',
      'INSERT INTO plants VALUES (3, 1, 9)',
    ));

  test('that moves rows to a partition with a key of its own is looked at', () =>
    twin.queries(
      'UPDATE spots SET id = 2',
      'UPDATE spots SET id = 2 WHERE org = 1 RETURNING *',
      'UPDATE spots SET id = 1',
    ));

  test('of other columns, or to the same key, passes', () =>
    twin.queries("UPDATE users SET name = 'x'", 'UPDATE users SET org_id = org_id RETURNING id, org_id'));
});

describe('a MERGE', () => {
  test('is looked at where it inserts and changes', () =>
    twin.queries(
      `MERGE INTO users AS u USING (VALUES (10, 2), (30, 1)) AS v (id, org) ON u.id = v.id
        WHEN MATCHED THEN UPDATE SET org_id = v.org WHEN NOT MATCHED THEN INSERT (id, org_id) VALUES (v.id, v.org)`,
      `MERGE INTO users AS u USING (VALUES (10, 99)) AS v (id, org) ON u.id = v.id
        WHEN MATCHED THEN UPDATE SET org_id = v.org WHEN NOT MATCHED THEN DO NOTHING`,
      `MERGE INTO users AS u USING (VALUES (40, 99)) AS v (id, org) ON u.id = v.id
        WHEN NOT MATCHED THEN INSERT (id, org_id) VALUES (v.id, v.org) RETURNING merge_action(), u.id`,
    ));
});

test('a key that an UPDATE leaves as it is may reference nothing', async () => {
  const { database } = twin.emulated;
  const direct = await database.connect();
  await direct.query('INSERT INTO users VALUES (30, 99, NULL, NULL)');
  const client = await twin.proxy.connect(database.name);
  await client.query("UPDATE users SET org_id = org_id, name = 'x' WHERE id = 30");
  await client.query("INSERT INTO users VALUES (30, 1) ON CONFLICT (id) DO UPDATE SET name = 'y'");
  expect((await direct.query('SELECT org_id, name FROM users WHERE id = 30')).rows).toEqual([
    { org_id: 99, name: 'y' },
  ]);
  await direct.end();
});

test.each([['COPY FROM', 'COPY users FROM STDIN']])('%s is refused: %s', async (form, text) => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(client.query(text)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining(`the keys that ${form} writes in`),
  });
});

test('a key with a PERIOD is refused where it is written', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await client.query(`BEGIN; CREATE TABLE stays (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
    CREATE TABLE meals (room int4range, during daterange, note text,
      FOREIGN KEY (room, PERIOD during) REFERENCES stays (room, PERIOD during) NOT ENFORCED)`);
  await client.query("UPDATE meals SET note = 'x'");
  const insert = client.query("INSERT INTO meals VALUES ('[1,2)', '[2000-01-01,2000-02-01)')");
  await expect(insert).rejects.toMatchObject({ code: '0A000' });
  await client.query('ROLLBACK');
});

test('a key in part of columns that only an inheriting table has is refused', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(client.query('UPDATE plants SET a = 9')).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('UPDATE of a parent writes in "public"."trees"'),
  });
});

test('text after the statement', () =>
  twin.asNative((client) => client.ask(query('INSERT INTO users (id, org_id) VALUES (30, 1) -- a comment'))));
