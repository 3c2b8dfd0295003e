/** What tables, columns and keys may be called, where names lead, and what types keys may have. */
import { describe, test, vi } from 'vitest';
import { parse, query, runPrepared, sync } from '../support/frontend-messages.js';
import { askAll, type RawMessage } from '../support/raw-client.js';
import { ALL, UNENFORCED, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn } = useSides();

const NAMES = [
  'select',
  'Mixed Case',
  'quo"te',
  'größe',
  '🐘',
  'a.b',
  "it's",
  'back\\slash',
  'pgc_0',
  'x'.repeat(63),
  'é'.repeat(31),
];
test.each(NAMES)('20 tables, columns, keys and aliases may be called %s', async (name) => {
  const quote = (each: string) => `"${each.replaceAll('"', '""')}"`;
  const [q, child] = [quote(name), quote(`c${[...name].slice(1).join('')}`)];
  // An override tells actions by the names of keys, and these have names of their own.
  await sameOn(
    UNENFORCED,
    `CREATE TABLE ${q} (${q} int PRIMARY KEY); INSERT INTO ${q} VALUES (1), (2), (3);
     CREATE TABLE ${child} (${q} int CONSTRAINT ${q} REFERENCES ${q} ON DELETE CASCADE KEYS);
     CREATE TABLE r (${q} int CONSTRAINT ${child} REFERENCES ${q} KEYS);
     INSERT INTO ${child} VALUES (1), (2), (2); INSERT INTO r VALUES (3)`,
    [`DELETE FROM ${q} WHERE ${q} = 1 RETURNING *`, `DELETE FROM s.${q} AS ${child} WHERE ${child}.${q} = 3`],
  );
});

test.each([
  [
    '20 a name longer than 63 bytes is cut as the server cuts it',
    `DELETE FROM ${'x'.repeat(70)} WHERE id = 1`,
    `CREATE TABLE ${'x'.repeat(63)} (id int PRIMARY KEY); INSERT INTO ${'x'.repeat(63)} VALUES (1), (2);
    CREATE TABLE c (id int REFERENCES ${'x'.repeat(63)} ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1), (2)`,
  ],
  [
    '20 so is one in the middle of a character',
    `DELETE FROM "${'é'.repeat(40)}" WHERE id = 1`,
    `CREATE TABLE "${'é'.repeat(31)}" (id int PRIMARY KEY); INSERT INTO "${'é'.repeat(31)}" VALUES (1), (2);
    CREATE TABLE c (id int REFERENCES "${'é'.repeat(31)}" ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1), (2)`,
  ],
  [
    '20 names are folded as the server folds them',
    'DELETE FROM P WHERE ID = 1',
    `CREATE TABLE P (Id int PRIMARY KEY); CREATE TABLE "P" (id int); INSERT INTO p VALUES (1), (2); INSERT INTO "P" VALUES (1);
    CREATE TABLE C (p INT REFERENCES P ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1), (2)`,
  ],
])('%s', (_, sql, schema) => same(schema, sql));

const TWICE = ['a', 'b']
  .map(
    (
      s,
    ) => `CREATE SCHEMA ${s}; CREATE TABLE ${s}.p (id int PRIMARY KEY); INSERT INTO ${s}.p VALUES (1), (2), (3);
    CREATE TABLE ${s}.c (id int, p int REFERENCES ${s}.p ON DELETE CASCADE KEYS); INSERT INTO ${s}.c SELECT id, id FROM ${s}.p`,
  )
  .join(';');
