/** Relations of the configuration to columns that no unique index covers: nobody deletes what they reference, unless they say so. */
import { describe, expect, inject, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { RawClient } from '../support/raw-client.js';
import { relation, useConfigured, useShop } from './shop.js';

vi.setConfig({ testTimeout: 15_000 });

const shop = useShop();
const { rows, told } = shop;
const elsewhere = useDatabase('CREATE TABLE alone (id int PRIMARY KEY); INSERT INTO alone VALUES (1), (2)');

describe('a relation to columns that are not unique', () => {
  const proxy = useConfigured(relation('shop.orders(code)'));

  test.each([
    ['DELETE', 'DELETE FROM shop.orders WHERE id = 1'],
    ['DELETE of no rows', 'DELETE FROM shop.orders WHERE false'],
    ['DELETE through a view', 'DELETE FROM shop.shown WHERE id = 1'],
    ['DELETE that the server cascades to it', 'DELETE FROM shop.regions WHERE id = 1'],
    ['DELETE in a WITH', 'WITH d AS (DELETE FROM shop.orders WHERE id = 1 RETURNING id) SELECT id FROM d'],
    ['DELETE beside another one', 'WITH d AS (DELETE FROM shop.orders) DELETE FROM shop.free'],
    ['MERGE', 'MERGE INTO shop.orders o USING (VALUES (1)) v (id) ON v.id = o.id WHEN MATCHED THEN DELETE'],
    ['TRUNCATE', 'TRUNCATE shop.orders'],
    ['TRUNCATE … CASCADE', 'TRUNCATE shop.orders CASCADE'],
    ['TRUNCATE … CASCADE above it', 'TRUNCATE shop.regions CASCADE'],
    ['EXPLAIN ANALYZE', 'EXPLAIN ANALYZE DELETE FROM shop.orders WHERE id = 1'],
    ['COPY', 'COPY (DELETE FROM shop.orders WHERE id = 1 RETURNING id) TO STDOUT'],
    ['PREPARE', 'PREPARE d AS DELETE FROM shop.orders WHERE id = 1'],
    ['DELETE after another statement', 'SELECT 1; DELETE FROM shop.orders WHERE id = 1'],
  ])('stops a %s, by name', async (_, text) => {
    const answers = await told(proxy, text);
    expect(answers.join('\n')).toMatch(/E C=0A000 D=.* pgcascade reports PGC_(RELATION_BROKEN|FORM)\./);
    expect([await rows('shop.orders'), await rows('shop.items')]).toEqual(['1 2', '1 2']);
  });

  test('says which relation, which table, what is wrong and what to do', async () => {
    expect(await told(proxy, 'DELETE FROM shop.regions')).toEqual([
      'E C=0A000 D=It references "shop"."orders", and no unique index covers exactly shop.orders(code).' +
        ' pgcascade reports PGC_RELATION_BROKEN.' +
        ' H=In cascade.relations, make the columns unique, or say "unique: false" if several rows may have one key;' +
        ' or SET pgcascade.mode = off.' +
        ' M=cannot delete the rows of "shop"."regions": the relation rel of the configuration is broken S=ERROR V=ERROR',
      'Z I',
    ]);
  });

  test('stops a DELETE in the extended protocol', async () => {
    const client = await RawClient.login(proxy, { database: shop.database.name });
    const answers = await client.told(run('DELETE FROM shop.orders WHERE id = $1', ['1']), sync);
    expect(answers.join('\n')).toContain('PGC_RELATION_BROKEN');
    expect(await rows('shop.orders')).toBe('1 2');
  });

  test('leaves other tables alone, and the referencing one', async () => {
    expect(await told(proxy, 'DELETE FROM shop.free', 'DELETE FROM shop.items WHERE id = 1')).toEqual([
      'C DELETE 1',
      'Z I',
      'C DELETE 1',
      'Z I',
    ]);
  });

  test('stops nothing where the session switched cascades off', async () => {
    const answers = await told(proxy, 'SET pgcascade.mode = off', 'DELETE FROM shop.orders WHERE id = 1');
    expect(answers).toContain('C DELETE 1');
    expect(await rows('shop.items')).toBe('1 2');
  });

  test('is followed from the statement on that makes them unique', async () => {
    const answers = await told(
      proxy,
      'DELETE FROM shop.orders WHERE id = 9',
      'UPDATE shop.orders SET code = 8 WHERE id = 2; ALTER TABLE shop.orders ADD UNIQUE (code)',
      'DELETE FROM shop.orders WHERE id = 1',
    );
    expect(answers.join('\n')).toMatch(/PGC_RELATION_BROKEN[\s\S]*C DELETE 1/);
    expect(await rows('shop.items')).toBe('2');
  });

  test('in a database where the referenced table has another case asks for it in the log', async () => {
    const client = await RawClient.login(proxy, { database: elsewhere.name });
    await client.ask(query('CREATE SCHEMA shop; CREATE TABLE shop."Orders" (id int)'));
    expect(await client.told(query('DELETE FROM shop."Orders"'))).toContain('C DELETE 0');
    await client.ask(query('DROP SCHEMA shop CASCADE'));
    expect(proxy.log.map((line) => JSON.parse(line).msg)).toContainEqual(
      expect.stringContaining('there is no table shop.orders (is shop."Orders" meant?)'),
    );
  });

  test('stops no statement of a database without the referenced table', async () => {
    const client = await RawClient.login(proxy, { database: elsewhere.name });
    expect(await client.told(query('DELETE FROM alone WHERE id = 1'))).toEqual(['C DELETE 1', 'Z I']);
    expect(await client.told(query('TRUNCATE alone'))).toEqual(['C TRUNCATE TABLE', 'Z I']);
    expect(proxy.log.join('\n')).toMatch(
      /\d\/scratch_\w+: cascade\.relations: rel is left out: there is no table shop\.orders/,
    );
  });
});

describe('a relation to columns that are not unique, which says so,', () => {
  const proxy = useConfigured(relation('shop.orders(code)', 'shop.items(code)', { unique: false }));

  test('takes the children of each row that goes, whatever other row has the key', async () => {
    expect(await told(proxy, 'DELETE FROM shop.orders WHERE id = 1')).toContain('C DELETE 1');
    expect([await rows('shop.orders'), await rows('shop.items')]).toEqual(['2', '2']);
  });
});

describe('a relation of foreign tables, which have no unique index,', () => {
  const REMOTE = (port: number, name: string) => `CREATE EXTENSION IF NOT EXISTS postgres_fdw;
    DROP SERVER IF EXISTS self CASCADE;
    CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${port}', dbname '${name}');
    CREATE USER MAPPING FOR current_user SERVER self OPTIONS (user 'postgres');
    CREATE FOREIGN TABLE shop.far_items (id int, code int) SERVER self OPTIONS (schema_name 'shop', table_name 'items');
    CREATE FOREIGN TABLE shop.far_orders (id int, code int) SERVER self OPTIONS (schema_name 'shop', table_name 'orders')`;
  const makeRemote = () => shop.direct.query(REMOTE(inject('postgres').port, shop.database.name));

  describe('of which one references', () => {
    const proxy = useConfigured(relation('shop.free(id)', 'shop.far_items(id)'));

    test('is followed', async () => {
      await makeRemote();
      expect(await told(proxy, 'DELETE FROM shop.free')).toContain('C DELETE 1');
      expect(await rows('shop.items')).toBe('2');
    });
  });

  describe('of which one is referenced', () => {
    const strict = useConfigured(relation('shop.far_orders(id)', 'shop.items(id)'));
    const loose = useConfigured(relation('shop.far_orders(id)', 'shop.items(id)', { unique: false }));

    test('is broken, unless it says that nothing is unique', async () => {
      await makeRemote();
      expect((await told(strict, 'DELETE FROM shop.far_orders')).join()).toContain('PGC_RELATION_BROKEN');
      expect(await told(loose, 'DELETE FROM shop.far_orders WHERE id = 1')).toContain('C DELETE 1');
      expect([await rows('shop.orders'), await rows('shop.items')]).toEqual(['2', '2']);
    });
  });
});
