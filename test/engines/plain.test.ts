import { expect, onTestFinished, test } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { describeMissing } from '../support/programs.js';
import { RawClient, readable } from '../support/raw-client.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { startGated } from './gated.js';
import { GATES } from './gates.js';
import { missing } from './packages.js';
import { behind, left, SHOP, TABLES, trigger } from './shop.js';
import { SQLITE_PACKAGE, startSqlite } from './sqlite.js';
import { connect, startBefore, through } from './twin-sides.js';
import type { World } from './worlds.js';

test('a row that comes to reference one that goes is found after the deletes, and goes too', async () => {
  const late =
    'IF NOT EXISTS (SELECT FROM items WHERE id = 99) THEN INSERT INTO items VALUES (99, 1); END IF';
  const { client, gated } = await behind(GATES.redshift, trigger('orders', late));
  expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
});

test('an error after which the family says that the same may succeed is not told: all is done once more', async () => {
  const once = "IF nextval('tries') = 1 THEN RAISE '1023 Serializable isolation violation on table'; END IF";
  const schema = ['CREATE SEQUENCE tries', ...trigger('items', once)];
  const { client, gated } = await behind(GATES.redshift, schema);
  expect((await client.query('DELETE FROM orders WHERE id = $1', [1])).rowCount).toBe(1);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
});