/** What the server reports of settings is the same, in the middle of other messages. */
const withoutStatus = (messages: readonly RawMessage[]) => messages.filter(({ type }) => type !== 'S');
describe('19 of tables of one name in two schemas', () => {
  test.each([
    [
      'search_path decides',
      'SET search_path = a, b',
      'DELETE FROM p WHERE id = 1',
      'SET search_path = b, a',
      'DELETE FROM p WHERE id = 2',
    ],
    ['a qualified name decides', 'SET search_path = a', 'DELETE FROM b.p WHERE id = 1 RETURNING b.p.id'],
    [
      'it decides as a transaction has it',
      'SET search_path = a',
      'BEGIN; SET LOCAL search_path = b',
      'DELETE FROM p WHERE id = 1',
      'COMMIT',
      'DELETE FROM p WHERE id = 2',
    ],
    [
      'it decides as a rollback leaves it',
      'SET search_path = a',
      'BEGIN; SET search_path = b',
      'ROLLBACK',
      'DELETE FROM p WHERE id = 2',
    ],
    [
      'it decides as the same string has set it',
      'SET search_path = a; SET search_path = b; DELETE FROM p WHERE id = 1; SET search_path = a; DELETE FROM p WHERE id = 2',
    ],
    [
      'it decides as a function has set it',
      'SET search_path = a',
      `SELECT set_config('search_path', 'b', false)`,
      'DELETE FROM p WHERE id = 1',
    ],
    [
      'the first that has the table decides',
      'SET search_path = a, b; DROP TABLE a.c, a.p',
      'DELETE FROM p WHERE id = 1',
      'CREATE TABLE a.p AS TABLE b.p',
      'DELETE FROM p WHERE id = 2',
    ],
    [
      'it decides when what SQL prepared is executed',
      'SET search_path = a; PREPARE d (int) AS DELETE FROM p WHERE id = $1',
      'SET search_path = b',
      'EXECUTE d (1)',
      'SET search_path = a',
      'EXECUTE d (2)',
    ],
  ])('%s', (_, ...texts) =>
    sameOn(ALL, TWICE, async ({ client }) => withoutStatus(await askAll(client, texts))));

  test('it decides when a prepared statement is executed', () =>
    sameOn(ALL, TWICE, async ({ client }) => {
      const answers = await client.ask(query('SET search_path = a'));
      answers.push(
        ...(await client.ask(parse('DELETE FROM p WHERE id = $1', 'd'), runPrepared('d', ['1']), sync)),
      );
      answers.push(...(await client.ask(query('SET search_path = b'))));
      return withoutStatus([...answers, ...(await client.ask(runPrepared('d', ['2']), sync))]);
    }));
});

describe('63 a temporary table', () => {
  const family =
    'CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2); CREATE TABLE c (id int, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1, 1), (2, 2);';
  const left = ['SELECT * FROM s.p', 'SELECT * FROM s.c'];
  test.each([
    [
      'that shadows a parent is meant, and has no children',
      'CREATE TEMP TABLE p AS SELECT 1 AS id',
      'DELETE FROM p',
      'DELETE FROM s.p WHERE id = 2',
    ],
    [
      'that shadows a child is not meant by its key',
      'CREATE TEMP TABLE c AS SELECT 1 AS id, 1 AS p',
      'DELETE FROM p WHERE id = 1',
      'SELECT * FROM c',
    ],
    [
      'that is gone again shadows no more',
      'CREATE TEMP TABLE p AS SELECT 1 AS id',
      'DELETE FROM p',
      'DROP TABLE p',
      'DELETE FROM p WHERE id = 1',
    ],
    [
      'that is gone with its transaction shadows no more',
      'BEGIN',
      'CREATE TEMP TABLE p ON COMMIT DROP AS SELECT 1 AS id',
      'DELETE FROM p',
      'COMMIT',
      'DELETE FROM p WHERE id = 1',
    ],
    [
      'that DISCARD TEMP removed shadows no more',
      'SELECT 1 AS id INTO TEMP p',
      'DELETE FROM p',
      'DISCARD TEMP',
      'DELETE FROM p WHERE id = 1',
    ],
    [
      'of the same string is meant',
      'CREATE TEMP TABLE p AS SELECT 1 AS id; DELETE FROM p; DELETE FROM s.p WHERE id = 2',
    ],
  ])('%s', (_, ...texts) => same(family, ...texts, ...left));

  test('may have keys of its own', () =>
    same(
      family,
      `CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE t (id int, p int REFERENCES p ON DELETE SET NULL KEYS);
       INSERT INTO p VALUES (1), (2); INSERT INTO t VALUES (1, 1), (2, 2)`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM pg_temp.p RETURNING id',
      'SELECT id, p FROM t',
    ));
});

