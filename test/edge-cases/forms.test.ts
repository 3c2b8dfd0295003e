/** In how many ways a DELETE can be written. */

import { describe, expect, test, vi } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn, on } = useSides();
const ofSample = (...texts: readonly string[]) => same(SAMPLE, ...texts);

const DELETED = 'DELETE FROM orgs WHERE id = 1 RETURNING id';
describe('40 a DELETE in a WITH', () => {
  test.each([
    ['cascades', `WITH d AS (${DELETED}, name) SELECT * FROM d`],
    ['whose rows nobody reads cascades', `WITH d AS (${DELETED}) SELECT 1`],
    ['without RETURNING cascades', 'WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT 1'],
    ['with names for its columns', `WITH d (a, b) AS (${DELETED}, name) SELECT b, a FROM d`],
    [
      'whose rows are joined with the old snapshot',
      `WITH d AS (${DELETED}) SELECT count(*) FROM d JOIN users ON org_id = d.id`,
    ],
    [
      'beside others',
      `WITH d AS (${DELETED}), e AS (DELETE FROM orgs WHERE id = 2 RETURNING id), f AS (DELETE FROM alone RETURNING id) SELECT * FROM d UNION ALL SELECT * FROM e UNION ALL SELECT * FROM f`,
    ],
    [
      'of a parent, beside one of its child',
      `WITH d AS (${DELETED}), e AS (DELETE FROM users WHERE id = 21 RETURNING id) SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM e)`,
    ],
    [
      'of a parent, beside one of the same child rows',
      `WITH d AS (${DELETED}), e AS (DELETE FROM users WHERE org_id = 2 RETURNING id) SELECT (SELECT count(*) FROM e)`,
    ],
    [
      'that feeds an INSERT',
      `WITH d AS (${DELETED}, name) INSERT INTO alone SELECT 100 + id, name FROM d RETURNING *`,
    ],
    [
      'that feeds an UPDATE of another table',
      `WITH d AS (${DELETED}, name) UPDATE alone SET name = d.name FROM d WHERE d.id = alone.id`,
    ],
    [
      'of a DELETE, feeding its WHERE',
      'WITH d AS (DELETE FROM users WHERE id = 11 RETURNING org_id) DELETE FROM orgs USING d WHERE d.org_id + 1 = orgs.id RETURNING orgs.id',
    ],
    [
      'of a DELETE of another parent',
      'WITH d AS (DELETE FROM users WHERE org_id = 2) DELETE FROM orgs WHERE id = 1',
    ],
    ['with a rule that stops it', 'WITH d AS (DELETE FROM orgs WHERE id = 4 RETURNING id) SELECT * FROM d'],
    [
      'after one that reads',
      `WITH n AS MATERIALIZED (SELECT 1 AS one), d AS NOT MATERIALIZED (DELETE FROM orgs USING n WHERE id = one RETURNING id) SELECT * FROM d`,
    ],
    [
      'after a recursive one',
      'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3), d AS (DELETE FROM orgs USING n WHERE id = i RETURNING id) SELECT sum(id) FROM d',
    ],
    [
      'that feeds an INSERT … ON CONFLICT',
      `WITH d AS (${DELETED}, name) INSERT INTO alone SELECT * FROM d ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *`,
    ],
    [
      'that feeds a DELETE that feeds an INSERT',
      `WITH d AS (${DELETED}), e AS (DELETE FROM alone USING d WHERE alone.id = d.id RETURNING alone.id), f AS (INSERT INTO alone SELECT id + 100 FROM e RETURNING id) SELECT * FROM f`,
    ],
    [
      'read by a UNION',
      `WITH d AS (${DELETED}), e AS (SELECT 7 AS id) TABLE d UNION ALL TABLE e ORDER BY 1 LIMIT 5`,
    ],
    [
      'called like its target',
      'WITH orgs AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM orgs',
    ],
    ['called like a child', 'WITH users AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM users'],
    [
      'beside one called like a child',
      'WITH posts AS (SELECT 1), d AS (DELETE FROM orgs WHERE id = 1) SELECT * FROM posts',
    ],
    [
      'with a WITH of its own',
      'WITH d AS (WITH x AS (SELECT 1 AS id) DELETE FROM orgs USING x WHERE x.id = orgs.id RETURNING orgs.id) SELECT * FROM d',
    ],
    [
      'with expressions that have names',
      'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id + 1, upper(name), count(1) OVER (), id::text) SELECT * FROM d',
    ],
    ['with one name twice', 'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id, id) SELECT * FROM d'],
    [
      'after one with SEARCH',
      'WITH RECURSIVE n (i, set) AS (SELECT 1, 2 UNION ALL SELECT i + 1, 2 FROM n WHERE i < 3) SEARCH DEPTH FIRST BY i, set SET o, d AS (DELETE FROM orgs USING n WHERE id = i RETURNING id, o) SELECT * FROM d',
    ],
    [
      'before one with SEARCH and CYCLE',
      `WITH RECURSIVE d AS (${DELETED}), n (i, "by") AS (SELECT id, 1 FROM d UNION ALL SELECT i + 1, 2 FROM n WHERE i < 3) SEARCH BREADTH FIRST BY i SET o CYCLE i, "by" SET c TO 'y'::text DEFAULT 'n' USING p SELECT * FROM n`,
    ],
    [
      'of a DELETE after one with CYCLE',
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) CYCLE i SET c USING p DELETE FROM orgs USING n WHERE id = i RETURNING id, c, p, (SELECT n)`,
    ],
    ['twice from one name', `WITH d AS (${DELETED}) SELECT * FROM d AS a CROSS JOIN d AS b`],
  ])('%s', (_, sql) =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, ['BEGIN', sql, 'ROLLBACK'])),
      ...(await client.ask(run(sql), sync)),
    ]));

  test('whose own WITH feeds its WHERE', () =>
    ofSample(
      'WITH x AS (SELECT org_id FROM users WHERE id IN (11, 21)) DELETE FROM orgs WHERE id IN (SELECT org_id FROM x) RETURNING id, (SELECT count(*) FROM x)',
    ));

  test('beside a change of rows of a child is refused: natively the cascade would see the change', async () => {
    const { client } = await on('emulated', SAMPLE);
    const [error] = await client.told(
      query('WITH u AS (UPDATE users SET org_id = 1 WHERE id = 21) DELETE FROM orgs WHERE id = 1'),
    );
    expect(error).toMatch(/C=0A000 D=.*PGC_FORM/);
    expect(await client.told(query('SELECT count(*) FROM users'))).toContain('D 10');
  });
});

test.each([
  'DELETE FROM orgs WHERE id = 1 -- gone',
  'delete\n\tfrom/**/orgs\n\twhere id=1',
  '/* /* in */ out */ DELETE FROM orgs WHERE id = 1 /* ; */ ; -- end',
  'DELETE FROM orgs * WHERE id = 1',
  'DELETE FROM ONLY orgs WHERE id = 1',
  'DELETE FROM ONLY (orgs) o WHERE o.id = 1',
  'DELETE FROM orgs o WHERE o.id = 1; ; ',
  'DELETE FROM s . "orgs" AS "o -- x" WHERE "o -- x".id = 1 RETURNING "o -- x".id -- end',
  `DELETE FROM orgs WHERE name = $r$org 1$r$ AND 'RETURNING' <> E'\\'' RETURNING/**/id`,
  `DELETE FROM orgs WHERE id IN (SELECT id FROM users AS returning) OR name = U&'org \\0031'`,
  'WITH RECURSIVE x (id) AS (VALUES (1) UNION SELECT id + 1 FROM x WHERE id < 3) DELETE FROM orgs USING x WHERE x.id = orgs.id',
  'DELETE FROM orgs WHERE id = 1 RETURNING id AS returning, 1 AS "where"',
])('49 however it is written: %s', (text) =>
  sameOn(ALL, SAMPLE, async ({ client }) => [
    ...(await askAll(client, [`BEGIN; ${text}\n; ROLLBACK`])),
    ...(await client.ask(run(text), sync)),
  ]));

test.each([
  'DELETE FROM orgs WHERE nonsense = 1',
  'DELETE FROM orgs WHERE id = 1 RETURNING id, nonsense',
  'SELECT 1; DELETE FROM orgs WHERE nonsense = 1',
  `SELECT 'é'; DELETE FROM orgs /* ü */ WHERE name = 'é' AND nonsense`,
  `/* 🐘🐘 */ DELETE FROM orgs WHERE name = '🐘' AND nonsense = 1`,
  `SELECT '🐘'; DELETE FROM orgs WHERE name = '🐘' RETURNING '🐘', nonsense`,
  `DELETE FROM orgs WHERE name = '🐘'; SELECT '🐘', nonsense`,
  `DELETE FROM orgs WHERE name = '🐘' RETURNING id; DELETE FROM orgs WHERE name = '🐘' OR nonsense`,
  `WITH d AS (DELETE FROM orgs RETURNING '🐘') SELECT '🐘', nonsense FROM d`,
  `WITH d AS (DELETE FROM orgs WHERE '🐘' = nonsense) DELETE FROM users`,
  `DELETE FROM orgs WHERE id = 'é'`,
  'DELETE FROM orgs o WHERE orgs.id = 1',
  'DELETE FROM orgs USING users WHERE id = 1',
  'DELETE FROM orgs WHERE count(*) > 1',
  'DELETE FROM orgs WHERE id = 1 RETURNING sum(id)',
  `SELECT '🐘'; DELETE FROM no_table`,
  'DELETE FROM orgs WHERE id = 1; SELEC 1',
  'DELETE FROM orgs WHERE id = 1 / 0',
  `DELETE FROM orgs WHERE id = 1 AND name::int = 1 RETURNING '🐘'`,
  'BEGIN READ ONLY; DELETE FROM orgs WHERE id = 1 RETURNING id',
])('26 the error of a text, its position included, is the native one: %s', (text) =>
  sameOn(ALL, SAMPLE, async ({ client }) => [
    ...(await askAll(client, [text, 'ROLLBACK'])),
    ...(await client.ask(run(text), sync)),
  ]));

describe('51 a statement about a DELETE:', () => {
  test.each([
    [
      'PREPARE and EXECUTE cascade each time',
      'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1',
      'EXECUTE d (1)',
      'EXECUTE d (1)',
      'EXECUTE d (4)',
      'EXECUTE d (2)',
    ],
    [
      'PREPARE with RETURNING',
      'PREPARE d AS DELETE FROM orgs WHERE id <= $1 RETURNING name, id',
      'EXECUTE d (2)',
      'EXECUTE d (NULL)',
    ],
    [
      'PREPARE of a WITH',
      `PREPARE d (int) AS WITH d AS (DELETE FROM orgs WHERE id = $1 RETURNING id) SELECT count(*) FROM d`,
      'EXECUTE d (2)',
    ],
    [
      'all in one string',
      'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1; EXECUTE d (1); DEALLOCATE d; EXECUTE d (2)',
    ],
    [
      'DEALLOCATE frees the name',
      'PREPARE d AS DELETE FROM orgs WHERE id = 1',
      'DEALLOCATE d',
      'EXECUTE d',
      'PREPARE d AS SELECT 1',
      'EXECUTE d',
    ],
    [
      'DISCARD ALL frees all names',
      'PREPARE d AS DELETE FROM orgs WHERE id = 1',
      'DISCARD ALL',
      'SET search_path = s',
      'EXECUTE d',
      'PREPARE d AS DELETE FROM orgs WHERE id = 2',
      'EXECUTE d',
    ],
    [
      'PREPARE is not undone by ROLLBACK',
      'BEGIN',
      'PREPARE d AS DELETE FROM orgs WHERE id = 1',
      'ROLLBACK',
      'EXECUTE d',
    ],
    [
      'PREPARE under a name that is taken',
      'PREPARE d AS DELETE FROM orgs WHERE id = 1',
      'PREPARE d AS SELECT 1',
      'EXECUTE d',
    ],
    [
      'EXPLAIN runs nothing',
      'EXPLAIN (COSTS off) DELETE FROM orgs WHERE id = 1',
      'EXPLAIN (ANALYZE false, COSTS off) DELETE FROM orgs WHERE id = 1',
      "EXPLAIN (ANALYZE, ANALYZE 'OFF', COSTS off) DELETE FROM orgs WHERE id = 1 RETURNING id",
      'EXPLAIN (ANALYZE 0, COSTS off) DELETE FROM orgs WHERE id = 1',
    ],
    [
      'COPY of a DELETE cascades',
      `COPY (${DELETED}, name) TO STDOUT`,
      `COPY (DELETE FROM orgs WHERE id = 2 RETURNING *) TO STDOUT (FORMAT csv, HEADER)`,
    ],
  ])('%s', (_, ...texts) =>
    sameOn(ALL, SAMPLE, async ({ client }) =>
      (await askAll(client, texts)).filter(({ type }) => type !== 'S'),
    ));

  test.each([
    'EXPLAIN ANALYZE DELETE FROM orgs WHERE id = 1',
    'EXPLAIN (ANALYZE, FORMAT json) DELETE FROM orgs WHERE id = 1 RETURNING id',
    'EXPLAIN ANALYZE DELETE FROM orgs WHERE id = 4',
    'PREPARE d AS DELETE FROM orgs WHERE id = 1; EXPLAIN ANALYZE EXECUTE d',
  ])('but for what it tells, as natively: %s', (text) =>
    sameOn(ALL, SAMPLE, async ({ client }) =>
      (await client.ask(query(text))).filter(({ type }) => type !== 'D'),
    ));

  test('COPY of a DELETE that a rule stops has the native error, and no rows before it', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => {
      const answers = await client.ask(query('COPY (DELETE FROM orgs WHERE id = 4 RETURNING id) TO STDOUT'));
      // Natively the actions follow when the rows are sent.
      return answers.filter(({ type }) => !'dc'.includes(type));
    }));

  test.each([
    ['DELETE FROM orgs WHERE id = 1 RETURNING id', 'CREATE TABLE t AS EXECUTE d'],
    ['DELETE FROM orgs WHERE id = 1', 'CREATE TABLE t AS EXECUTE d'],
    [`WITH d AS (${DELETED}) INSERT INTO alone SELECT 9 FROM d RETURNING *`, 'CREATE TABLE t AS EXECUTE d'],
    [`WITH d AS (${DELETED}) SELECT * FROM d`, 'CREATE TABLE t AS EXECUTE d'],
    [`WITH d AS (${DELETED}) SELECT * FROM d`, 'CREATE TABLE t AS EXECUTE d WITH NO DATA'],
    ['WITH d AS (DELETE FROM orgs WHERE id = 4) SELECT 1', 'CREATE TEMP TABLE t AS EXECUTE d'],
    [`WITH d AS (${DELETED}) SELECT * FROM d`, `ALTER TABLE orgs ADD more int; CREATE TABLE t AS EXECUTE d`],
  ])('CREATE TABLE AS EXECUTE is as natively: %s, %s', (prepared, text) =>
    same(SAMPLE, `PREPARE d AS ${prepared}`, text, 'SELECT count(*) FROM orgs', 'TABLE t'));

  test.each([
    'PREPARE d AS DELETE FROM orgs WHERE id = 1 RETURNING id; EXPLAIN ANALYZE CREATE TABLE t AS EXECUTE d',
    `PREPARE d AS WITH d AS (${DELETED}) TABLE d; EXPLAIN ANALYZE CREATE TABLE t AS EXECUTE d`,
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i FROM n) CYCLE i SET c USING p DELETE FROM orgs USING n WHERE id = i RETURNING *',
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i FROM n) CYCLE i SET c USING p DELETE FROM orgs USING n WHERE row(n.*) IS NOT NULL',
  ])('what would be made into something else is refused: %s', async (text) => {
    const { client } = await on('emulated', SAMPLE);
    expect((await client.told(query(text))).join()).toMatch(/PGC_FORM/);
    expect(await client.told(query('SELECT count(*) FROM users'))).toContain('D 10');
  });

  test('EXPLAIN of a DELETE that cascades shows the plan of the client’s statement', async () => {
    const { client } = await on('emulated', SAMPLE);
    const told = await client.told(query('EXPLAIN (COSTS off) DELETE FROM orgs'));
    expect(told.slice(1, 3)).toEqual(['D Delete on orgs', 'D   ->  Seq Scan on orgs']);
  });
});
