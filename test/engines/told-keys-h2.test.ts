/** H2 tells of its keys itself: what pgcascade does of them, and when it asks again. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../cli/run.js';
import { workspace } from '../config/workspace.js';
import { describeMissing } from '../support/programs.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { until } from '../support/until.js';
import { missingH2, startH2 } from './h2.js';
import type { Engine } from './promises.js';
import { connect } from './twin-sides.js';

const SCHEMA = [
  'DROP ALL OBJECTS',
  'SET REFERENTIAL_INTEGRITY TRUE',
  'CREATE TABLE orders (id int PRIMARY KEY, a int, b int, UNIQUE (a, b))',
  'CREATE TABLE items (id int PRIMARY KEY, order_id int CONSTRAINT items_order REFERENCES orders ON DELETE CASCADE)',
  'CREATE TABLE notes (id int PRIMARY KEY, item_id int CONSTRAINT notes_item REFERENCES items ON DELETE SET NULL)',
  'CREATE TABLE bills (id int PRIMARY KEY, x int, y int, CONSTRAINT bills_order FOREIGN KEY (y, x) REFERENCES orders (b, a))',
  'INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20), (3, 3, 30)',
  'INSERT INTO items VALUES (10, 1), (11, 1), (20, 2)',
  'INSERT INTO notes VALUES (100, 10), (200, 20)',
  'INSERT INTO bills VALUES (2000, 2, 20)',
];
const OFF = 'SET REFERENTIAL_INTEGRITY FALSE';
const reason = missingH2();

if (reason !== undefined) describeMissing('H2 and its keys', reason);
else
  describe('H2 and its keys', () => {
    let server: Engine;
    let owner: pg.Client;
    beforeAll(async () => {
      server = await startH2();
    });
    afterAll(() => server?.close());
    beforeEach(async () => {
      owner = await connect(server);
      await owner.query(SCHEMA.join('; '));
    });

    /** A proxy whose configuration has no relation unless the options have some, and a client of it. */
    async function behind(options: ProxyOptions = {}) {
      const proxy = await startProxy({ upstream: `postgres://${server.host}:${server.port}`, ...options });
      onTestFinished(() => proxy.stop());
      return { proxy, client: await connect(proxy) };
    }
    const left = async (table: string, columns = 'id') =>
      (await owner.query(`SELECT ${columns} FROM ${table} ORDER BY id`)).rows.map((row) =>
        Object.values(row).map(String).join(' '),
      );

    test('does what they declare where REFERENTIAL_INTEGRITY is off', async () => {
      await owner.query(OFF);
      const { client } = await behind();
      expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
      expect([await left('items'), await left('notes', 'id, item_id')]).toEqual([
        ['20'],
        ['100 null', '200 20'],
      ]);
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toMatchObject({
        code: '23503',
        constraint: 'bills_order',
      });
      expect(await left('orders')).toEqual(['2', '3']);
    });

    test('leaves all of it to H2 where it is on', async () => {
      const { client, proxy } = await behind();
      expect((await client.query('DELETE FROM orders WHERE id = $1', [1])).rowCount).toBe(1);
      expect([await left('items'), await left('notes', 'id, item_id')]).toEqual([
        ['20'],
        ['100 null', '200 20'],
      ]);
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toMatchObject({ code: '23503' });
      expect(proxy.log).toEqual([expect.stringContaining('H2 2.')]);
    });

    test('does what an override says of a key that H2 enforces, and H2 the rest', async () => {
      const overrides = [{ match: 'public.bills.*', on_delete: 'cascade' as const }];
      const { client } = await behind({ cascade: { overrides } });
      expect((await client.query('DELETE FROM orders WHERE id IN (1, 2)')).rowCount).toBe(2);
      expect([await left('bills'), await left('items'), await left('notes', 'id, item_id')]).toEqual([
        [],
        [],
        ['100 null', '200 null'],
      ]);
      expect((await client.query('DELETE FROM items WHERE id = 99')).rowCount).toBe(0);
    });

    test('does what a relation says of a declared key with the same columns, as one key', async () => {
      const relations = [
        {
          name: 'own',
          from: 'public.items(order_id)',
          to: 'public.orders(id)',
          on_delete: 'restrict' as const,
        },
      ];
      const { client, proxy } = await behind({ cascade: { relations } });
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({
        constraint: 'own',
      });
      await owner.query(OFF);
      expect(await left('items')).toEqual(['10', '11', '20']);
      expect(proxy.log).toHaveLength(1);
    });

    test('hears of it at once where a client of the proxy switches it', async () => {
      const { client, proxy } = await behind();
      const other = await connect(proxy);
      await other.query('DELETE FROM orders WHERE id = 99');
      await client.query(OFF);
      await client.query('DELETE FROM orders WHERE id = 1');
      expect(await left('items')).toEqual(['20']);
      await client.query('SET REFERENTIAL_INTEGRITY TRUE');
      await client.query('ALTER TABLE bills SET REFERENTIAL_INTEGRITY FALSE');
      await other.query('DELETE FROM orders WHERE id = 3');
      await expect(other.query('DELETE FROM orders WHERE id = 2')).rejects.toMatchObject({
        constraint: 'bills_order',
      });
    });

    test('hears of a key that a client of the proxy has made, and of others within graph.refresh', async () => {
      await owner.query(OFF);
      const { client, proxy } = await behind({ graph: { refresh: '100ms' } });
      const other = await connect(proxy);
      await other.query('DELETE FROM orders WHERE id = 99');
      await client.query('CREATE TABLE tags (id int PRIMARY KEY, t int REFERENCES orders ON DELETE CASCADE)');
      await client.query('INSERT INTO tags VALUES (1, 1)');
      await other.query('DELETE FROM orders WHERE id = 1');
      expect(await left('tags')).toEqual([]);
      await owner.query('CREATE TABLE late (id int PRIMARY KEY, t int REFERENCES orders ON DELETE CASCADE)');
      await until('the key is known', async () => {
        await owner.query('MERGE INTO orders KEY (id) VALUES (3, 3, 30)');
        await owner.query('MERGE INTO late KEY (id) VALUES (1, 3)');
        await other.query('DELETE FROM orders WHERE id = 3');
        return (await left('late')).length === 0;
      });
    });

    test('does of them what a configuration says that is read again, in sessions that are open', async () => {
      const { client, proxy } = await behind();
      expect((await client.query('DELETE FROM orders WHERE id = 3')).rowCount).toBe(1);
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toMatchObject({ code: '23503' });
      const overrides = [{ match: 'public.bills.*', on_delete: 'cascade' as const }];
      expect(await proxy.reload({ cascade: { overrides } })).toMatchObject({ kind: 'applied' });
      expect((await client.query('DELETE FROM orders WHERE id = 2')).rowCount).toBe(1);
      expect([await left('orders'), await left('bills')]).toEqual([['1'], []]);
      await owner.query('INSERT INTO bills VALUES (1000, 1, 10)');
      expect(await proxy.reload({ cascade: {} })).toMatchObject({ kind: 'applied' });
      await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({ code: '23503' });
      expect([await left('orders'), await left('bills')]).toEqual([['1'], ['1000']]);
    });

    test('knows them in the first statement of a transaction, which undoes all of it', async () => {
      await owner.query(OFF);
      const { client } = await behind();
      await client.query('BEGIN');
      await client.query('DELETE FROM orders WHERE id = 1');
      expect((await client.query('SELECT id FROM items')).rows).toEqual([{ id: 20 }]);
      await client.query('ROLLBACK');
      expect(await left('items')).toEqual(['10', '11', '20']);
    });

    test('leaves them alone where the configuration says so', async () => {
      await owner.query(OFF);
      const { client } = await behind({ cascade: { declared: false } });
      await client.query('DELETE FROM orders WHERE id = 1');
      expect(await left('items')).toEqual(['10', '11', '20']);
    });

    test.each([
      ['DELETE FROM orders WHERE id = 1', { cascade: { strategy: 'single' } }, 'PGC_SERVER'],
      ['DELETE FROM other_name WHERE id = 1', {}, 'PGC_RELATION'],
      ['DELETE FROM twice WHERE id = 1', {}, 'PGC_FAMILY_NAME'],
      ['DELETE FROM orders WHERE id = 1 LIMIT 1 + 1', {}, 'PGC_FAMILY'],
      ['DELETE FROM "Orders" WHERE id = 1', {}, 'PGC_RELATION'],
      ['TRUNCATE TABLE orders', {}, 'PGC_FAMILY'],
    ] as const)('refuses %j under %j', async (sql, options, error) => {
      for (const each of [
        OFF,
        'CREATE SYNONYM other_name FOR orders',
        'CREATE TABLE twice (id int PRIMARY KEY)',
        'INSERT INTO twice VALUES (1)',
        'CREATE SCHEMA s',
        'CREATE TABLE s.twice (id int PRIMARY KEY, t int REFERENCES s.twice)',
      ])
        await owner.query(each);
      const { client } = await behind(options);
      await expect(client.query(sql)).rejects.toMatchObject({ detail: expect.stringContaining(error) });
      expect(await left('orders')).toEqual(['1', '2', '3']);
    });

    test('are counted by doctor, with what does not hold of the configuration', async () => {
      await owner.query('ALTER TABLE bills SET REFERENTIAL_INTEGRITY FALSE');
      const cwd = workspace({
        'pgcascade.yaml': 'cascade: { overrides: [{ match: "public.nowhere.*", on_delete: cascade }] }',
      });
      const url = `postgres://sa:sa@${server.host}:${server.port}/shop`;
      const { code, written } = run(['doctor', url, '--format', 'json'], undefined, {}, cwd);
      expect(await code).toBe(1);
      const { findings, keys } = JSON.parse(written.join('').replace(/^out: /, ''));
      expect(keys).toEqual({ proxy: 1, server: 2, nobody: 0 });
      expect(findings.map((each: { level: string; text: string }) => [each.level, each.text])).toEqual([
        ['problem', expect.stringContaining('matches no foreign key')],
        ['note', expect.stringContaining('nothing but its keys was looked at')],
      ]);
    });
  });
