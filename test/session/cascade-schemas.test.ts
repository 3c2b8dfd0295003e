/** Every kind of table, key and name that a DELETE can meet: answered as on the enforced twin. */
import { test, vi } from 'vitest';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });
const twin = useTwin();
const { inSchema: asNative } = asNativeOn(twin);

const NAMES = ['select', 'Mixed Case', 'quo"te', 'größe', '🐘', 'a.b', "it's", 'back\\slash', 'pgc_0'];
test.each([...NAMES, 'x'.repeat(63)])('tables, columns, keys and aliases may be called %s', async (name) => {
  const quote = (each: string) => `"${each.replaceAll('"', '""')}"`;
  const [q, child] = [quote(name), quote(`c${[...name].slice(1).join('')}`)];
  await asNative(
    `CREATE TABLE ${q} (${q} int PRIMARY KEY); INSERT INTO ${q} VALUES (1), (2), (3);
       CREATE TABLE ${child} (${q} int CONSTRAINT ${q} REFERENCES ${q} ON DELETE CASCADE KEYS);
       CREATE TABLE r (${q} int CONSTRAINT ${child} REFERENCES ${q} KEYS);
       INSERT INTO ${child} VALUES (1), (2), (2); INSERT INTO r VALUES (3)`,
    `DELETE FROM ${q} WHERE ${q} = 1 RETURNING *`,
    `DELETE FROM s.${q} AS ${child} WHERE ${child}.${q} = 3`,
    `SELECT * FROM ${child}`,
  );
});

