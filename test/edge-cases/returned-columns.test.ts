/** A RETURNING in a WITH or a COPY whose columns the text alone does not name. */

import { describe, expect, test, vi } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { on, same, sameOn } = useSides();

/** As SAMPLE, with all that makes the columns of a table hard to tell. */
const ODD = `
  CREATE TYPE pair AS (x int, "Y y" text);
  CREATE TABLE orgs (id int PRIMARY KEY, gone int, "Name ""q""" varchar(7), at timestamptz(3) DEFAULT '2000-01-01Z',
    pair pair DEFAULT (1, 'y'), twice int GENERATED ALWAYS AS (id * 2) STORED, gone_too text);
  ALTER TABLE orgs DROP COLUMN gone, DROP COLUMN gone_too;
  ALTER TABLE orgs ADD COLUMN more numeric(6, 2) DEFAULT 1.5;
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE KEYS);
  CREATE TABLE other (id int, gone int, "Né" text, p pair); ALTER TABLE other DROP COLUMN gone;
  CREATE FUNCTION f(int) RETURNS pair LANGUAGE sql AS 'SELECT $1, ''f''';
  INSERT INTO orgs VALUES (1, 'one'), (2, 'two'), (3, NULL);
  INSERT INTO users SELECT i, i FROM generate_series(1, 3) AS i;
  INSERT INTO other VALUES (1, 'é', (7, 'z')), (9, 'x', NULL)`;

/** What PostgREST sends for DELETE with return=representation. */
const postgrest = (condition: string) =>
  `WITH pgrst_source AS (DELETE FROM "s"."orgs"  WHERE  ${condition} RETURNING "s"."orgs".*) ` +
  `SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, array[]::text[] AS header, ` +
  `coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers, ` +
  `nullif(current_setting('response.status', true), '') AS response_status, '' AS response_inserted ` +
  'FROM (SELECT "orgs".* FROM "pgrst_source" AS "orgs"     ) _postgrest_t';

describe('40 what tools send:', () => {
  test.each([SAMPLE, ODD])('PostgREST’s return=representation', (schema) =>
    sameOn(ALL, schema, async ({ client }) => [
      ...(await askAll(client, [postgrest('"s"."orgs"."id" = 1')])),
      ...(await client.ask(run(postgrest('"s"."orgs"."id" = $1'), ['2']), sync)),
      ...(await client.ask(run(postgrest('"s"."orgs"."id" = $1'), ['9']), sync)),
    ]));

  test('Hasura’s mutation', () =>
    same(
      SAMPLE,
      `WITH "orgs__mutation_result_alias" AS (DELETE FROM "s"."orgs" WHERE (("s"."orgs"."id") = (('1')::integer)) RETURNING *, 't' AS "check__constraint"), ` +
        `"orgs__all_columns_alias" AS (SELECT "id", "name", "big" FROM "orgs__mutation_result_alias") ` +
        `SELECT json_build_object('affected_rows', (SELECT COUNT(*) FROM "orgs__all_columns_alias"))::text`,
    ));
});

const LISTS = [
  'orgs.*',
  's.orgs.*',
  '*, old.*',
  'WITH (OLD AS o, NEW AS n) o.*, n.id',
  'orgs',
  '(orgs.pair).*',
  '(pair).x, (f(id)).*, f(7)',
  'tableoid::regclass::text, ctid IS NULL, *',
  `'x', NULL, 1, row(1, 2), ARRAY[id], more::text, CURRENT_DATE IS NULL, current_user IS NULL`,
  'id, id AS id, orgs.*',
  '(SELECT users FROM users WHERE org_id = orgs.id LIMIT 1), (SELECT (f(3)).x)',
  "xmlforest(id), json_array(id), JSON_OBJECT('k': id), EXTRACT(year FROM at)",
];
const JOINED = ['*', 'o.*', 'orgs.*, o.*', 'o.p, (o.p).*, o', 'old.*, o.id', 'orgs.id AS a, other.*'];

