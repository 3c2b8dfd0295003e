/** Every way to write a DELETE: answered as on the enforced twin, or refused before anything is gone. */
import { describe, expect, test, vi } from 'vitest';
import { type RawClient, type RawMessage, readable } from '../support/raw-client.js';
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

/** An error's context names the queries by which PostgreSQL cascades: the proxy has others. */
function withoutContext(answers: readonly RawMessage[]): RawMessage[] {
  return answers.map(({ type, body }) => {
    const fields = body.toString('latin1').split('\0');
    const kept = fields.filter((field) => !field.startsWith('W')).join('\0');
    return { type, body: type === 'E' ? Buffer.from(kept, 'latin1') : body };
  });
}

const queriesAsNative = (...texts: readonly string[]) =>
  twin.expectAsNative(async (client) => withoutContext(await askAll(client, texts)));

/** In a schema of its own, made on both sides; KEYS stands where the one has keys enforced and the other has not. */
const asNative = (schema: string, ...texts: readonly string[]) =>
  twin.expectAsNative(async (client) => {
    await makeSchema(client, schema);
    return withoutContext(await askAll(client, texts));
  });

async function makeSchema(client: RawClient, schema: string): Promise<void> {
  const keys = schema.replaceAll('KEYS', twin.isNative(client) ? '' : 'NOT ENFORCED');
  const start = 'DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s';
  const made = readable(await client.ask(query(`${start}; ${keys}`)));
  expect(made.filter((each) => each.startsWith('E'))).toEqual([]);
}

async function askAll(client: RawClient, texts: readonly string[]): Promise<RawMessage[]> {
  const answers: RawMessage[] = [];
  for (const text of texts) answers.push(...(await client.ask(query(text))));
  return answers;
}

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

describe('a form that is not expanded', () => {
  const view = 'CREATE VIEW shown AS SELECT * FROM public.orgs; CREATE VIEW over AS SELECT id FROM shown';
  const rule = `CREATE TABLE p (id int PRIMARY KEY, org int); CREATE RULE r AS ON DELETE TO p DO ALSO SELECT 1;
    CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1, 1)`;

  const inherited = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE derived () INHERITS (p);
    CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1)`;

  test.each([
    ['MERGE', `MERGE INTO orgs USING (VALUES (1)) v (id) ON v.id = orgs.id WHEN MATCHED THEN DELETE`],
    ['WITH', 'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING *) SELECT * FROM d'],
    ['TRUNCATE', 'TRUNCATE orgs'],
    ['TRUNCATE … CASCADE', 'TRUNCATE orgs CASCADE'],
    ['TRUNCATE of some', 'TRUNCATE alone, orgs, users'],
    ['EXPLAIN ANALYZE', 'EXPLAIN (ANALYZE, COSTS off) DELETE FROM orgs WHERE id = 1'],
    ['COPY', 'COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT'],
    ['PREPARE', 'PREPARE d AS DELETE FROM orgs WHERE id = 1'],
    ['a view', 'DELETE FROM s.shown WHERE id = 1', view],
    ['a view over a view', 'DELETE FROM s.over WHERE id = 1', view],
    ['a table with rules', 'DELETE FROM s.p', rule],
    ['a table that is inherited from', 'DELETE FROM s.p', inherited],
    ['a WITH in a DELETE', 'WITH d AS (DELETE FROM users) DELETE FROM orgs WHERE id = 1'],
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
  ['DELETE FROM p', 'p'],
  ['DELETE FROM p1', 'p1'],
])('a broken key to a partitioned table has the name it was declared with: %s', async (sql, table) => {
  // Natively the error names the partition, and the copy of the key that PostgreSQL made for it.
  const client = await twin.connect();
  await makeSchema(client, PARTITIONS);
  const [error] = readable(await client.ask(query(sql)));
  expect(error).toContain(
    `M=update or delete on table "${table}" violates foreign key constraint "r_id_fkey" on`,
  );
  await client.ask(query('DROP SCHEMA s CASCADE'));
});

test('inheritance has keys where they were declared, and nowhere else', () =>
  asNative(
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE derived () INHERITS (p);
     CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); CREATE TABLE c2 () INHERITS (c);
     INSERT INTO p VALUES (1), (2); INSERT INTO derived VALUES (1), (3);
     INSERT INTO c VALUES (1), (2); INSERT INTO c2 VALUES (1), (2), (3)`,
    ...['DELETE FROM derived', 'DELETE FROM ONLY p WHERE id = 1', 'TABLE p', 'TABLE ONLY c', 'TABLE c2'],
  ));