type KeyCase = [parent: string, child: string, keys: string[], references: string[], made?: string];
const KEYS: KeyCase[] = [
  ['int4', 'int8', ['1', '2'], ['1', '1', '2', 'NULL']],
  ['numeric', 'int4', ['1.0', '2.00'], ['1', '2']],
  ['int8', 'int8', ['9007199254740993', '9007199254740992'], ['9007199254740992', '9007199254740993']],
  ['numeric', 'numeric(6,2)', ['1.0', '2'], ['1.00', '2.00']],
  ['varchar(9)', 'text', [`'a '`, `E'q\\'\\\\"{,}'`], [`'a '`, `E'q\\'\\\\"{,}'`]],
  ['char(5)', 'char(9)', [`'a'`, `'b'`], [`'a   '`, `'b'`]],
  ['char(5)', 'varchar(9)', [`'ab'`, `'ac'`], [`'ab'`, `'ac'`]],
  ['varchar(9)', 'char(5)', [`'ab'`, `'ac'`], [`'ab'`, `'ac'`]],
  ['bit(3)', 'bit(3)', [`B'101'`, `B'100'`], [`B'101'`, `B'100'`]],
  ['posint', 'int4', ['1', '2'], ['1', '2'], 'CREATE DOMAIN posint AS int CHECK (VALUE > 0);'],
  ['tag', 'tag', [`'é'`, `'NULL'`], [`'é'`, `'NULL'`], 'CREATE DOMAIN tag AS text;'],
  ['mood', 'mood', [`'sad'`, `'ok'`], [`'sad'`, `'ok'`], `CREATE TYPE mood AS ENUM ('sad', 'ok');`],
  ['uuid', 'uuid', [`'${'a'.repeat(32)}'`, `'${'b'.repeat(32)}'`], [`'${'A'.repeat(32)}'`]],
  ['bytea', 'bytea', [`'\\x00ff'`, `'\\x'`], [`'\\x00ff'`, `'\\x'`]],
  ['float8', 'float8', [`'-0'`, `'NaN'`], [`'0'`, `'-0'`, `'NaN'`]],
  ['timestamptz', 'timestamptz', [`'2026-01-01 00:00+00'`, `'infinity'`], [`'2026-01-01 01:00+01'`]],
  ['int[]', 'int[]', [`'{1,2}'`, `'{}'`], [`'{1,2}'`, `'{}'`]],
  ['int4range', 'int4range', [`'[1,2]'`, `'empty'`], [`'[1,3)'`, `'empty'`]],
  ['text COLLATE ci', 'text COLLATE ci', [`'Ä'`, `'b'`], [`'ä'`, `'B'`], 'ICU'],
];
test.each(KEYS)('a key of %s is followed from %s', async (...given) => {
  const [parent, child, keys, references, made = ''] = given;
  const ci = `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;
  const rows = (values: readonly string[]) => values.map((value, i) => `(${i + 1}, ${value})`).join();
  await asNative(
    `${made === 'ICU' ? ci : made} CREATE TABLE p (n int, k ${parent} PRIMARY KEY); INSERT INTO p VALUES ${rows(keys)};
     CREATE TABLE c (n int, k ${child} REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO c VALUES ${rows(references)};
     CREATE TABLE d (LIKE c); CREATE INDEX ON d (k); INSERT INTO d TABLE c;
     ALTER TABLE d ADD FOREIGN KEY (k) REFERENCES p ON DELETE SET NULL KEYS;
     CREATE TABLE r (k ${child} REFERENCES p ON DELETE RESTRICT KEYS); INSERT INTO r VALUES (${references.at(-1)})`,
    ...['DELETE FROM p WHERE n = 1', 'DELETE FROM p WHERE n = 2', 'DELETE FROM p'],
    ...['p', 'c', 'd'].map((table) => `SELECT n, k::text FROM ${table} ORDER BY n`),
  );
});

const FAMILY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY REFERENCES p ON DELETE CASCADE KEYS);
  CREATE TABLE g (id int REFERENCES c ON DELETE CASCADE KEYS);
  CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RETURN CASE WHEN OLD.id = 1 THEN NULL ELSE OLD END; END $$;
  CREATE TRIGGER t BEFORE DELETE ON KEPT FOR EACH ROW EXECUTE FUNCTION keep();
  INSERT INTO p VALUES (1), (2); INSERT INTO c TABLE p; INSERT INTO g TABLE p`;
const KEPT = ['p', 'c', 'g'];
test.each(KEPT)('a BEFORE DELETE trigger on %s that returns NULL keeps what it keeps natively', (kept) =>
  asNative(FAMILY.replace('KEPT', kept), 'DELETE FROM p RETURNING id', 'TABLE p', 'TABLE c', 'TABLE g'));

const PARTITIONS = `CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT;
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS) PARTITION BY HASH (id);
  CREATE TABLE c0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE r (id int REFERENCES p KEYS);
  INSERT INTO p SELECT generate_series(1, 16); INSERT INTO c SELECT id FROM p; INSERT INTO r VALUES (4), (14)`;
test.each([
  'DELETE FROM p WHERE id IN (1, 2, 12)',
  'DELETE FROM p1 WHERE id < 3',
  'DELETE FROM ONLY p2 WHERE id = 15',
  'DELETE FROM ONLY p',
  'DELETE FROM c0',
])('partitions cascade as natively: %s', (sql) =>
  asNative(
    PARTITIONS,
    sql,
    'SELECT id + 0 AS id FROM p ORDER BY 1',
    'SELECT id + 0 AS id FROM c ORDER BY 1',
  ));

test.each([
  'DELETE FROM p',
  'DELETE FROM p1',
])('a broken key to a partitioned table has the name of its copy for the partition: %s', (sql) =>
  asNative(PARTITIONS, sql));

test('inheritance has keys where they were declared, and nowhere else', () =>
  asNative(
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE derived () INHERITS (p);
     CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); CREATE TABLE c2 () INHERITS (c);
     INSERT INTO p VALUES (1), (2); INSERT INTO derived VALUES (1), (3);
     INSERT INTO c VALUES (1), (2); INSERT INTO c2 VALUES (1), (2), (3)`,
    ...['DELETE FROM derived', 'DELETE FROM ONLY p WHERE id = 1', 'TABLE p', 'TABLE ONLY c', 'TABLE c2'],
    ...['DELETE FROM p', 'TABLE p', 'TABLE ONLY c', 'TABLE c2'],
  ));