type KeyCase = [parent: string, child: string, keys: string[], references: string[], made?: string];
const CI = `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;
const TYPES: KeyCase[] = [
  ['int4', 'int8', ['1', '2'], ['1', '1', '2', 'NULL']],
  ['int2', 'int4', ['1', '2'], ['1', '2']],
  ['numeric', 'int4', ['1.0', '2.00'], ['1', '2']],
  ['numeric', 'numeric(6,2)', ['1.0', '2'], ['1.00', '2.00']],
  ['float8', 'float4', ['0.5', `'inf'`], ['0.5', `'inf'`]],
  ['text', 'name', [`'a'`, `'b'`], [`'a'`, `'b'`]],
  ['varchar(9)', 'text', [`'a '`, `E'q\\'\\\\"{,}'`], [`'a '`, `E'q\\'\\\\"{,}'`]],
  ['char(5)', 'char(9)', [`'a'`, `'b'`], [`'a   '`, `'b'`]],
  ['char(5)', 'varchar(9)', [`'ab'`, `'ac'`], [`'ab'`, `'ac'`]],
  ['varchar(9)', 'char(5)', [`'ab'`, `'ac'`], [`'ab'`, `'ac'`]],
  ['date', 'date', [`'2026-01-01'`, `'infinity'`], [`'2026-01-01'`, `'infinity'`]],
];
const VALUES: KeyCase[] = [
  ['int8', 'int8', ['9007199254740993', '9007199254740992'], ['9007199254740992', '9007199254740993']],
  ['float8', 'float8', [`'-0'`, `'NaN'`], [`'0'`, `'-0'`, `'NaN'`]],
  ['text', 'text', [`E'\\\\0\\\\x00'`, `E'\\'\\n"\\\\,{}'`], [`E'\\\\0\\\\x00'`, `E'\\'\\n"\\\\,{}'`]],
  ['text', 'text', [`'NULL'`, `''`], [`'NULL'`, `''`, 'NULL']],
  ['bit(3)', 'bit(3)', [`B'101'`, `B'100'`], [`B'101'`, `B'100'`]],
  ['uuid', 'uuid', [`'${'a'.repeat(32)}'`, `'${'b'.repeat(32)}'`], [`'${'A'.repeat(32)}'`]],
  ['bytea', 'bytea', [`'\\x00ff'`, `'\\x'`], [`'\\x00ff'`, `'\\x'`]],
  ['timestamptz', 'timestamptz', [`'2026-01-01 00:00+00'`, `'infinity'`], [`'2026-01-01 01:00+01'`]],
  ['interval', 'interval', [`'1 day'`, `'1 month'`], [`'24 hours'`, `'30 days'`]],
  ['posint', 'int4', ['1', '2'], ['1', '2'], 'CREATE DOMAIN posint AS int CHECK (VALUE > 0);'],
  ['tag', 'tag', [`'é'`, `'NULL'`], [`'é'`, `'NULL'`], 'CREATE DOMAIN tag AS text;'],
  ['mood', 'mood', [`'sad'`, `'ok'`], [`'sad'`, `'ok'`], `CREATE TYPE mood AS ENUM ('sad', 'ok');`],
  ['pair', 'pair', [`'(1,a)'`, `'(2,)'`], [`'(1,a)'`, `'(2,)'`], 'CREATE TYPE pair AS (a int, b text);'],
  ['int[]', 'int[]', [`'{1,2}'`, `'{}'`], [`'{1,2}'`, `'{}'`]],
  ['int4range', 'int4range', [`'[1,2]'`, `'empty'`], [`'[1,3)'`, `'empty'`]],
  ['jsonb', 'jsonb', [`'{"a": 1.0}'`, `'[]'`], [`'{"a": 1.00}'`, `'[]'`]],
  ['inet', 'cidr', [`'10.0.0.0/8'`, `'::1'`], [`'10.0.0.0/8'`, `'::1'`]],
];
const COLLATIONS: KeyCase[] = [
  ['text COLLATE ci', 'text COLLATE ci', [`'Ä'`, `'b'`], [`'ä'`, `'B'`], CI],
  ['varchar(9) COLLATE ci', 'text COLLATE ci', [`'Ä'`, `'b'`], [`'ä'`, `'B'`, `'b'`], CI],
  ['text COLLATE "C"', 'text COLLATE "POSIX"', [`'Ä'`, `'b'`], [`'Ä'`, `'b'`]],
];
const follow = ([parent, child, keys, references, made = '']: KeyCase) => {
  const rows = (values: readonly string[]) => values.map((value, i) => `(${i + 1}, ${value})`).join();
  return same(
    `${made} CREATE TABLE p (n int, k ${parent} PRIMARY KEY); INSERT INTO p VALUES ${rows(keys)};
     CREATE TABLE c (n int, k ${child} REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO c VALUES ${rows(references)};
     CREATE TABLE d (LIKE c); CREATE INDEX ON d (k); INSERT INTO d TABLE c;
     ALTER TABLE d ADD FOREIGN KEY (k) REFERENCES p ON DELETE SET NULL KEYS;
     CREATE TABLE r (k ${child} REFERENCES p ON DELETE RESTRICT KEYS); INSERT INTO r VALUES (${references.at(-1)})`,
    'DELETE FROM p WHERE n = 1 RETURNING k::text',
    'DELETE FROM p WHERE n = 2',
    'DELETE FROM p',
  );
};
test.each(TYPES)('44 a key of %s is followed from %s: the database compares', (...given) => follow(given));
test.each(VALUES)('45 values of %s in a key, from %s, are what they are', (...given) => follow(given));
test.each(COLLATIONS)('46 a key of %s is followed from %s', (...given) => follow(given));