describe('40 a DELETE in a WITH returns what it returns natively:', () => {
  const texts = (list: string, using = '', where = 'orgs.id < 3') => {
    const d = `DELETE FROM orgs ${using} WHERE ${where} RETURNING ${list}`;
    return [
      `WITH d AS (${d}) SELECT * FROM d`,
      `WITH RECURSIVE "D é" AS (${d}) SELECT row_to_json("D é"), "D é" FROM "D é"`,
      `WITH d (a) AS (${d}), e AS (DELETE FROM users WHERE id = 3 RETURNING *) SELECT d.*, e FROM d, e`,
    ];
  };
  const each = (list: string, using?: string, where?: string) =>
    sameOn(ALL, ODD, async ({ client }) => {
      const answers = [];
      for (const text of texts(list, using, where)) {
        answers.push(...(await askAll(client, ['BEGIN', text, 'ROLLBACK', `BEGIN; ${text}; ROLLBACK`])));
        answers.push(...(await client.ask(query('BEGIN'))), ...(await client.ask(run(text), sync)));
        answers.push(...(await client.ask(query('ROLLBACK'))));
      }
      return answers;
    });
  test.each(LISTS)('RETURNING %s has the columns it has natively', (list) => each(list));
  test.each(JOINED)('%s beside USING', (list) =>
    each(list, list.includes('other') ? 'other' : 'other AS o', 'true'));
  test('* of a join, of a function, of another WITH', () =>
    each('*', 'other JOIN users USING (id), f(3), (WITH w AS (SELECT 1 AS one) SELECT * FROM w) AS q'));
});

