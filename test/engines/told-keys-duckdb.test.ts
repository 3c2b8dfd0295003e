/** DuckDB tells of its keys itself. It enforces them without actions, and so that child and parent do not go in one transaction. */
import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Node } from '../../src/sql/parser/parser.js';
import { describeMissing } from '../support/programs.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { startGated } from './gated.js';
import { missing } from './packages.js';
import type { Rule } from './rules.js';
import { connect } from './twin-sides.js';

const SCHEMA = [
  'CREATE TABLE orders (id int PRIMARY KEY)',
  'CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders, parent int REFERENCES items)',
  'CREATE TABLE parts (id int PRIMARY KEY, item_id int REFERENCES items)',
  'INSERT INTO orders VALUES (1), (2), (3)',
  'INSERT INTO items VALUES (10, 1, NULL), (20, 2, NULL)',
  'INSERT INTO items VALUES (11, NULL, 10)',
  'INSERT INTO items VALUES (12, NULL, 11)',
  'INSERT INTO parts VALUES (100, 12), (200, 20)',
];
const ACTIONS = [
  { match: 'main.items.*', on_delete: 'cascade' as const },
  { match: 'main.parts.*', on_delete: 'set null' as const },
];
const reason = missing(DUCKDB_PACKAGE);

if (reason !== undefined) describeMissing('DuckDB and its keys', reason);
else
  describe('DuckDB and its keys', () => {
    async function behind(options: ProxyOptions, schema: readonly string[] = SCHEMA) {
      const engine = await startDuckDb(schema);
      onTestFinished(() => engine.close());
      const proxy = await startProxy({ upstream: `postgres://${engine.host}:${engine.port}`, ...options });
      onTestFinished(() => proxy.stop());
      return { client: await connect(proxy), owner: await connect(engine), proxy };
    }
    const left = async (client: pg.Client) => {
      const rows = ['orders', 'items', 'parts'].map((table) =>
        client.query(`SELECT id FROM ${table} ORDER BY id`),
      );
      return (await Promise.all(rows)).map((answer) => answer.rows.map(({ id }) => String(id)).join(' '));
    };
    const ALL = ['1 2 3', '10 11 12 20', '100 200'];

    test('leaves them to DuckDB where nobody gives them actions', async () => {
      const { client, owner } = await behind({});
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('still referenced');
      expect((await client.query('DELETE FROM orders WHERE id = 3')).rowCount).toBe(1);
      expect(await left(owner)).toEqual(['1 2', ...ALL.slice(1)]);
    });

    test('refuses as a whole what they let nobody do as a whole, by the name of the key', async () => {
      const { client, owner } = await behind({ cascade: { overrides: ACTIONS } });
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({
        detail: expect.stringContaining('PGC_ATOMIC'),
        message: expect.stringContaining('it enforces "items_order_id_id_fkey"'),
      });
      expect(await left(owner)).toEqual(ALL);
    });

    test.each([
      undefined,
      [1],
    ])('does what overrides say statement by statement, where that is allowed: values %j', async (values) => {
      const { client, owner } = await behind({ cascade: { overrides: ACTIONS, atomic: false } });
      const sql = 'DELETE FROM orders WHERE id = 1';
      const answer = values ? await client.query(sql.replace('1', '$1'), values) : await client.query(sql);
      expect(answer.rowCount).toBe(1);
      expect(await left(owner)).toEqual(['2 3', '20', '100 200']);
      expect((await owner.query('SELECT item_id FROM parts ORDER BY id')).rows).toEqual([
        { item_id: null },
        { item_id: '20' },
      ]);
    });

    test('refuses it in a transaction of the client, and goes on in that', async () => {
      const { client, owner } = await behind({ cascade: { overrides: ACTIONS, atomic: false } });
      await client.query('BEGIN');
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({
        detail: expect.stringContaining('PGC_FAMILY'),
      });
      await client.query('ROLLBACK');
      expect(await left(owner)).toEqual(ALL);
    });

    test('deletes nothing where a key without an action stands against it', async () => {
      const { client, owner } = await behind({ cascade: { overrides: ACTIONS.slice(0, 1), atomic: false } });
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toThrow('still referenced');
      expect(await left(owner)).toEqual(ALL);
    });

    test('does what a relation says of a declared key, whatever the case of its letters', async () => {
      const relations = [
        { name: 'a', from: 'main.Items(Order_Id)', to: 'main.Orders(Id)', on_delete: 'cascade' as const },
        { name: 'b', from: 'main.items(parent)', to: 'main.items(id)', on_delete: 'cascade' as const },
        { name: 'c', from: 'main.parts(item_id)', to: 'main.items(id)', on_delete: 'cascade' as const },
      ];
      const { client, owner, proxy } = await behind({ cascade: { relations, atomic: false } });
      expect((await client.query('DELETE FROM ORDERS WHERE id < 3')).rowCount).toBe(2);
      expect(await left(owner)).toEqual(['3', '', '']);
      expect(proxy.log).toHaveLength(1);
    });

    test('hears of keys that a client of the proxy makes, and of such as it makes in its transaction', async () => {
      const { client, owner, proxy } = await behind({ cascade: { overrides: ACTIONS, atomic: false } });
      await client.query('DELETE FROM orders WHERE id = 99');
      const other = await connect(proxy);
      await other.query('BEGIN');
      await other.query('CREATE TABLE tags (id int PRIMARY KEY, t int REFERENCES orders)');
      await other.query('INSERT INTO tags VALUES (1, 3)');
      await client.query('DELETE FROM items WHERE id = 99');
      await other.query('COMMIT');
      await expect(client.query('DELETE FROM orders WHERE id = 3')).rejects.toThrow('still referenced');
      expect((await left(owner))[0]).toBe('1 2 3');
    });

    test('does of them what a configuration says that is read again, in sessions that are open', async () => {
      const { client, owner, proxy } = await behind({});
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('still referenced');
      const cascade = { overrides: ACTIONS, atomic: false };
      expect(await proxy.reload({ cascade })).toMatchObject({ kind: 'applied' });
      expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
      expect(await left(owner)).toEqual(['2 3', '20', '100 200']);
      expect(await proxy.reload({ cascade: {} })).toMatchObject({ kind: 'applied' });
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toThrow('still referenced');
      expect(await left(owner)).toEqual(['2 3', '20', '100 200']);
    });

    test('keeps to one transaction where the database has no keys, and nothing stands against it', async () => {
      const relations = [
        { name: 'a', from: 'main.items(order_id)', to: 'main.orders(id)', on_delete: 'cascade' as const },
      ];
      const plain = SCHEMA.map((sql) => sql.replace(/ REFERENCES \w+/g, ''));
      const { client, owner } = await behind({ cascade: { relations } }, plain);
      expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
      expect((await left(owner))[0]).toBe('2 3');
    });
  });

