/** Statements of seldom seen forms, and where they are executed in other circumstances than they were sent in. */
import { expect, test, vi } from 'vitest';
import { bind, execute, parse, query, run, sync } from '../support/frontend-messages.js';
import { askAll, type RawClient } from '../support/raw-client.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });
const twin = useTwin();
const { inSchema: asNative, queries: queriesAsNative } = asNativeOn(twin);

const PREPARES = 'PREPARE d AS DELETE FROM orgs WHERE id = 1';

/** A row of `z` references one of `b`, and both are deleted: whether in time only their order tells. */
const IN_TIME = `CREATE TABLE p (id int PRIMARY KEY);
  CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
  CREATE TABLE b (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS, a int REFERENCES a ON DELETE CASCADE KEYS);
  CREATE TABLE z (id int REFERENCES b ON DELETE CASCADE KEYS, p int REFERENCES p ON DELETE CASCADE KEYS, b int REFERENCES b KEYS);
  INSERT INTO p VALUES (1), (2), (3); INSERT INTO a SELECT id, id FROM p; INSERT INTO b SELECT id, id, id FROM p;
  INSERT INTO z SELECT id, id, id FROM p;`;

test('a COPY of a DELETE whose rules may be broken is carried out', () =>
  asNative(IN_TIME, 'COPY (DELETE FROM p WHERE id = 1 RETURNING id) TO STDOUT', 'TABLE z'));

test('a COPY of a DELETE that breaks a rule has the native error', async () => {
  const client = await twin.connect();
  const answer = await client.told(query('COPY (DELETE FROM orgs WHERE id = 4 RETURNING id) TO STDOUT'));
  expect(answer.join()).toContain('C=23503');
});

test.each([
  ['in autocommit', ['PREPARE d AS DELETE FROM orgs WHERE id = $1']],
  ['in a transaction', ['BEGIN', 'PREPARE d AS DELETE FROM orgs WHERE id = $1', 'COMMIT']],
])('what PREPARE has prepared %s is executed in all circumstances', (_, texts) =>
  twin.expectAsNative(async (client) => [
    ...(await askAll(client, [...texts, 'EXECUTE d(4)', 'EXECUTE d(1)', 'BEGIN'])),
    ...(await client.ask(run('EXECUTE d(2)'), sync)),
    ...(await askAll(client, ['COMMIT'])),
    ...(await client.ask(run('SELECT 1'), run('EXECUTE d(3)'), sync)),
    ...(await client.ask(run('EXECUTE d(5)'), sync)),
  ]));

test.each([
  ['in one pipeline', (client: RawClient) => client.ask(run(PREPARES), run('EXECUTE d'), sync)],
  [
    'in queries that do not wait',
    (client: RawClient) => {
      client.send(
        query(PREPARES),
        query('EXECUTE d'),
        query('DEALLOCATE d; PREPARE d AS SELECT 7'),
        query('EXECUTE d'),
      );
      return client.untilReady(4);
    },
  ],
  ['in one string', (client: RawClient) => client.ask(query(`SET work_mem = '1MB'; ${PREPARES}; EXECUTE d`))],
  ['in pieces', (client: RawClient) => client.ask(query(`SET search_path = public; ${PREPARES}; EXECUTE d`))],
  [
    'and dropped in one string',
    (client: RawClient) => askAll(client, [`${PREPARES}; DEALLOCATE d; PREPARE d AS SELECT 7`, 'EXECUTE d']),
  ],
])('what is prepared %s is what EXECUTE runs', (_, steps) => twin.expectAsNative(steps));

test.each([
  ['SET LOCAL search_path = public; DELETE FROM orgs WHERE id = 1; SHOW search_path', 'SHOW search_path'],
  ['DROP DATABASE nowhere; DELETE FROM orgs WHERE id = 1', 'SELECT 1'],
  [
    'BEGIN; SET search_path = public; DELETE FROM orgs WHERE id = 1; TABLE orgs',
    'ALTER TABLE orgs ADD x int; ROLLBACK',
  ],
  [
    'BEGIN; SET search_path = public; SELECT 1/0; DELETE FROM orgs',
    'ROLLBACK; DELETE FROM orgs WHERE id = 1',
  ],
])('%s is one string, and a transaction from its start', (...texts) => queriesAsNative(...texts));