describe('40 and so it does', () => {
  const using = (main: string, list = 'o.*') =>
    `WITH d AS (DELETE FROM orgs USING other o WHERE o.id = orgs.id RETURNING ${list}) ${main}`;

  test('with parameters in it, after it, and of types that the client declares', () =>
    sameOn(ALL, ODD, async ({ client }) => {
      const d = 'DELETE FROM orgs USING other o WHERE orgs.id = $2 RETURNING o.*, $2, f($2)';
      const text = `WITH d AS (${d}) SELECT *, $1, $3 + 1 FROM d WHERE d."Né" <> $1`;
      client.send(parse(text, 'p', [25, 20, 23]), runPrepared('p', ['x', '1', '5']), sync);
      return [
        ...(await client.untilReady(1)),
        ...(await client.ask(run(text, ['x', '1', '5']), sync)),
        ...(await client.ask(run(text, ['x', '1', '5']), run(text, ['x', '2', '5']), sync)),
      ];
    }));

  test.each([
    `EXPLAIN (COSTS off) ${using('SELECT * FROM d')}`,
    `CREATE TABLE made AS ${using('SELECT * FROM d')}; SELECT * FROM made`,
    using('SELECT * INTO made FROM d; SELECT * FROM made'),
    using('INSERT INTO other SELECT * FROM d RETURNING *'),
    using('SELECT * FROM d; DELETE FROM orgs WHERE id = 2'),
    `SELECT 1; ${using('TABLE d')}; SELECT 2`,
    `ALTER TABLE other ADD COLUMN new int DEFAULT 4; ${using('TABLE d')}`,
    `PREPARE p AS ${using('SELECT * FROM d')}; EXECUTE p`,
    `PREPARE p (int, numeric(4, 1), text[]) AS ${using('SELECT *, $2, $3 FROM d WHERE id = $1', 'o.*, $1')}; EXECUTE p (1, 1.55, '{a}')`,
    `BEGIN; ${using('SELECT * FROM d')}; SELECT count(*) FROM users; ROLLBACK`,
    `COPY (DELETE FROM orgs USING other o WHERE o.id = orgs.id RETURNING o.*, orgs.*) TO STDOUT (FORMAT csv, HEADER)`,
    `COPY (DELETE FROM orgs RETURNING (pair).*, orgs) TO STDOUT (FORMAT csv, HEADER)`,
    `COPY (${using('DELETE FROM orgs USING d WHERE d.id + 1 = orgs.id RETURNING *')}) TO STDOUT (HEADER)`,
  ])('in %s', (text) => same(ODD, text, 'SELECT count(*) FROM users'));

  test.each([
    using('SELECT nonsense FROM d'),
    using('SELECT * FROM d', 'o.*, nonsense'),
    using('SELECT * FROM d', 'nobody.*'),
    `SELECT '🐘'; ${using('SELECT * FROM d', "'🐘', o.*, nonsense")}`,
    `COPY (DELETE FROM orgs USING other o RETURNING '🐘', o.*, nonsense) TO STDOUT`,
    `WITH d (a, b, c, d, e, f) AS (DELETE FROM orgs USING other o RETURNING o.*) SELECT * FROM d`,
    `WITH d AS (DELETE FROM orgs USING other o RETURNING o.*), d AS (SELECT 1) SELECT * FROM d`,
    `WITH d AS (DELETE FROM orgs USING other o RETURNING o.*, o.*) SELECT id FROM d`,
    `PREPARE p (nonsense) AS ${using('SELECT * FROM d')}`,
  ])('and errors are as natively: %s', (text) =>
    sameOn(ALL, ODD, async ({ client }) => {
      const answers = await askAll(client, [text, 'BEGIN', text, 'SELECT 1', text, 'ROLLBACK']);
      // Of a COPY the server looks at the query when it is executed.
      if (text.startsWith('COPY')) return answers;
      const alone = text.replace(/^SELECT '🐘'; /, '');
      return [...answers, ...(await client.ask(run('SELECT 1'), run(alone), run('SELECT 2'), sync))];
    }));

  test('when the columns of another table change, past the proxy too', () =>
    sameOn(ALL, ODD, async ({ client, direct }) => {
      const text = using('SELECT * FROM d');
      const own = 'WITH d AS (DELETE FROM orgs WHERE id = 2 RETURNING orgs.*) SELECT * FROM d';
      const answers = await askAll(client, ['BEGIN', text, own, 'ROLLBACK', `PREPARE p AS ${text}`]);
      const other = await direct();
      await other.query('ALTER TABLE s.other ADD COLUMN later int; ALTER TABLE s.other RENAME "Né" TO ne');
      answers.push(...(await askAll(client, ['BEGIN', text, 'ROLLBACK'])));
      answers.push(
        ...(await askAll(client, ['ALTER TABLE orgs ADD later int', 'BEGIN', own, text, 'ROLLBACK'])),
      );
      return answers;
    }));

  test('through a view, and when its columns are given other names', () =>
    same(
      `${SAMPLE}; CREATE VIEW v AS SELECT id, name FROM orgs`,
      'BEGIN; WITH d AS (DELETE FROM v WHERE id = 1 RETURNING *) SELECT * FROM d; ROLLBACK',
      'ALTER VIEW v RENAME name TO called',
      'WITH d AS (DELETE FROM v WHERE id = 1 RETURNING v.*) SELECT * FROM d',
      'ALTER VIEW v RENAME id TO number',
      'DELETE FROM v WHERE number = 2 RETURNING *',
    ));

  test.each(['merge_action(), *', 'o.*, orgs.*, old.*', '(o.p).*, orgs'])('of a MERGE: %s', (list) =>
    same(
      ODD,
      `WITH m AS (MERGE INTO orgs USING other o ON o.id = orgs.id WHEN MATCHED THEN DELETE RETURNING ${list}) SELECT m.*, m FROM m`,
      `COPY (MERGE INTO orgs USING users o ON o.id = orgs.id WHEN MATCHED THEN DELETE RETURNING ${list.replace(/\(o.p\).\*/, 'o.*')}) TO STDOUT (HEADER)`,
    ));

  test('under another client encoding, where its names are plain ASCII', () =>
    sameOn(ALL, ODD, async ({ client }) => {
      const plain = `WITH d AS (DELETE FROM orgs USING users u WHERE u.id = orgs.id AND u.id < $1 RETURNING u.*, $1) SELECT * FROM d`;
      return [
        ...(await askAll(client, ["SET client_encoding = 'LATIN1'", plain.replaceAll('$1', '2')])),
        ...(await client.ask(run(plain, ['3']), sync)),
        ...(await askAll(client, ['RESET client_encoding'])),
      ];
    }));

  test('and where they are not, in Latin-1', () =>
    sameOn(ALL, ODD, async ({ client }) =>
      askAll(client, ["SET client_encoding = 'LATIN1'", using('SELECT 1 FROM d'), 'RESET client_encoding']),
    ));

  test('and where they are not, in Latin-2', () =>
    sameOn(ALL, ODD, async ({ client }) =>
      askAll(client, ["SET client_encoding = 'LATIN2'", using('SELECT 1 FROM d'), 'RESET client_encoding']),
    ));

  test('when it was prepared once and the columns of another table have changed before it is bound', () =>
    sameOn(ALL, ODD, async ({ client, direct }) => {
      const text = using('SELECT count(d), count("Né") FROM d');
      const answers = await client.ask(parse(text, 'p'), sync);
      const other = await direct();
      await other.query('ALTER TABLE s.other ADD COLUMN later int, DROP COLUMN p');
      return [...answers, ...(await client.ask(runPrepared('p'), sync))];
    }));

  test('in a pipeline after what fails, nothing of it is executed', () =>
    sameOn(ALL, ODD, async ({ client }) => {
      client.send(
        run('SELECT 1/0'),
        run(using('SELECT * FROM d')),
        sync,
        run(using('SELECT * FROM d')),
        sync,
      );
      return client.untilReady(2);
    }));
});