/** PostgreSQL in its place, which can be made to fail. */
test('deletes nothing as long as the keys cannot be read, and says so', async () => {
  const isAsked = (tree: Node) => JSON.stringify(tree).includes('duckdb_constraints');
  const failing: Rule = { sqlstate: '57014', words: 'out of patience', refuses: isAsked };
  const gated = await startGated({ rules: [failing] }, ['CREATE TABLE orders (id int PRIMARY KEY)']);
  onTestFinished(() => gated.close());
  const upstream = `postgres://${gated.host}:${gated.port}`;
  const proxy = await startProxy({ upstream, profile: 'duckdb' });
  onTestFinished(() => proxy.stop());
  const client = await connect(proxy, gated.database, { user: 'postgres' });
  await gated.load('INSERT INTO orders VALUES (1)');
  for (const values of [undefined, [1]])
    await expect(
      client.query(`DELETE FROM orders WHERE id = ${values ? '$1' : '1'}`, values),
    ).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining('out of patience'),
      detail: 'pgcascade reports PGC_FAMILY_KEYS.',
    });
  await client.query('BEGIN');
  await expect(client.query('DELETE FROM orders')).rejects.toMatchObject({ code: '55000' });
  await client.query('ROLLBACK');
  expect((await client.query('SELECT id FROM orders')).rowCount).toBe(1);
});
