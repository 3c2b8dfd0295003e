/** Every way to write a DELETE: answered as on the enforced twin, or refused before anything is gone. */
import { describe, expect, test, vi } from 'vitest';
import { askAll, asNativeOn } from './as-native.js';
import {
  bind,
  closePortal,
  describePortal,
  execute,
  message,
  parse,
  query,
  run,
  sync,
} from './frontend-messages.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });
const twin = useTwin();

const { inSchema: asNative, makeSchema, queries: queriesAsNative } = asNativeOn(twin);

describe('RETURNING', () => {
  const lists = [
    '*',
    'id, id, name AS id, NULL AS id',
    `id + 1, upper(name) AS "Größe", 'it''s', name::varchar(3), $1::int`,
    'tableoid::regclass::text, orgs::text, orgs.*, public.orgs.name',
    'old.id, new.id, old.name',
    'WITH (OLD AS o, NEW AS n) o.id AS before, n.id AS after, o.name',
    '(SELECT count(*) FROM users WHERE org_id = orgs.id) AS users, (SELECT 1 WHERE false)',
    'id, (WITH returning AS (SELECT 1 AS id) SELECT id FROM returning)',
    '1 / (id - 1)',
  ];
  test.each(lists)('%s has the columns it has natively', async (list) => {
    const sql = `DELETE FROM orgs WHERE id IN (1, $1::int) RETURNING ${list}`;
    await twin.expectAsNative(async (client) => [
      ...(await client.ask(query('BEGIN'))),
      ...(await client.ask(query(sql.replaceAll('$1::int', '9')))),
      ...(await client.ask(query('ROLLBACK'))),
      ...(await client.ask(run(sql, ['9']), sync)),
    ]);
  });

  test('in binary, or in a format of its own for each column, is as natively', () =>
    twin.expectAsNative((client) => {
      // No names, no parameters; three formats for results.
      const mixed = message('B', Buffer.from('0000 00000000 0003 0001 0000 0001'.replaceAll(' ', ''), 'hex'));
      const prepare = (id: number) => parse(`DELETE FROM orgs WHERE id = ${id} RETURNING id, name, big`);
      client.send(prepare(1), bind({ binary: true }), describePortal(), execute(), sync);
      client.send(prepare(2), mixed, describePortal(), execute(), sync);
      return client.untilReady(2);
    }));

  const portal = [parse('DELETE FROM orgs WHERE id <= 3 RETURNING id'), bind({ portal: 'p' })];
  test.each([
    ['to its end', [execute('p', 2), execute('p', 2)]],
    ['to its end, one at a time', [1, 1, 1, 1].map((rows) => execute('p', rows))],
    ['and left', [execute('p', 1)]],
    ['and closed', [execute('p', 1), closePortal('p'), execute('p', 1)]],
  ])('fetched in portions %s has the tags it has natively', async (_, executes) => {
    await twin.expectAsNative((client) => client.ask(...portal, describePortal('p'), ...executes, sync));
  });
});

describe('a string of statements', () => {
  test.each([
    ';; DELETE FROM orgs WHERE id = 1 ; ; DELETE FROM orgs WHERE id < 4 RETURNING id;',
    'DELETE FROM orgs WHERE id = 1; INSERT INTO users VALUES (99, 2); DELETE FROM orgs WHERE id = 2',
    'DELETE FROM orgs WHERE id = 1; SELECT 1/0; DELETE FROM orgs WHERE id = 2',
    'DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 4; DELETE FROM orgs WHERE id = 2',
    'BEGIN; DELETE FROM orgs WHERE id = 1; COMMIT',
    'BEGIN; DELETE FROM orgs WHERE id = 1; COMMIT; DELETE FROM orgs WHERE id = 5',
    'DELETE FROM orgs WHERE id = 1; ROLLBACK',
    'DELETE FROM orgs WHERE id = 1; COMMIT; SELECT 1/0',
    'BEGIN; SAVEPOINT s; DELETE FROM orgs WHERE id = 1; ROLLBACK TO s; COMMIT',
    'DELETE FROM alone WHERE id = 1; DELETE FROM orgs WHERE id = 1; DELETE FROM alone WHERE id = 2',
  ])('is one transaction with a tag each: %s', async (text) => queriesAsNative(text, 'ROLLBACK'));
});

describe('a key that stops the DELETE', () => {
  test.each([
    ['by NO ACTION', 'DELETE FROM orgs WHERE id = 4'],
    ['by RESTRICT below a cascade', 'DELETE FROM orgs WHERE id = 5'],
    ['by RESTRICT, with RETURNING', 'DELETE FROM users WHERE id = 52 RETURNING *'],
    ['in the middle of many', 'DELETE FROM orgs'],
  ])('%s has the native error, and nothing is gone', (_, sql) => queriesAsNative(sql, `BEGIN; ${sql}`));

  test('as SET NULL of a NOT NULL column is 23502, with its table and column', () =>
    asNative(
      `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
       CREATE TABLE c (id int, p_id int NOT NULL REFERENCES p ON DELETE SET NULL KEYS);
       INSERT INTO c VALUES (7, 1)`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
    ));
});