test('after a string that went in pieces there is no unnamed statement', () =>
  twin.expectAsNative(async (client) => [
    ...(await client.ask(parse('SELECT 1'), sync)),
    ...(await client.ask(query('SET search_path = public; DELETE FROM orgs WHERE id = 1'))),
    ...(await client.ask(bind(), execute(), sync)),
  ]));

test('what a trigger says of a DELETE that breaks a rule is said once', () =>
  asNative(
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p KEYS);
     INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1);
     CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', OLD.id; RETURN OLD; END';
     CREATE TRIGGER say BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION say()`,
    'DELETE FROM p WHERE id = 2 RETURNING id',
    'DELETE FROM p',
  ));

const VIEW = `CREATE TABLE p (id int PRIMARY KEY, a int, b int);
  CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
  INSERT INTO p VALUES (1, 10, 100), (2, 20, 200); INSERT INTO c VALUES (1), (2);
  CREATE VIEW v AS SELECT b AS bb, id AS k FROM p;`;

test.each([
  'WITH d AS (DELETE FROM v WHERE k = 1 RETURNING *) SELECT bb + 1 AS bb, -k AS k FROM d',
  'COPY (DELETE FROM v WHERE k = 1 RETURNING *) TO STDOUT (HEADER)',
])('%s has the columns of the view', async (sql) => {
  await asNative(VIEW, sql, 'TABLE c');
});

test.each([
  `nullif(id, 5), least(id, 3), greatest(id, 3), CASE WHEN id = 1 THEN 3 ELSE id END, CASE WHEN id = 1 THEN 3 END`,
  `'1'::text::int, CASE WHEN id = 1 THEN 3 ELSE 4 END::int8, name::varchar, CASE WHEN true THEN 1 ELSE length(name) END::int8`,
  `EXISTS (SELECT 1), ARRAY(SELECT 1), (SELECT 1 AS one), (SELECT id), (SELECT 1), id IN (SELECT 1), id = ALL (SELECT 1)`,
])('a CTE that returns %s has columns of the native names', (list) =>
  queriesAsNative(`WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING ${list}) SELECT * FROM d`));

test('a table that is named beside another one of that name is told from it', () =>
  asNative(
    `DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other; CREATE TABLE other.p (id int); INSERT INTO other.p VALUES (1);
     CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
     INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2)`,
    'DELETE FROM s.p USING other.p WHERE s.p.id = other.p.id RETURNING s.p.*',
    'TABLE c',
  ));

test.each([
  'EXPLAIN ANALYZE DELETE FROM orgs WHERE id = 1',
  'COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT',
  'WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT 1',
])('%s in a transaction that only reads is refused as natively', (sql) =>
  queriesAsNative('BEGIN READ ONLY', sql, 'ROLLBACK'));

test.each([
  'DELETE FROM orgs WHERE id = 4 RETURNING id',
  'DELETE FROM orgs WHERE id = 1 RETURNING id',
  'SELECT 1 / 0',
])('after a SET in one string the columns are told when they are natively: %s', (sql) =>
  queriesAsNative(`SET search_path = public; ${sql}; SELECT 1`));

test.each([
  'DELETE FROM orgs WHERE id NOT /* a */ IN (1, 2)',
  "DELETE FROM orgs WHERE id = 1 AND 'a' NOT /* a */ LIKE 'b'",
  'WITH d AS (DELETE FROM orgs WHERE id < 3 RETURNING id) SELECT id FROM d ORDER BY id DESC NULLS /*\n*/ FIRST',
  "DELETE FROM orgs WHERE id = 1 AND now()::timestamp /* a */ < '3000-01-01'::timestamp WITH /* a */ TIME ZONE",
  `DELETE FROM U&"!006frgs" /* a */ UESCAPE /* b */ -- c
   '!' WHERE id = 1`,
  `DELETE FROM orgs WHERE id = 1 AND name = 'a'\n/* b */\n'c'`,
  `DELETE FROM orgs WHERE id = 1 AND name IS DISTINCT FROM 'a' /* b */ -- d\n'c'`,
  `DELETE FROM orgs WHERE id = 1 AND name IS DISTINCT FROM 'a' -- b\n'c' /* d */`,
  `DELETE FROM orgs WHERE id = 1 AND name IS DISTINCT FROM U&'!0061' /* a */ UESCAPE '!'`,
])('%s is the words that it is without the comments', (text) => queriesAsNative(text, 'TABLE users'));
