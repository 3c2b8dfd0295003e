/** Schemas in which the obvious way to look at a table is the wrong one. */
import { describe, expect, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { askAll, RawClient, readable } from '../support/raw-client.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });
const twin = useTwin();
const { inSchema: asNative, makeSchema } = asNativeOn(twin);

/** The statement is refused with this name or message, and the query still finds all rows that the schema has made. */
async function isRefused(schema: string, name: string, sql: string, rows: string, all: string) {
  const client = await twin.connect();
  await makeSchema(client, schema);
  expect((await client.told(query(sql))).join()).toContain(name);
  const left = readable(await askAll(client, [rows]));
  expect(left.filter((each) => each.startsWith('D'))).toEqual([`D ${all}`]);
}

test('a row of a cycle that a trigger of its partition keeps is noticed', () =>
  isRefused(
    `CREATE TABLE t (id int PRIMARY KEY, up int) PARTITION BY RANGE (id);
     CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (10);
     CREATE TABLE high PARTITION OF t FOR VALUES FROM (10) TO (20);
     ALTER TABLE t ADD FOREIGN KEY (up) REFERENCES t ON DELETE CASCADE KEYS;
     INSERT INTO t VALUES (1, NULL), (11, 1), (2, 11), (3, 2);
     CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
     CREATE TRIGGER keep BEFORE DELETE ON high FOR EACH ROW EXECUTE FUNCTION keep()`,
    'PGC_KEPT',
    'DELETE FROM t WHERE id = 1',
    `SELECT string_agg(id::text, ' ' ORDER BY id) FROM t`,
    '1 2 3 11',
  ));

test('a view over one of two tables of a name is not taken for the other', () =>
  asNative(
    `DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other;
     CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other.t (id int PRIMARY KEY);
     CREATE TABLE c (t int REFERENCES other.t ON DELETE CASCADE KEYS);
     INSERT INTO t VALUES (1), (2); INSERT INTO other.t VALUES (1), (2); INSERT INTO c VALUES (1), (2);
     CREATE VIEW v AS SELECT id FROM t WHERE id IN (SELECT id FROM other.t);
     CREATE VIEW w AS SELECT id FROM other.t WHERE id IN (SELECT id FROM t)`,
    'DELETE FROM v WHERE id = 1',
    'SELECT t + 0 AS t FROM c ORDER BY t',
    'DELETE FROM w WHERE id = 2',
    'SELECT t + 0 AS t FROM c ORDER BY t',
  ));

test('a view that gives the columns of its table other names is not taken at their word', () =>
  isRefused(
    `CREATE TABLE t (id int PRIMARY KEY, other int);
     CREATE TABLE c (t int REFERENCES t ON DELETE CASCADE KEYS);
     INSERT INTO t VALUES (1, 2), (2, 1); INSERT INTO c VALUES (1), (2);
     CREATE VIEW v AS SELECT x.id, x.other FROM t AS x (other, id)`,
    'PGC_RELATION',
    'DELETE FROM v WHERE id = 1',
    `SELECT string_agg(t::text, ' ' ORDER BY t) FROM c`,
    '1 2',
  ));

test('a table that inherits does not go with a TRUNCATE ONLY', () =>
  isRefused(
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (other int REFERENCES p KEYS) INHERITS (p);
     INSERT INTO p VALUES (1); INSERT INTO c VALUES (5, 1)`,
    'cannot truncate a table referenced in a foreign key constraint',
    'TRUNCATE ONLY p',
    'SELECT count(*) FROM p',
    '2',
  ));

const BESIDE = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON DELETE RESTRICT KEYS);
  INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);`;

test.each([
  [
    'a partitioned table without partitions',
    'CREATE TABLE e (id int PRIMARY KEY) PARTITION BY RANGE (id);',
    'e',
  ],
  [
    'a view of nothing',
    'CREATE TABLE e (id int PRIMARY KEY); CREATE VIEW none AS SELECT id FROM e WHERE false;',
    'none',
  ],
])('a rule holds beside a DELETE from %s', (_, schema, name) =>
  asNative(
    `${BESIDE} ${schema} CREATE TABLE f (e int REFERENCES e ON DELETE CASCADE KEYS)`,
    `WITH a AS (DELETE FROM ${name}), b AS (DELETE FROM p) SELECT 1`,
    'SELECT * FROM p',
  ));

test('a new key that does not exist is that of the partition which holds the row', () =>
  asNative(
    `CREATE TABLE p (id int PRIMARY KEY);
     CREATE TABLE c (id int PRIMARY KEY, k int DEFAULT 3 REFERENCES p ON DELETE SET DEFAULT KEYS) PARTITION BY LIST (id);
     CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2);
     INSERT INTO p VALUES (1); INSERT INTO c VALUES (2, 1)`,
    'DELETE FROM p',
    'SELECT id + 0 AS id, k + 0 AS k FROM c',
  ));

describe('a relation of the configuration', () => {
  const proxy = useProxy({
    cascade: {
      relations: [{ name: 'k', from: 'public.below(up)', to: 'public.above(id)', on_delete: 'cascade' }],
    },
  });
  const database = useDatabase('CREATE TABLE made (id int PRIMARY KEY); CREATE TABLE below (up int)');

  test('is followed from the moment on that its table has its name', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(query('INSERT INTO made VALUES (1), (2); INSERT INTO below TABLE made'));
    const answer = await client.told(
      query('ALTER TABLE made RENAME TO above; DELETE FROM above WHERE id = 1'),
    );
    expect(answer).toContain('C DELETE 1');
    expect(await client.told(query('TABLE below'))).toContain('C SELECT 1');
  });
});

describe('a relation of the configuration to a view', () => {
  const proxy = useProxy({
    cascade: {
      relations: [{ name: 'k', from: 'public.below(up)', to: 'public.shown(id)', on_delete: 'cascade' }],
    },
  });
  const database = useDatabase('CREATE TABLE below (up int); CREATE VIEW shown AS SELECT 1 AS id');

  test('is broken, with a warning, as a DELETE from a view is one from its table', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(query('DELETE FROM below'));
    expect(proxy.log.join()).toContain(
      'k is broken, and every DELETE from public.shown is refused: public.shown is not a table',
    );
  });
});

test.each([
  "MERGE INTO t USING (VALUES (1), (2)) AS v (id) ON v.id = t.id WHEN MATCHED AND t.id = 2 THEN UPDATE SET note = 'x' WHEN MATCHED THEN DELETE",
  "WITH u AS (UPDATE t SET note = 'x' WHERE id = 2) DELETE FROM t WHERE id = 1",
  "WITH u AS (UPDATE v SET note = 'x' WHERE id = 2) DELETE FROM t WHERE id = 1",
])('rows of a table below, or behind a view, that the statement changes too are not cascaded in part: %s', (sql) =>
  isRefused(
    `CREATE TABLE t (id int PRIMARY KEY, note text);
     CREATE TABLE c (k int, PRIMARY KEY (id), FOREIGN KEY (k) REFERENCES c ON DELETE CASCADE KEYS) INHERITS (t);
     CREATE VIEW v AS SELECT * FROM c; INSERT INTO c VALUES (1, '', NULL), (2, '', 1)`,
    'PGC_FORM',
    sql,
    'SELECT count(*) FROM t',
    '2',
  ));
