/** What the configuration says over the catalog: keys with another action, keys that the catalog does not have. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 15_000 });

/** All keys are enforced, and NO ACTION or RESTRICT, but where a test says otherwise; `logs` and `tags` have no key at all. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS shop, other CASCADE; CREATE SCHEMA shop; CREATE SCHEMA other;
  CREATE TABLE shop.orders (id int PRIMARY KEY, region text, code int, UNIQUE (region, code));
  CREATE TABLE shop.items (id int PRIMARY KEY,
    order_id int CONSTRAINT items_order_fkey REFERENCES shop.orders);
  CREATE TABLE shop.parts (id int PRIMARY KEY, item_id int CONSTRAINT parts_item_fkey REFERENCES shop.items);
  CREATE TABLE shop.notes (id int PRIMARY KEY,
    order_id int CONSTRAINT notes_order_fkey REFERENCES shop.orders ON DELETE RESTRICT);
  CREATE TABLE shop.bills (id int PRIMARY KEY, order_id int CONSTRAINT bills_fkey REFERENCES shop.orders);
  CREATE TABLE shop.logs (id int, order_id bigint);
  CREATE TABLE shop.tags (id int, region varchar(9), code int);
  CREATE TABLE other.items (id int,
    order_id int CONSTRAINT items_order_fkey REFERENCES shop.orders ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO shop.orders SELECT i, 'r', i FROM generate_series(1, 5) AS i;
  INSERT INTO shop.items SELECT i, i FROM generate_series(1, 3) AS i;
  INSERT INTO shop.parts SELECT i, i FROM generate_series(1, 2) AS i;
  INSERT INTO shop.notes SELECT i, i FROM generate_series(1, 2) AS i;
  INSERT INTO shop.bills VALUES (3, 3);
  INSERT INTO shop.logs SELECT i, i FROM generate_series(1, 3) AS i;
  INSERT INTO shop.tags VALUES (1, 'r', 1), (2, NULL, 1), (3, 'r', NULL), (4, 'q', 1);
  INSERT INTO other.items VALUES (1, 1), (5, 5);`;

const database = useDatabase();
beforeEach(async () => {
  const client = await database.connect();
  await client.query(SCHEMA);
  await client.end();
});

/** The ids of a table's rows, a minus before those whose reference is NULL. */
async function rowsOf(table: string, reference = 'order_id'): Promise<string> {
  const client = await database.connect();
  const sign = `CASE WHEN ${reference} IS NULL THEN '-' ELSE '' END || id`;
  const { rows } = await client.query(`SELECT string_agg(${sign}, ' ' ORDER BY id) AS ids FROM ${table}`);
  await client.end();
  return rows[0].ids ?? '';
}

/** What a DELETE of this order is answered. */
async function deleteOrder(proxy: RunningProxy, id: number): Promise<string | undefined> {
  const client = await RawClient.login(proxy, { database: database.name });
  return (await client.told(query(`DELETE FROM shop.orders WHERE id = ${id}`)))[0];
}

// The graph of the last test is another one: its tables were dropped.
const useConfigured = (cascade: ProxyOptions['cascade']) => useProxy({ cascade, graph: { refresh: '0s' } });

describe('an override', () => {
  const proxy = useConfigured({
    overrides: [
      { match: 'shop.*.*_order_fkey', on_delete: 'cascade' },
      { match: 'shop.parts.parts_item_fkey', on_delete: 'set null' },
    ],
  });

  test('by glob makes cascades of enforced NO ACTION and RESTRICT keys, and SET NULL of another below', async () => {
    expect(await deleteOrder(proxy, 1)).toBe('C DELETE 1');
    expect(await rowsOf('shop.items')).toBe('2 3');
    expect(await rowsOf('shop.notes')).toBe('2');
    expect(await rowsOf('shop.parts', 'item_id')).toBe('-1 2');
  });

  test('holds in the extended protocol and for several rows', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    const sql = 'DELETE FROM shop.orders WHERE id = ANY ($1) RETURNING id';
    expect(await client.told(run(sql, ['{1,2}']), sync)).toContain('C DELETE 2');
    expect(await rowsOf('shop.items')).toBe('3');
    expect(await rowsOf('shop.parts', 'item_id')).toBe('-1 -2');
  });

  test('leaves a key that it does not match to the server, which stops the DELETE', async () => {
    expect(await deleteOrder(proxy, 3)).toMatch(/C=23503.* n=bills_fkey s=shop t=bills$/);
    expect(await rowsOf('shop.items')).toBe('1 2 3');
    expect(await rowsOf('shop.orders', 'id')).toBe('1 2 3 4 5');
  });

  test('of one schema leaves a key of that name in another as it is declared', async () => {
    expect(await deleteOrder(proxy, 5)).toBe('C DELETE 1');
    expect(await rowsOf('other.items')).toBe('1');
  });

  test('does nothing where cascades are off', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(query("SET pgcascade.mode = 'off'"));
    const [error] = await client.told(query('DELETE FROM shop.orders WHERE id = 1'));
    expect(error).toContain('C=23503');
  });
});

