/** What is written through views that PostgreSQL inserts into and changes by itself, with cascade.guard: check, is looked at as natively. */
import { describe, expect, test } from 'vitest';
import { bind, describeStatement, execute, parse, run, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY, name text, region int DEFAULT 1);
  CREATE TABLE users (id int PRIMARY KEY, org int CONSTRAINT users_org_fkey REFERENCES orgs ON UPDATE CASCADE KEYS,
    boss int CONSTRAINT users_boss_fkey REFERENCES users KEYS, name text);
  CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
  CREATE TABLE halves (id int PRIMARY KEY, a int, b int, c int DEFAULT 1 CONSTRAINT halves_c_fkey REFERENCES orgs KEYS,
    CONSTRAINT halves_fkey FOREIGN KEY (a, b) REFERENCES pairs KEYS);
  CREATE TABLE parts (id int, org int CONSTRAINT parts_org_fkey REFERENCES orgs KEYS) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
  CREATE TABLE strict (org int CONSTRAINT strict_org_fkey REFERENCES orgs ON UPDATE RESTRICT KEYS);
  CREATE VIEW people AS SELECT id AS no, upper(name) AS loud, name, org AS firm, boss AS "Chef" FROM users;
  CREATE VIEW few AS SELECT no, firm, name FROM people WHERE no < 50 WITH CHECK OPTION;
  CREATE VIEW twofold AS SELECT id, org AS a, org AS b FROM users;
  CREATE VIEW top AS SELECT id, a FROM twofold;
  CREATE VIEW nameless AS SELECT id, name FROM users;
  CREATE VIEW headless AS SELECT org, boss, name FROM users;
  CREATE VIEW half AS SELECT id, a, c FROM halves;
  CREATE VIEW third AS SELECT id, a FROM halves;
  CREATE VIEW halved AS SELECT id, a, b, c FROM halves;
  CREATE VIEW firms WITH (security_invoker) AS SELECT name AS title, id AS no FROM orgs;
  CREATE VIEW barred WITH (security_barrier) AS SELECT * FROM orgs WHERE region = 1;
  CREATE VIEW pieces AS SELECT * FROM parts;
  CREATE VIEW placed AS SELECT tableoid, id, org FROM parts;
  CREATE VIEW joined AS SELECT users.id, org FROM users JOIN orgs ON orgs.id = org;
  CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE VIEW triggered AS SELECT id, org FROM users;
  CREATE TRIGGER instead INSTEAD OF INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION instead();
  CREATE VIEW ruled AS SELECT id, org FROM users;
  CREATE RULE ruled AS ON INSERT TO ruled DO INSTEAD NOTHING;
  CREATE VIEW over_triggered AS SELECT id, org FROM triggered;`;
const ROWS = `
  TRUNCATE orgs, users, pairs, halves, parts, strict;
  INSERT INTO orgs VALUES (1, 'one'), (2, 'two'), (4, 'four'); INSERT INTO orgs VALUES (3, 'three', 2);
  INSERT INTO users VALUES (10, 1, NULL, 'ten'), (20, 2, 10, 'twenty');
  INSERT INTO pairs VALUES (1, 1);
  INSERT INTO halves VALUES (1, 1, 1);
  INSERT INTO parts VALUES (1, 1);
  INSERT INTO strict VALUES (4);`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);
const MERGE = `MERGE INTO people USING (VALUES (10, 2), (30, 1)) AS v (id, org) ON people.no = v.id
  WHEN MATCHED THEN UPDATE SET firm = v.org WHEN NOT MATCHED THEN INSERT (no, firm) VALUES (v.id, v.org)`;

describe('a simple query', () => {
  test.each([
    'INSERT INTO people (no, firm) VALUES (30, 1), (31, 2)',
    'INSERT INTO people (no, firm) VALUES (30, 1), (31, 99)',
    'INSERT INTO people (no, firm, "Chef") VALUES (30, 1, 31), (31, 2, 30) RETURNING *',
    'INSERT INTO people (no, firm, "Chef") VALUES (30, 1, 32), (31, 2, 30) RETURNING *',
    'INSERT INTO people AS p (no, firm) VALUES (10, 2) ON CONFLICT (no) DO UPDATE SET firm = excluded.firm RETURNING p.no, old.firm, new.firm',
    'INSERT INTO people (no, firm) VALUES (10, 99) ON CONFLICT (no) DO UPDATE SET firm = excluded.firm',
    'INSERT INTO people (no, firm) VALUES (10, 99) ON CONFLICT DO NOTHING',
    "INSERT INTO people (no, loud) VALUES (30, 'x')",
    'UPDATE people SET firm = 2',
    'UPDATE people SET firm = 99 WHERE no = 20 RETURNING no',
    'UPDATE people SET "Chef" = no',
    "UPDATE people SET name = 'x' RETURNING *",
    'UPDATE people SET no = no + 100, "Chef" = "Chef" + 100',
    'UPDATE people SET no = 11 WHERE no = 10',
    'UPDATE people SET no = 21 WHERE no = 20 RETURNING old.no, new.*',
    'INSERT INTO few VALUES (30, 1)',
    'INSERT INTO few VALUES (30, 99)',
    'INSERT INTO few VALUES (60, 99)',
    'UPDATE few SET firm = 99',
    'UPDATE few SET no = 60 WHERE no = 20',
    'UPDATE few SET no = 22, firm = 1 WHERE no = 20',
    'UPDATE top SET a = 99 WHERE id = 10',
    'UPDATE top SET a = 2 WHERE id = 10',
    'INSERT INTO twofold (id, a) VALUES (30, 99)',
    'INSERT INTO twofold (id, b) VALUES (30, 1) RETURNING *',
    "INSERT INTO nameless VALUES (30, 'x')",
    'UPDATE nameless SET name = id',
    'INSERT INTO half VALUES (2, 99) RETURNING *',
    'INSERT INTO halved (id, a, b) VALUES (2, 1, 1), (3, 1, NULL)',
    'INSERT INTO halved (id, a, b) VALUES (2, 1, 2)',
    'INSERT INTO halved (id, c) VALUES (2, 9)',
    'UPDATE firms SET no = no + 10 WHERE no < 3',
    'UPDATE firms SET no = 40 WHERE no = 4',
    "UPDATE firms SET title = 'x', no = 1 WHERE no = 1",
    'UPDATE barred SET id = 11 WHERE id = 1 RETURNING *',
    'UPDATE barred SET id = 33 WHERE id = 3',
    'INSERT INTO barred VALUES (2) ON CONFLICT (id) DO UPDATE SET id = 22 RETURNING id',
    MERGE,
    MERGE.replace('10, 2', '10, 99'),
    `${MERGE.replace('30, 1', '30, 99')} RETURNING merge_action(), people.*`,
    'MERGE INTO firms USING (VALUES (1, 11), (5, 5)) AS v (id, n) ON no = v.id WHEN MATCHED THEN UPDATE SET no = v.n WHEN NOT MATCHED THEN INSERT (no) VALUES (v.n)',
    'INSERT INTO placed (id, org) VALUES (1, 1), (2, 2)',
    'INSERT INTO placed (id, org) VALUES (1, 1), (2, 99)',
    'UPDATE placed SET org = 98',
    "WITH f AS (INSERT INTO firms VALUES ('five', 5) RETURNING *) INSERT INTO people (no, firm) SELECT 30, no FROM f",
    "WITH f AS (INSERT INTO firms VALUES ('five', 5) RETURNING *) INSERT INTO people (no, firm) SELECT 30, no + 1 FROM f",
    'WITH p AS (UPDATE people SET firm = 2 RETURNING *) SELECT * FROM p',
    'WITH p AS (UPDATE people SET firm = 99 WHERE no = 20) SELECT 1',
    'COPY (INSERT INTO people (no, firm) VALUES (30, 1) RETURNING *) TO STDOUT',
    'INSERT INTO joined VALUES (30, 1)',
  ])('%s', async (text) => {
    await twin.queries(text);
  });

  test('in a transaction, and of several statements', () =>
    twin.queries(
      "BEGIN; INSERT INTO firms VALUES ('five', 5); INSERT INTO people (no, firm) VALUES (30, 5)",
      'UPDATE firms SET no = 6 WHERE no = 5; SELECT firm FROM people WHERE no = 30',
      'COMMIT; INSERT INTO people (no, firm) VALUES (31, 5)',
      'PREPARE p AS INSERT INTO people (no, firm) VALUES ($1, $2) RETURNING *',
      'EXECUTE p (40, 1)',
      'EXECUTE p (41, 99)',
    ));
});

test('the extended protocol', () =>
  twin.asNative((client) =>
    client.ask(
      parse('INSERT INTO people (no, firm) VALUES ($1, $2) RETURNING no, loud, firm'),
      describeStatement(),
      bind({ values: ['30', '1'] }),
      execute(),
      run('UPDATE firms SET no = $1 WHERE no = $2', ['11', '1']),
      run('UPDATE people SET firm = $1', ['99']),
      sync,
    ),
  ));

test.each([
  ['a trigger inserts', 'INSERT INTO triggered VALUES (30, 1)'],
  ['a trigger below inserts', 'INSERT INTO over_triggered VALUES (30, 1)'],
  ['a rule inserts', 'INSERT INTO ruled VALUES (30, 1)'],
  ['which row of it is referenced is not shown', 'INSERT INTO headless VALUES (1, 10)'],
  ['a default that is referenced is not shown', 'INSERT INTO third VALUES (2, 99)'],
  ['the rest of a key is not shown', 'UPDATE half SET a = 2'],
  ['the partition is not shown', 'INSERT INTO pieces VALUES (1, 1)'],
])('where %s, a statement on a view is refused by name', async (_, text) => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(client.query(text)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('view'),
  });
});