test('another error undoes what was deleted, and a transaction of the client ends with it', async () => {
  const { client, gated } = await behind(GATES.redshift, trigger('orders', "RAISE 'no'"));
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('no');
  await client.query('BEGIN');
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('no');
  await expect(client.query('SELECT 1')).rejects.toMatchObject({ code: '25P02' });
  await client.query('ROLLBACK');
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test('where an error leaves the transaction open, the connection is closed, so that nothing half done is committed', async () => {
  const settings = { profile: 'duckdb' } as const;
  const { client, gated } = await behind({ rules: [] }, trigger('orders', "RAISE 'no'"), settings);
  // It is found out here that this server does not know what a DuckDB is asked for its keys.
  await client.query('DELETE FROM items WHERE id = 99');
  await client.query('BEGIN');
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('connection is closed');
  await expect(client.query('COMMIT')).rejects.toThrow();
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test('without transactions an error says how many rows are gone, no orphan is left, and the same again goes on', async () => {
  const settings = { cascade: { atomic: false } };
  const { client, gated } = await behind(GATES.cratedb, trigger('orders', "RAISE 'no'"), settings);
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({
    message: 'no',
    detail: '2 rows were deleted or changed before.',
  });
  expect(await left({ query: gated.load })).toEqual(['2', '1']);
  await gated.load('DROP TRIGGER meanwhile ON orders');
  expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
});

test('without transactions and without leave nothing is deleted', async () => {
  const { client, gated } = await behind(GATES.cratedb, []);
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({
    hint: expect.stringContaining('cascade.atomic'),
  });
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test.each([
  'DELETE FROM orders WHERE id IN (SELECT order_id FROM items)',
  'DELETE FROM orders WHERE id = 1 AND EXISTS (SELECT 1 FROM lines)',
  'DELETE FROM orders WHERE id > random()',
  'DELETE FROM orders WHERE id = mine(1)',
])('without transactions %s is refused: the same statement would not find its rows again', async (sql) => {
  const { client, gated } = await behind(GATES.cratedb, [], { cascade: { atomic: false } });
  await expect(client.query(sql)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringMatching(/^cannot cascade a DELETE from .*orders.* a WHERE that/),
  });
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test('without transactions a WHERE that gives the same each time is none of these', async () => {
  const { client, gated } = await behind(GATES.cratedb, [], { cascade: { atomic: false } });
  const sql = "DELETE FROM orders WHERE abs(id) = '1'::int AND lower(upper('a')) = 'a' AND now() IS NOT NULL";
  expect((await client.query(sql)).rowCount).toBe(1);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
});

const RETURNING = 'DELETE FROM orders WHERE id < 3 RETURNING label, id + 1 AS next';
const RETURNERS = [
  ['SQLite', SQLITE_PACKAGE, startSqlite, { profile: 'sqlite' }],
  ['DuckDB', DUCKDB_PACKAGE, startDuckDb, {}],
] as const;
for (const [engineName, name, start, options] of RETURNERS) {
  const title = `${engineName}: a RETURNING gives the rows that went, in both protocols`;
  const reason = missing(name);
  if (reason !== undefined) describeMissing(title, reason);
  else
    test.each([undefined, [3]])(`${title}: values %j`, async (values) => {
      const engine = await start(TABLES);
      onTestFinished(() => engine.close());
      const client = await through(engine, [SHOP], 'main', options);
      const answer = values
        ? await client.query(RETURNING.replace('3', '$1'), values)
        : await client.query(RETURNING);
      expect(answer.rows.map((row) => Object.entries(row).map(([key, value]) => `${key} ${value}`))).toEqual([
        ['label one', 'next 2'],
        ['label two', 'next 3'],
      ]);
      expect(answer.rowCount).toBe(2);
      expect(await left(await connect(engine))).toEqual(['0', '0']);
    });
}

const HIDING = [
  'CREATE TEMP TABLE orders (id int); INSERT INTO orders VALUES (1)',
  'CREATE TEMP VIEW orders AS SELECT 1 AS id, 2 AS other',
  'SELECT 1 AS id INTO TEMP orders',
  'DO $$ BEGIN CREATE TEMP TABLE orders AS SELECT 1 AS id; END $$',
];
test.each(
  HIDING,
)('a temporary table may hide another, so after %j a name has to have its schema', async (sql) => {
  const { client, gated } = await behind(GATES.redshift, []);
  const prepared = { name: 'd', text: 'DELETE FROM orders WHERE id = $1', values: [1] };
  expect((await client.query({ ...prepared, values: [9] })).rowCount).toBe(0);
  for (const each of sql.split('; INSERT')) await client.query(each.replace(/^ INTO/, 'INSERT INTO'));
  for (const query of ['DELETE FROM orders WHERE id = 1', prepared])
    await expect(client.query(query)).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringContaining('temporary'),
    });
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
  expect((await client.query('DELETE FROM items WHERE id = 99')).rowCount).toBe(0);
  expect((await client.query('DELETE FROM public.orders WHERE id = 1')).rowCount).toBe(1);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
});

test('a query after an Execute without a Sync is refused by the name of the server', async () => {
  const gated = await startGated(GATES.redshift, TABLES);
  onTestFinished(() => gated.close());
  const proxy = await startBefore(gated, [SHOP], 'public');
  const client = await RawClient.login(proxy, { database: gated.database });
  client.send(run('SELECT 1'), query('DELETE FROM orders WHERE id = 1'));
  expect(readable(await client.untilReady()).join()).toMatch(
    /M=cannot cascade a DELETE from .* on Redshift: a query in a pipeline/,
  );
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test('an Execute after another one without a Sync is refused by the name of the server, and the log tells of it', async () => {
  const gated = await startGated(GATES.redshift, TABLES);
  onTestFinished(() => gated.close());
  const proxy = await startBefore(gated, [SHOP], 'public', { log: { level: 'info' } });
  const client = await RawClient.login(proxy, { database: gated.database });
  client.send(run('SELECT 1'), run('DELETE FROM orders WHERE id = 1'), sync);
  expect(readable(await client.untilReady()).join()).toMatch(
    /M=cannot cascade a DELETE from .* on Redshift: after an Execute without a Sync/,
  );
  expect(proxy.log.filter((line) => line.includes('PGC_FAMILY'))).toHaveLength(1);
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

const WORDS = ["it's", 'a"b', "'; DROP TABLE orders; --", '$1', '%_', 'é語𝄞', ' ', 'E\\', '\\n', "\\'"];
const WORDY: World = {
  name: 'words',
  tables: ['names', 'uses'],
  keys: [{ from: 'uses', columns: ['name'], to: 'names', referenced: ['name'], action: 'cascade' }],
};
const NAMES = [
  'CREATE TABLE names (name varchar(40) PRIMARY KEY)',
  'CREATE TABLE uses (id int PRIMARY KEY, name varchar(40))',
  ...WORDS.flatMap((word, i) => {
    const literal = `'${word.replaceAll("'", "''")}'`;
    return [`INSERT INTO names VALUES (${literal})`, `INSERT INTO uses VALUES (${i}, ${literal})`];
  }),
];
const SERVERS = [
  ['SQLite', missing(SQLITE_PACKAGE), () => startSqlite(NAMES), 'main', { profile: 'sqlite' }],
  ['DuckDB', missing(DUCKDB_PACKAGE), () => startDuckDb(NAMES), 'main', {}],
  ['CrateDB', undefined, () => startGated(GATES.cratedb, NAMES), 'public', { cascade: { atomic: false } }],
  ['Greenplum 6', undefined, () => startGated(GATES.greenplum6, NAMES), 'public', {}],
] as const;
for (const [name, reason, start, schema, options] of SERVERS) {
  const title = `${name}: words of any signs are the same as literals`;
  if (reason !== undefined) describeMissing(title, reason);
  else
    test(title, async () => {
      const engine = await start();
      onTestFinished(() => engine.close());
      const client = await through(engine, [WORDY], schema, options, { user: 'postgres' });
      const counts = async () =>
        (await client.query('SELECT count(*) AS n FROM uses')).rows.map(({ n }) => Number(n));
      for (const [i, word] of WORDS.entries()) {
        const text = 'DELETE FROM names WHERE name = $1';
        expect([word, (await client.query(text, [word])).rowCount]).toEqual([word, 1]);
        expect([word, await counts()]).toEqual([word, [WORDS.length - i - 1]]);
      }
    });
}

test('Redshift: a key with a backslash is refused, and the others go', async () => {
  const engine = await startGated(GATES.redshift, NAMES);
  onTestFinished(() => engine.close());
  const client = await through(engine, [WORDY], 'public', {}, { user: 'postgres' });
  await expect(client.query("DELETE FROM names WHERE name LIKE 'E%'")).rejects.toThrow('as a literal');
  const plain = WORDS.filter((word) => !word.includes('\\'));
  expect((await client.query('DELETE FROM names WHERE strpos(name, chr(92)) = 0')).rowCount).toBe(
    plain.length,
  );
  expect((await client.query('SELECT FROM uses')).rowCount).toBe(WORDS.length - plain.length);
});