describe('the first override that matches', () => {
  const proxy = useConfigured({
    overrides: [
      { match: 'shop.items.*', on_delete: 'restrict' },
      { match: 'shop.*.*', on_delete: 'cascade' },
    ],
  });

  test('decides', async () => {
    expect(await deleteOrder(proxy, 1)).toMatch(/C=23001.* n=items_order_fkey s=shop t=items$/);
    expect(await rowsOf('shop.notes')).toBe('1 2');
  });
});

describe('declared: false', () => {
  const proxy = useConfigured({ declared: false });

  test('leaves keys that the server does not perform alone', async () => {
    expect(await deleteOrder(proxy, 5)).toBe('C DELETE 1');
    expect(await rowsOf('other.items')).toBe('1 5');
  });
});

describe('a configured relation', () => {
  const proxy = useConfigured({
    relations: [
      { name: 'logs_fkey', from: 'shop.logs(order_id)', to: 'shop.orders(id)', on_delete: 'cascade' },
      {
        name: 'tags_fkey',
        from: 'shop.tags(region, code)',
        to: 'shop.orders(region, code)',
        on_delete: 'set null',
      },
      { name: 'lost_fkey', from: 'shop.logs(order_id)', to: 'shop.lost(id)', on_delete: 'cascade' },
    ],
  });

  test('is followed as a key of the catalog is, over columns of other types too', async () => {
    expect(await deleteOrder(proxy, 4)).toBe('C DELETE 1');
    expect(await rowsOf('shop.logs')).toBe('1 2 3');
    const client = await database.connect();
    await client.query('TRUNCATE shop.items, shop.parts, shop.notes, shop.bills');
    await client.end();
    expect(await deleteOrder(proxy, 1)).toBe('C DELETE 1');
    expect(await rowsOf('shop.logs')).toBe('2 3');
    expect(await rowsOf('shop.tags', 'coalesce(region, code::text)')).toBe('-1 2 3 4');
  });

  test('goes together with the keys that the server enforces', async () => {
    expect(await deleteOrder(proxy, 3)).toMatch(/C=23503.* s=shop/);
    expect(await rowsOf('shop.logs')).toBe('1 2 3');
  });

  test('whose referenced table is not there is left out, with a warning', async () => {
    expect(await deleteOrder(proxy, 4)).toBe('C DELETE 1');
    expect(proxy.log.join()).toMatch(/lost_fkey is left out: there is no table shop\.lost/);
  });
});

describe('a configured relation that restricts', () => {
  const proxy = useConfigured({
    relations: [
      { name: 'logs_fkey', from: 'shop.logs(order_id)', to: 'shop.orders(id)', on_delete: 'restrict' },
    ],
  });

  test('stops the DELETE under its own name', async () => {
    const client = await database.connect();
    await client.query('TRUNCATE shop.items, shop.parts, shop.notes, shop.bills');
    await client.end();
    expect(await deleteOrder(proxy, 1)).toMatch(/C=23001.* n=logs_fkey s=shop t=logs$/);
    expect(await deleteOrder(proxy, 4)).toBe('C DELETE 1');
  });
});

describe('unsupported: pass', () => {
  const proxy = useConfigured({ unsupported: 'pass' });
  const hidden = `WITH n AS (INSERT INTO other.items VALUES (6, 5)), d AS (DELETE FROM shop.orders WHERE id = 5 RETURNING id)
    SELECT id FROM d`;

  test('passes on what cannot be expanded, without a cascade, and says so in the log', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    expect(await client.told(query(hidden))).toContain('D 5');
    expect(await rowsOf('other.items')).toBe('1 5 6');
    expect(proxy.log.join()).toMatch(/PGC_FORM.*passed on without a cascade/);
  });

  test('still expands what can be expanded, in the same string too', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    const text = `${hidden}; INSERT INTO shop.orders VALUES (5); DELETE FROM shop.orders WHERE id = 5`;
    expect(await client.told(query(text))).toContain('C DELETE 1');
    expect(await rowsOf('other.items')).toBe('1');
  });
});

describe('mode: off', () => {
  const proxy = useConfigured({ mode: 'off' });

  test('passes everything as it is', async () => {
    expect(await deleteOrder(proxy, 5)).toBe('C DELETE 1');
    expect(await rowsOf('other.items')).toBe('1 5');
  });
});

describe('TRUNCATE … CASCADE', () => {
  const proxy = useConfigured({
    relations: [{ name: 'logs_fkey', from: 'shop.logs(id)', to: 'shop.items(id)', on_delete: 'cascade' }],
  });

  test('takes along what a configured relation references below keys that the server follows', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    const answers = await client.told(query('TRUNCATE shop.orders CASCADE'));
    expect(answers.filter((each) => each.startsWith('N')).join('\n')).toContain(
      'truncate cascades to table "logs"',
    );
    expect(await rowsOf('shop.logs')).toBe('');
  });
});
