/** Keys that rows leave, by what the keys are like: RESTRICT, deferred, of several columns, of other types; and in which order they are checked. */
import { describe, expect, test } from 'vitest';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE DOMAIN short AS varchar(8) NOT NULL;
  CREATE TABLE a (id int PRIMARY KEY, code char(4) UNIQUE, big bigint UNIQUE, word text COLLATE folded UNIQUE, ratio float8 UNIQUE, at timestamptz UNIQUE,
    list int[] UNIQUE, mood mood UNIQUE, dom short UNIQUE, num numeric UNIQUE, bytes bytea UNIQUE, span interval UNIQUE);
  CREATE TABLE b_restrict (a int CONSTRAINT b_restrict_fkey REFERENCES a ON UPDATE RESTRICT KEYS);
  CREATE TABLE b_late (a int CONSTRAINT b_late_fkey REFERENCES a DEFERRABLE INITIALLY DEFERRED KEYS);
  CREATE TABLE b_plain (a int CONSTRAINT b_plain_fkey REFERENCES a KEYS);
  CREATE TABLE b_small (a smallint CONSTRAINT b_small_fkey REFERENCES a KEYS);
  CREATE TABLE b_types (code char(6) CONSTRAINT b_code_fkey REFERENCES a (code) KEYS,
    big int CONSTRAINT b_big_fkey REFERENCES a (big) KEYS, word text COLLATE folded CONSTRAINT b_word_fkey REFERENCES a (word) KEYS,
    ratio float8 CONSTRAINT b_ratio_fkey REFERENCES a (ratio) KEYS, at timestamptz CONSTRAINT b_at_fkey REFERENCES a (at) KEYS,
    list int[] CONSTRAINT b_list_fkey REFERENCES a (list) KEYS, mood mood CONSTRAINT b_mood_fkey REFERENCES a (mood) KEYS,
    dom varchar CONSTRAINT b_dom_fkey REFERENCES a (dom) KEYS, num numeric CONSTRAINT b_num_fkey REFERENCES a (num) KEYS,
    bytes bytea CONSTRAINT b_bytes_fkey REFERENCES a (bytes) KEYS, span interval CONSTRAINT b_span_fkey REFERENCES a (span) KEYS);
  CREATE TABLE pairs (x int, y int, z int, PRIMARY KEY (x, y), UNIQUE (y, x), UNIQUE (z));
  CREATE TABLE c_simple (x int, y int, CONSTRAINT c_simple_fkey FOREIGN KEY (y, x) REFERENCES pairs (y, x) KEYS);
  CREATE TABLE c_full (x int, y int, CONSTRAINT c_full_fkey FOREIGN KEY (x, y) REFERENCES pairs MATCH FULL ON UPDATE RESTRICT KEYS);
  CREATE TABLE c_z (z int CONSTRAINT c_z_fkey REFERENCES pairs (z) KEYS);
  CREATE TABLE "Tree ""x""" ("Id" int PRIMARY KEY, "Up" int CONSTRAINT "Tree fkey" REFERENCES "Tree ""x""" KEYS);
  CREATE TABLE parts (id int, a int CONSTRAINT parts_a_fkey REFERENCES a KEYS) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);`;
const ROWS = `
  TRUNCATE a, b_restrict, b_late, b_plain, b_small, b_types, pairs, c_simple, c_full, c_z, "Tree ""x""", parts;
  INSERT INTO a VALUES (1, 'x', 1, 'Word', 0.1, '2000-10-29 01:30 UTC', '{1,2}', 'glad', 'd', 1.50, '\\x0102', '1 mon -3 days'),
    (2, 'y', 2, 'other', 0.2, '2001-01-01', '{}', 'sad', 'e', 2, '\\x', '1 day'), (3, DEFAULT, 3, NULL, NULL, NULL, NULL, NULL, 'f', NULL, NULL, NULL),
    (4, DEFAULT, 4, NULL, NULL, NULL, NULL, NULL, 'g', NULL, NULL, NULL), (5, DEFAULT, 5, NULL, NULL, NULL, NULL, NULL, 'h', NULL, NULL, NULL);
  INSERT INTO b_restrict VALUES (1); INSERT INTO b_late VALUES (2); INSERT INTO b_plain VALUES (3); INSERT INTO b_small VALUES (4);
  INSERT INTO b_types VALUES ('x', 1, 'wORD', 0.1, '2000-10-29 01:30 UTC', '{1,2}', 'glad', 'd', 1.5, '\\x0102', '1 mon -3 days');
  INSERT INTO pairs VALUES (1, 1, 1), (2, 2, 2), (3, 3, NULL);
  INSERT INTO c_simple VALUES (1, 1), (NULL, 2); INSERT INTO c_full VALUES (2, 2); INSERT INTO c_z VALUES (1);
  INSERT INTO "Tree ""x""" VALUES (1, NULL), (2, 1), (3, 3);
  INSERT INTO parts VALUES (1, 5);`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);
const LEFT = 'SELECT * FROM a ORDER BY id';

describe('a key', () => {
  test.each([
    'UPDATE a SET id = 10 WHERE id = 1',
    'UPDATE a SET id = 10 WHERE id = 3',
    'UPDATE a SET id = 10 WHERE id = 4',
    'UPDATE a SET id = 10 WHERE id = 5',
    'UPDATE a SET id = id + 10',
    'UPDATE a SET id = id + 10 WHERE id <> 1',
    "UPDATE a SET code = 'z' WHERE id = 1",
    "UPDATE a SET code = 'x   ' WHERE id = 1",
    "UPDATE a SET code = 'z' WHERE id = 2",
    'UPDATE a SET big = 9 WHERE id = 1',
    'UPDATE a SET big = 9999999999 WHERE id = 2',
    "UPDATE a SET word = 'word' WHERE id = 1",
    "UPDATE a SET word = 'words' WHERE id = 1",
    "UPDATE a SET word = 'OTHER' WHERE id = 2",
    'UPDATE a SET ratio = 0.3 WHERE id = 1',
    'UPDATE a SET ratio = 0.3 WHERE id = 2',
    "UPDATE a SET at = '2000-10-29 00:30 UTC' WHERE id = 1",
    "SET timezone = 'America/New_York'; SET datestyle = 'SQL, DMY'; UPDATE a SET at = at + interval '1 hour'",
    "UPDATE a SET list = '{3}' WHERE id = 1",
    "UPDATE a SET list = '{3}' WHERE id = 2",
    'UPDATE a SET mood = NULL WHERE id = 1',
    "UPDATE a SET dom = 'z' WHERE id = 1",
    'UPDATE a SET num = 1.5 WHERE id = 1',
    'UPDATE a SET num = 1.51 WHERE id = 1',
    "SET bytea_output = 'escape'; UPDATE a SET bytes = bytes || '\\x5c'",
    "UPDATE a SET span = '27 days' WHERE id = 1",
    'UPDATE pairs SET x = 9 WHERE x = 1',
    'UPDATE pairs SET y = 9 WHERE x = 2',
    'UPDATE pairs SET y = 9 WHERE x = 3',
    'UPDATE pairs SET x = x, z = 9',
    'UPDATE pairs SET z = z + 1 WHERE z = 2',
    'UPDATE pairs SET x = CASE x WHEN 1 THEN 9 ELSE x END, y = CASE y WHEN 1 THEN 9 ELSE y END',
    'UPDATE "Tree ""x""" SET "Id" = 9 WHERE "Id" = 1',
    'UPDATE "Tree ""x""" SET "Id" = 9 WHERE "Id" = 3',
    'UPDATE "Tree ""x""" SET "Id" = 9, "Up" = 9 WHERE "Id" = 3',
    'UPDATE "Tree ""x""" SET "Id" = "Id" + 10, "Up" = "Up" + 10 RETURNING *',
    'UPDATE "Tree ""x""" SET "Id" = "Id" - 1',
    'UPDATE "Tree ""x""" SET "Id" = 8, "Up" = 99 WHERE "Id" = 2',
  ])('%s', async (text) => {
    await twin.queries(text, LEFT, 'SELECT * FROM pairs ORDER BY x', 'SELECT * FROM "Tree ""x""" ORDER BY 1');
  });

  test('of NULL is no key', () =>
    twin.queries('UPDATE pairs SET z = 5 WHERE x = 3', 'SELECT * FROM pairs ORDER BY x'));

  test('that is deferred is checked at the end of its statement, after those that are not', async () => {
    const client = await twin.proxy.connect(twin.emulated.database.name);
    const constraint = 'b_late_fkey';
    await expect(client.query('UPDATE a SET id = 10 WHERE id = 2')).rejects.toMatchObject({
      code: '23503',
      constraint,
    });
    await expect(client.query('UPDATE a SET id = id + 10 WHERE id IN (2, 3)')).rejects.toMatchObject({
      constraint: 'b_plain_fkey',
    });
  });

  test('that does not read back as it is is refused', async () => {
    const client = await twin.proxy.connect(twin.emulated.database.name);
    await client.query(
      'SET extra_float_digits = 0; UPDATE a SET ratio = 0.1::float8 + 0.2::float8 WHERE id = 2',
    );
    const changed = client.query('UPDATE a SET ratio = 1 WHERE id = 2');
    await expect(changed).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringContaining('b_ratio_fkey'),
    });
    await client.query('SET extra_float_digits = 1; UPDATE a SET ratio = 1 WHERE id = 2');
  });
});
