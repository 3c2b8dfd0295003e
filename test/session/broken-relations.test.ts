/** Relations of the configuration that cannot be what they say: nobody deletes what they reference, and the log says why. */
import { beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { query, run, sync } from './frontend-messages.js';

vi.setConfig({ testTimeout: 15_000 });

const database = useDatabase();
const elsewhere = useDatabase('CREATE TABLE alone (id int PRIMARY KEY); INSERT INTO alone VALUES (1), (2)');

/** `code` is not unique: both orders have 7. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop;
  CREATE TABLE shop.regions (id int PRIMARY KEY);
  CREATE TABLE shop.orders (id int PRIMARY KEY, code int, region int REFERENCES shop.regions ON DELETE CASCADE, label varchar(5) UNIQUE);
  CREATE TABLE shop.items (id int, code int, word json);
  CREATE TABLE shop.parted (id int PRIMARY KEY, code int) PARTITION BY LIST (id);
  CREATE TABLE shop.part PARTITION OF shop.parted DEFAULT;
  CREATE VIEW shop.shown AS SELECT id, code FROM shop.orders;
  CREATE MATERIALIZED VIEW shop.kept AS SELECT id, code FROM shop.orders;
  CREATE TABLE shop.free (id int PRIMARY KEY);
  INSERT INTO shop.regions VALUES (1), (2);
  INSERT INTO shop.orders VALUES (1, 7, 1, 'a'), (2, 7, 2, 'b');
  INSERT INTO shop.items VALUES (1, 7), (2, 8);
  INSERT INTO shop.parted VALUES (1, 7), (2, 8);
  INSERT INTO shop.free VALUES (1)`;

beforeEach(async () => {
  const client = await database.connect();
  await client.query(SCHEMA);
  await client.end();
});

// The graph of the last test is another one: its tables were dropped.
const useConfigured = (cascade: ProxyOptions['cascade']) => useProxy({ cascade, graph: { refresh: '0s' } });

const relation = (to: string, from = 'shop.items(code)', more: { unique?: boolean } = {}) => ({
  relations: [{ name: 'rel', from, to, on_delete: 'cascade' as const, ...more }],
});

async function rows(table: string): Promise<string> {
  const client = await database.connect();
  const { rows } = await client.query(`SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM ${table}`);
  await client.end();
  return rows[0].ids ?? '';
}

async function told(proxy: RunningProxy, ...texts: readonly string[]): Promise<readonly string[]> {
  const client = await RawClient.login(proxy, { database: database.name });
  const answers: string[] = [];
  for (const text of texts) answers.push(...(await client.told(query(text))));
  return answers;
}

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
    ['DELETE behind another statement', 'SELECT 1; DELETE FROM shop.orders WHERE id = 1'],
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
    const client = await RawClient.login(proxy, { database: database.name });
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
  const direct = async () => {
    const client = await database.connect();
    await client.query(REMOTE(inject('postgres').port, database.name));
    await client.end();
  };

  describe('of which one references', () => {
    const proxy = useConfigured(relation('shop.free(id)', 'shop.far_items(id)'));

    test('is followed', async () => {
      await direct();
      expect(await told(proxy, 'DELETE FROM shop.free')).toContain('C DELETE 1');
      expect(await rows('shop.items')).toBe('2');
    });
  });

  describe('of which one is referenced', () => {
    const strict = useConfigured(relation('shop.far_orders(id)', 'shop.items(id)'));
    const loose = useConfigured(relation('shop.far_orders(id)', 'shop.items(id)', { unique: false }));

    test('is broken, unless it says that nothing is unique', async () => {
      await direct();
      expect((await told(strict, 'DELETE FROM shop.far_orders')).join()).toContain('PGC_RELATION_BROKEN');
      expect(await told(loose, 'DELETE FROM shop.far_orders WHERE id = 1')).toContain('C DELETE 1');
      expect([await rows('shop.orders'), await rows('shop.items')]).toEqual(['2', '2']);
    });
  });
});

describe('a relation that is broken', () => {
  describe.each([
    [
      'by a referencing table that is not there',
      'shop.orders(id)',
      'shop.lost(code)',
      'there is no table shop.lost',
    ],
    [
      'by a referencing table in another case',
      'shop.orders(id)',
      'shop."Items"(code)',
      'there is no table shop.Items (is shop.items meant?)',
    ],
    [
      'by a referencing column that is not there',
      'shop.orders(id)',
      'shop.items(lost)',
      'there is no column lost in table shop.items',
    ],
    [
      'by a referenced column that is not there',
      'shop.orders("ID")',
      'shop.items(code)',
      'there is no column ID in table shop.orders (is id meant?)',
    ],
    [
      'by types that no key can have',
      'shop.orders(id)',
      'shop.items(word)',
      'PostgreSQL has no operator to compare shop.items.word with shop.orders.id',
    ],
    [
      'by types that = would take, and a key does not',
      'shop.orders(label)',
      'shop.items(code)',
      'PostgreSQL has no operator to compare shop.items.code with shop.orders.label',
    ],
    ['by a referencing view', 'shop.orders(id)', 'shop.shown(code)', 'shop.shown is not a table'],
    ['by a referenced view', 'shop.shown(id)', 'shop.items(code)', 'shop.shown is not a table'],
    ['by a referenced materialised view', 'shop.kept(id)', 'shop.items(code)', 'shop.kept is not a table'],
  ])('%s', (_, to, from, fault) => {
    const proxy = useConfigured(relation(to, from));

    test('stops the DELETE, and is in the log once for each database', async () => {
      const answers = await told(proxy, 'DELETE FROM shop.orders WHERE id = 1');
      // Nobody can delete from a materialised view.
      if (to.startsWith('shop.kept')) expect(answers).toContain('C DELETE 1');
      else expect(answers.join('\n')).toContain(`and ${fault}. pgcascade`);
      await told(
        proxy,
        'DELETE FROM shop.free WHERE false',
        'CREATE TABLE shop.more ()',
        'DELETE FROM shop.free',
      );
      const said = proxy.log.filter((line) => line.includes('rel is broken, and every DELETE from'));
      expect(said).toEqual([expect.stringContaining(`: ${fault}`)]);
    });
  });

  describe('to a partitioned table', () => {
    const proxy = useConfigured(relation('shop.parted(code)'));

    test.each(['shop.parted', 'shop.part', 'ONLY shop.part'])('stops a DELETE from %s', async (table) => {
      expect((await told(proxy, `DELETE FROM ${table}`)).join()).toContain('PGC_RELATION_BROKEN');
    });

    test('stops a DELETE from a table that it inherits from, unless that says ONLY', async () => {
      const answers = await told(
        proxy,
        'CREATE TABLE shop.above (id int, code int); ALTER TABLE shop.parted DETACH PARTITION shop.part; DROP TABLE shop.parted; ALTER TABLE shop.part RENAME TO parted; ALTER TABLE shop.parted INHERIT shop.above',
        'DELETE FROM ONLY shop.above',
        'DELETE FROM shop.above',
      );
      expect(answers.join('\n')).toMatch(/C DELETE 0[\s\S]*PGC_RELATION_BROKEN/);
    });
  });

  describe('where the configuration passes what is unsupported', () => {
    const proxy = useConfigured({ ...relation('shop.orders(code)'), unsupported: 'pass' });

    test('lets the DELETE pass without a cascade, and says so', async () => {
      expect(await told(proxy, 'DELETE FROM shop.orders WHERE id = 1')).toContain('C DELETE 1');
      expect(await rows('shop.items')).toBe('1 2');
      expect(proxy.log.join()).toMatch(/PGC_RELATION_BROKEN.*passed on without a cascade/);
    });
  });
});

describe('at the first look at a database', () => {
  const proxy = useConfigured({
    overrides: [
      { match: 'shop.orders.orders_region_fkey', on_delete: 'restrict' },
      { match: 'shop.*.*', on_delete: 'set null' },
      { match: 'shop.orders.*', on_delete: 'restrict' },
      { match: 'shop.Orders.*', on_delete: 'cascade' },
      { match: 'shop.stays.slot', on_delete: 'cascade' },
    ],
    relations: [
      { name: 'again', from: 'shop.orders(region)', to: 'shop.regions(id)', on_delete: 'cascade' },
      { name: 'orders_region_fkey', from: 'shop.orders(code)', to: 'shop.regions(id)', on_delete: 'cascade' },
      { name: 'nulls', from: 'shop.free(id)', to: 'shop.regions(id)', on_delete: 'set null' },
    ],
  });

  test('overrides that match nothing, contradict each other, or ask for what cannot be are told, once', async () => {
    const client = await database.connect();
    await client.query(`CREATE EXTENSION IF NOT EXISTS btree_gist;
      CREATE TABLE shop.rooms (id int, span tsrange, PRIMARY KEY (id, span WITHOUT OVERLAPS));
      CREATE TABLE shop.stays (room int, span tsrange, CONSTRAINT slot FOREIGN KEY (room, PERIOD span) REFERENCES shop.rooms (id, PERIOD span));
      CREATE TABLE shop.must (region int NOT NULL CONSTRAINT must_fkey REFERENCES shop.regions)`);
    await client.end();
    for (let i = 0; i < 2; i++) await told(proxy, 'DELETE FROM shop.free WHERE false');
    const said = proxy.log.map((line) => String(JSON.parse(line).msg).replace(/^.*?: (?=cascade)/, ''));
    expect([...said].sort()).toEqual([
      'cascade.overrides: "shop.*.*" (set null) and "shop.stays.slot" (cascade) both match shop.stays.slot: the first of them decides',
      'cascade.overrides: "shop.*.*" matches shop.stays.slot, which has a PERIOD: every DELETE from shop.rooms is refused',
      'cascade.overrides: "shop.Orders.*" matches no foreign key',
      'cascade.overrides: "shop.orders.orders_region_fkey" (restrict) and "shop.*.*" (set null) both match shop.orders.orders_region_fkey: the first of them decides',
      'cascade.overrides: shop.must.must_fkey would set region to NULL, which is NOT NULL: a DELETE that finds a row there fails',
      'cascade.relations: again has the columns of the foreign key shop.orders.orders_region_fkey, and both are followed: cascade.overrides changes the action of that',
      'cascade.relations: orders_region_fkey has the name of the foreign key shop.orders.orders_region_fkey, and both are followed: cascade.overrides changes the action of that',
      'cascade.relations: shop.free.nulls would set id to NULL, which is NOT NULL: a DELETE that finds a row there fails',
    ]);
  });
});
