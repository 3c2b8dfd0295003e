/** Relations of the configuration that cannot be what they say: nobody deletes what they reference, and the log says why. */
import { describe, expect, test, vi } from 'vitest';
import { relation, useConfigured, useShop } from './shop.js';

vi.setConfig({ testTimeout: 15_000 });

const shop = useShop();
const { rows, told } = shop;

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

    test('refuses the DELETE all the same', async () => {
      expect((await told(proxy, 'DELETE FROM shop.orders WHERE id = 1')).join()).toContain(
        'PGC_RELATION_BROKEN',
      );
      expect(await rows('shop.items')).toBe('1 2');
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
    await shop.direct.query(`CREATE EXTENSION IF NOT EXISTS btree_gist;
      CREATE TABLE shop.rooms (id int, span tsrange, PRIMARY KEY (id, span WITHOUT OVERLAPS));
      CREATE TABLE shop.stays (room int, span tsrange, CONSTRAINT slot FOREIGN KEY (room, PERIOD span) REFERENCES shop.rooms (id, PERIOD span));
      CREATE TABLE shop.must (region int NOT NULL CONSTRAINT must_fkey REFERENCES shop.regions)`);
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
