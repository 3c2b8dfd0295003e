/** The keys of a catalog and what the configuration says of them become one graph: without a server, in milliseconds. */
import { describe, expect, test } from 'vitest';
import type { Catalog, CatalogKey } from '../../src/graph/catalog/catalog.js';
import type { ConfiguredKey, KeySettings, Override } from '../../src/graph/catalog/key-settings.js';
import type { Graph } from '../../src/graph/graph.js';
import { mergeGraph } from '../../src/graph/merge.js';
import type { ForeignKey } from '../../src/graph/model.js';
import {
  catalog,
  column,
  declared,
  ITEMS,
  keySettings,
  ORDERS,
  overriding,
  relation,
  table,
  withoutKeys,
} from './shop-catalog.js';

/** The keys that reference orders. */
function keysOf(graph: Graph): readonly ForeignKey[] {
  const orders = graph.relation(ORDERS);
  return orders ? graph.keysTo(orders) : [];
}

async function merged(
  given: Partial<CatalogKey>,
  by: KeySettings = keySettings,
): Promise<ForeignKey | undefined> {
  return keysOf(await mergeGraph({ ...catalog, keys: [{ ...declared, ...given }] }, by))[0];
}

async function problems(of: Catalog, by: KeySettings): Promise<readonly string[]> {
  return (await mergeGraph(of, by)).problems.map(({ kind, text }) => `${kind}: ${text}`);
}

describe('a key of the catalog', () => {
  test.each([
    ['is performed by the proxy where it is not enforced', false, true, 'proxy'],
    ['is performed by nobody where cascade.declared is false', false, false, 'nobody'],
    ['is left to the server that enforces it', true, true, 'server'],
  ])('%s', async (_, enforced, declared, performer) => {
    expect(await merged({ enforced }, { ...keySettings, declared })).toMatchObject({
      performer,
      action: 'cascade',
      enforcedByServer: false,
    });
  });

  test.each([
    ['a', 'no action'],
    ['r', 'restrict'],
    ['c', 'cascade'],
    ['n', 'set null'],
    ['d', 'set default'],
  ])('has, as confdeltype %s says, the action %s', async (action, expected) => {
    const items = table(ITEMS, 'items', {
      columns: [{ name: 'order_id', notNull: false, scalar: true, constant: '7', generated: false }],
    });
    const graph = await mergeGraph(
      { ...catalog, relations: [table(ORDERS, 'orders'), items], keys: [{ ...declared, action }] },
      keySettings,
    );
    expect(keysOf(graph)[0]?.action).toBe(expected);
  });

  test.each([
    ['a', 'no action'],
    ['r', 'restrict'],
    ['c', 'cascade'],
    ['n', 'set null'],
    ['d', 'set null'],
  ])('does, as confupdtype %s says, %s ON UPDATE', async (updateAction, expected) => {
    expect(await merged({ updateAction })).toMatchObject({ onUpdate: expected, action: 'cascade' });
  });

  test('sets null where SET DEFAULT finds no default', async () => {
    expect((await merged({ action: 'd' }))?.action).toBe('set null');
  });

  test('changes all of its columns, or those that it lists', async () => {
    expect((await merged({ action: 'n' }))?.setColumns).toEqual(['order_id']);
    expect((await merged({ action: 'n', setColumns: ['id'] }))?.setColumns).toEqual(['id']);
  });

  test('is left out where one of its tables is not known', async () => {
    const graph = await mergeGraph({ ...catalog, keys: [{ ...declared, referencing: 99 }] }, keySettings);
    expect([keysOf(graph), graph.isActive]).toEqual([[], false]);
  });
});

describe('an override', () => {
  test.each([
    ['cascade', true],
    ['set null', true],
    ['restrict', false],
    ['no action', false],
  ] as const)('gives %s to an enforced key, whose rows come before the server where it changes some: %s', async (action, enforcedByServer) => {
    expect(await merged({ enforced: true }, overriding('shop.items.items_order_fkey', action))).toMatchObject(
      { performer: 'proxy', action, enforcedByServer },
    );
  });

  test.each([
    'shop.items.items_order_fkey',
    '*.*.*',
    '*_fkey',
    'shop.item?.*',
  ])('%s matches the key', async (match) => {
    expect((await merged({}, overriding(match, 'restrict')))?.action).toBe('restrict');
  });

  test.each([
    'items_order_fkey',
    'shop.item?s.*',
    'shop.orders.*',
    'SHOP.*.*',
    'shop[.]items.*',
  ])('%s does not match it, and is told as a problem', async (match) => {
    expect((await merged({}, overriding(match, 'restrict')))?.action).toBe('cascade');
    expect(await problems(catalog, overriding(match, 'restrict'))).toEqual([
      `unmatched override: cascade.overrides: "${match}" matches no foreign key`,
    ]);
  });

  test('that stands first decides, and one that contradicts it is told as a problem', async () => {
    const overrides: Override[] = [
      { match: 'shop.*', on_delete: 'restrict' },
      { match: '*_fkey', on_delete: 'set null' },
      { match: '*', on_delete: 'restrict' },
    ];
    expect((await merged({}, { ...keySettings, overrides }))?.action).toBe('restrict');
    expect(await problems(catalog, { ...keySettings, overrides })).toEqual([
      'contradicting overrides: cascade.overrides: "shop.*" (restrict) and "*_fkey" (set null) both match shop.items.items_order_fkey: the first of them decides',
    ]);
  });

  test('acts where cascade.declared is false', async () => {
    expect(await merged({}, { ...overriding('*', 'cascade'), declared: false })).toMatchObject({
      performer: 'proxy',
    });
  });

  test('of SET NULL is told where a column is NOT NULL, and the declared action is not', async () => {
    const setsId = { ...catalog, keys: [{ ...declared, action: 'n', setColumns: ['id'] }] };
    expect(await problems(setsId, keySettings)).toEqual([]);
    expect(await problems(setsId, overriding('*', 'set null'))).toEqual([
      'not null: cascade.overrides: shop.items.items_order_fkey would set id to NULL, which is NOT NULL: a DELETE that finds a row there fails',
    ]);
  });

  test('of a key with PERIOD is told as a problem', async () => {
    const [problem] = await problems(
      { ...catalog, keys: [{ ...declared, period: true }] },
      overriding('*', 'cascade'),
    );
    expect(problem).toMatch(
      /^period: .*shop\.items\.items_order_fkey.*every DELETE from shop\.orders is refused/,
    );
  });
});

