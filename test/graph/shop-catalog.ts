/** A catalog with one key, written by hand: what the server would have told of shop.orders and shop.items. */
import type { Catalog, CatalogKey, CatalogRelation } from '../../src/graph/catalog/catalog.js';
import type { ConfiguredKey, KeySettings, Override } from '../../src/graph/catalog/key-settings.js';

export const ORDERS = 1;
export const ITEMS = 2;

/** A table of shop with an id that is NOT NULL and an order_id that may be null. */
export function table(oid: number, name: string, given: Partial<CatalogRelation> = {}): CatalogRelation {
  const columns = [
    { name: 'id', notNull: true, scalar: true, constant: 'NULL', generated: false },
    { name: 'order_id', notNull: false, scalar: true, constant: 'NULL', generated: false },
  ];
  return {
    oid,
    schema: 'shop',
    name,
    kind: 'r',
    rewriteRules: false,
    mayKeepRows: false,
    redirectsWrites: false,
    triggers: [],
    partition: false,
    parents: [],
    definition: null,
    viewOf: [],
    reads: [],
    columns,
    primaryKey: ['id'],
    indexed: ['id'],
    ...given,
  };
}

export const column = {
  referencing: 'order_id',
  referenced: 'id',
  type: 'pg_catalog.int4',
  ownType: 'pg_catalog.int4',
  operator: 'pg_catalog.=',
  commutator: 'pg_catalog.=',
  left: null,
  right: null,
  collation: null,
};

/** items (order_id) REFERENCES orders ON DELETE CASCADE NOT ENFORCED. */
export const declared: CatalogKey = {
  id: 10,
  name: 'items_order_fkey',
  referencing: ITEMS,
  referenced: ORDERS,
  action: 'c',
  updateAction: 'a',
  enforced: false,
  deferred: false,
  matchFull: false,
  period: false,
  columns: [column],
  setColumns: null,
  copies: null,
};

/** The same as a relation of the configuration. */
export const relation: ConfiguredKey = {
  name: 'items_of_order',
  from: { schema: 'shop', table: 'items', columns: ['order_id'] },
  to: { schema: 'shop', table: 'orders', columns: ['id'] },
  on_delete: 'cascade',
  unique: true,
};

export const catalog: Catalog = {
  relations: [table(ORDERS, 'orders'), table(ITEMS, 'items')],
  keys: [declared],
  configured: [],
};
export const withoutKeys: Catalog = {
  ...catalog,
  keys: [],
  configured: [{ number: 0, unique: true, columns: [column] }],
};
export const keySettings: KeySettings = { declared: true, overrides: [], relations: [] };

export function overriding(match: string, on_delete: Override['on_delete']): KeySettings {
  return { ...keySettings, overrides: [{ match, on_delete }] };
}