const NAMESAKES = `
  CREATE SCHEMA a; CREATE TABLE a.p (id int, x text); INSERT INTO a.p VALUES (1, 'a');
  CREATE TABLE p (id int PRIMARY KEY, x text); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
  CREATE VIEW a.v AS SELECT 1 AS id; CREATE VIEW v AS SELECT * FROM p;
  INSERT INTO p VALUES (1, 's'), (2, 't'); INSERT INTO c VALUES (1), (2)`;
describe('49 a table of the same name beside the target:', () => {
  test.each([
    'DELETE FROM p USING a.p WHERE s.p.id = a.p.id',
    'DELETE FROM p USING a.p WHERE s.p.id = a.p.id RETURNING s.p.x, a.p.x',
    'DELETE FROM p USING c JOIN a.p ON a.p.id = c.p WHERE s.p.id = c.p RETURNING *',
    'DELETE FROM s.p USING a.p WHERE s.p.id = a.p.id RETURNING *',
    'WITH d AS (DELETE FROM p USING a.p WHERE s.p.id = a.p.id RETURNING s.p.*, a.p.x AS y) SELECT * FROM d',
    'WITH d AS (DELETE FROM p USING a.p WHERE s.p.id = a.p.id RETURNING *) SELECT d FROM d',
    'MERGE INTO p USING a.p ON s.p.id = a.p.id WHEN MATCHED THEN DELETE RETURNING merge_action(), *',
    'DELETE FROM p USING a.p WHERE p.id = 1',
    'DELETE FROM p USING a.p WHERE s.p.id = a.p.id RETURNING p.*',
    'CREATE TEMP TABLE p AS SELECT 1 AS id; DELETE FROM s.p USING p WHERE s.p.id = pg_temp.p.id; DELETE FROM p USING s.p; DROP TABLE p',
    'SET search_path = a; DELETE FROM s.p USING p WHERE s.p.id = a.p.id; RESET search_path',
    'DELETE FROM v USING a.v WHERE s.v.id = a.v.id RETURNING *',
  ])('names that two tables share are told apart: %s', (text) =>
    sameOn(ALL, NAMESAKES, async ({ client }) => [
      ...(await askAll(client, ['BEGIN', text, 'ROLLBACK'])),
      ...(await askAll(client, [text])),
    ]));

  test('where the target is a temporary one with keys', () =>
    sameOn(['native', 'emulated'], NAMESAKES, async ({ client, ddl }) => {
      const made =
        'CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2)';
      const text = 'DELETE FROM p USING a.p WHERE pg_temp.p.id = a.p.id RETURNING a.p.x';
      return askAll(client, [ddl(made), text, 'SELECT p + 0 FROM c', 'DROP TABLE c, p']);
    }));
});

test('51 a view’s DELETE whose columns cannot be told is refused, and nothing is gone', async () => {
  const { client } = await on('emulated', ODD);
  const text =
    '(WITH d AS (DELETE FROM orgs USING other o WHERE true RETURNING o.*) SELECT * FROM d) LIMIT 1';
  expect((await client.told(query(text))).join()).toMatch(/PGC_FORM/);
  expect(await client.told(query('SELECT count(*) FROM users'))).toContain('D 3');
});