describe('a relation of the configuration', () => {
  const configured: KeySettings = { ...keySettings, relations: [relation] };

  test('is a key that the proxy performs, after all of the catalog', async () => {
    const both = await mergeGraph({ ...withoutKeys, keys: [{ ...declared, id: 2 ** 31 }] }, configured);
    expect(keysOf(both).map(({ name, performer }) => [name, performer])).toEqual([
      ['items_order_fkey', 'proxy'],
      ['items_of_order', 'proxy'],
    ]);
  });

  test('is told as a problem where the catalog has a key of the same columns', async () => {
    const [problem] = await problems({ ...withoutKeys, keys: [declared] }, configured);
    expect(problem).toMatch(
      /^doubled relation: .*items_of_order has the columns of the foreign key shop\.items\./,
    );
  });

  test('whose referenced table is missing is left out, and keeps the graph active', async () => {
    const to = { ...relation.to, table: 'Orders' };
    const graph = await mergeGraph(withoutKeys, { ...keySettings, relations: [{ ...relation, to }] });
    expect([graph.hasKeys, graph.isActive]).toEqual([false, true]);
    expect(graph.problems).toEqual([
      {
        kind: 'missing relation',
        text: 'cascade.relations: items_of_order is left out: there is no table shop.Orders (is shop.orders meant?)',
      },
    ]);
  });

  const from = relation.from;
  const notUnique: Catalog = {
    ...withoutKeys,
    configured: [{ number: 0, unique: false, columns: [column] }],
  };
  const noOperator: Catalog = {
    ...withoutKeys,
    configured: [{ number: 0, unique: true, columns: [{ ...column, operator: null }] }],
  };
  const ofView: Catalog = {
    ...withoutKeys,
    relations: [table(ORDERS, 'orders'), table(ITEMS, 'items', { kind: 'v' })],
  };
  test.each<readonly [string, Catalog, Partial<ConfiguredKey>, string]>([
    [
      'whose referencing table is missing',
      withoutKeys,
      { from: { ...from, table: 'parts' } },
      'there is no table shop.parts',
    ],
    [
      'whose column is missing',
      withoutKeys,
      { from: { ...from, columns: ['Order_ID'] } },
      'there is no column Order_ID in table shop.items (is order_id meant?)',
    ],
    ['from a view', ofView, {}, 'shop.items is not a table'],
    ['to what is not unique', notUnique, {}, 'no unique index covers exactly shop.orders(id)'],
    [
      'of types that cannot be compared',
      noOperator,
      {},
      'PostgreSQL has no operator to compare shop.items.order_id with shop.orders.id',
    ],
  ])('%s is broken: nothing may be deleted from the table that it references', async (_, of, given, fault) => {
    const graph = await mergeGraph(of, { ...keySettings, relations: [{ ...relation, ...given }] });
    const orders = graph.relation(ORDERS);
    expect(orders && graph.brokenTo(orders).map((each) => each.fault)).toEqual([fault]);
    expect(graph.problems.map(({ kind }) => kind)).toEqual(['broken relation']);
  });

  test('to what is not unique is followed where the configuration says so', async () => {
    const graph = await mergeGraph(notUnique, {
      ...keySettings,
      relations: [{ ...relation, unique: false }],
    });
    expect(keysOf(graph).map(({ name }) => name)).toEqual(['items_of_order']);
  });
});

test('a partitioned table may keep rows where a trigger of a partition may, at any depth', async () => {
  const relations = [
    table(1, 'whole', { kind: 'p' }),
    table(2, 'half', { kind: 'p', partition: true, parents: [1] }),
    table(3, 'quarter', { partition: true, parents: [2], mayKeepRows: true }),
    table(4, 'other', { partition: true, parents: [1] }),
  ];
  const graph = await mergeGraph({ relations, keys: [], configured: [] }, keySettings);
  expect([1, 2, 3, 4].map((oid) => graph.relation(oid)?.mayKeepRows)).toEqual([true, true, true, false]);
});