test.each([
  'DELETE FROM orgs WHERE nonsense = 1',
  'DELETE FROM orgs WHERE id = 1 RETURNING id, nonsense',
  'SELECT 1; DELETE FROM orgs WHERE nonsense = 1',
  `SELECT 'é'; DELETE FROM orgs /* ü */ WHERE name = 'é' AND nonsense`,
  `/* 🐘🐘 */ DELETE FROM orgs WHERE name = '🐘' AND nonsense = 1`,
  `SELECT '🐘'; DELETE FROM orgs WHERE name = '🐘' RETURNING '🐘', nonsense`,
  `DELETE FROM orgs WHERE name = '🐘'; SELECT '🐘', nonsense`,
  `DELETE FROM orgs WHERE name = '🐘' RETURNING id; DELETE FROM orgs WHERE name = '🐘' OR nonsense`,
  `DELETE FROM orgs WHERE id = 'é'`,
  'DELETE FROM orgs o WHERE orgs.id = 1',
  'DELETE FROM orgs USING users WHERE id = 1',
  'DELETE FROM orgs WHERE count(*) > 1',
  'DELETE FROM orgs WHERE id = 1 RETURNING sum(id)',
  `SELECT '🐘'; DELETE FROM no_table`,
  'DELETE FROM orgs WHERE id = 1; SELEC 1',
  'DELETE FROM orgs WHERE id = 1 / 0',
  `DELETE FROM orgs WHERE id = 1 AND name::int = 1 RETURNING '🐘'`,
])('the error, its position included, is the native one: %s', async (text) => {
  await queriesAsNative(text);
  await twin.expectAsNative((client) => client.ask(run(text), sync));
});

describe('a DELETE inside of another statement is carried out as natively:', () => {
  test.each([
    `MERGE INTO orgs USING (VALUES (1)) v (id) ON v.id = orgs.id WHEN MATCHED THEN DELETE`,
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING *) SELECT * FROM d',
    'WITH d AS (DELETE FROM users WHERE id < 50) DELETE FROM orgs WHERE id = 1',
    'COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT',
    'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1; EXECUTE d (1); EXECUTE d (4); DEALLOCATE d',
    'TRUNCATE orgs CASCADE',
  ])('%s', (sql) => queriesAsNative(sql, `SELECT 1; ${sql}; SELECT 2`));

  test('EXPLAIN ANALYZE, but for what it tells', () =>
    twin.expectAsNative(async (client) => {
      const answers = await client.ask(query('EXPLAIN ANALYZE DELETE FROM orgs WHERE id = 1'));
      return answers.filter(({ type }) => type !== 'D');
    }));
});

describe('a form that is not expanded', () => {
  const view = 'CREATE VIEW shown AS SELECT * FROM public.orgs; CREATE VIEW over AS SELECT id FROM shown';
  const rule = `CREATE TABLE p (id int PRIMARY KEY, org int); CREATE RULE r AS ON DELETE TO p DO ALSO SELECT 1;
    CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1, 1)`;

  test.each([
    ['TRUNCATE', 'TRUNCATE orgs'],
    ['TRUNCATE of some', 'TRUNCATE alone, orgs, users'],
    ['a view', 'DELETE FROM s.shown WHERE id = 1', view],
    ['a view over a view', 'DELETE FROM s.over WHERE id = 1', view],
    ['a table with rules', 'DELETE FROM s.p', rule],
  ])('%s is refused by name with a hint, and deletes nothing', async (_, sql, schema = '') => {
    const client = await twin.connect();
    await makeSchema(client, schema);
    await askAll(client, ['RESET search_path']);
    const before = await twin.rowsLeft();
    for (const bytes of [[query(sql)], [query(`SELECT 1; ${sql}; SELECT 2`)], [run(sql), sync]]) {
      const told = await client.told(...bytes);
      expect(told.at(-2)).toMatch(/C=0A000 D=.*PGC_[A-Z]+\b.* H=\w/);
    }
    expect(await twin.rowsLeft()).toEqual(before);
    if (schema.includes('TABLE p')) expect(await client.told(query('SELECT id FROM s.p'))).toContain('D 1');
  });

  test('is none where it spares the tables with keys', () =>
    queriesAsNative(
      'TRUNCATE orgs, users, posts, notes, invoices, badges',
      'EXPLAIN (COSTS off) DELETE FROM orgs WHERE id = 1',
      'WITH d AS (DELETE FROM alone WHERE id = 1 RETURNING id) SELECT * FROM d',
      ...['PREPARE d AS DELETE FROM alone WHERE id = 2', 'EXECUTE d', 'DEALLOCATE d'],
    ));
});

test('a read-only transaction refuses a DELETE in its own words', () =>
  queriesAsNative('BEGIN READ ONLY; DELETE FROM orgs WHERE id = 1 RETURNING id', 'ROLLBACK'));

test.each([
  'DELETE FROM orgs WHERE id = 1 -- gone',
  'delete\n\tfrom/**/orgs\n\twhere id=1',
  '/* /* in */ out */ DELETE FROM orgs WHERE id = 1 /* ; */ ; -- end',
  'DELETE FROM orgs * WHERE id = 1',
  'DELETE FROM public . "orgs" AS "o -- x" WHERE "o -- x".id = 1 RETURNING "o -- x".id -- end',
  'DELETE FROM ONLY (orgs) o WHERE o.id = 1',
  `DELETE FROM orgs WHERE name = $r$org 1$r$ AND 'RETURNING' <> E'\\'' RETURNING/**/id`,
  `DELETE FROM orgs WHERE id IN (SELECT id FROM users AS returning) OR name = U&'org \\0031'`,
  'WITH RECURSIVE x (id) AS (VALUES (1) UNION SELECT id + 1 FROM x WHERE id < 3) DELETE FROM orgs USING x WHERE x.id = orgs.id',
  'BEGIN; DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id = 2; FETCH c; DELETE FROM orgs WHERE CURRENT OF c; COMMIT',
])('as natively, however it is written: %s', async (text) => queriesAsNative(text));
