/** Two tables of which one references the other, for the tests of plain statements. */
import type pg from 'pg';
import { onTestFinished } from 'vitest';
import type { ProxyOptions } from '../support/proxy.js';
import type { GateOptions } from './gate.js';
import { startGated } from './gated.js';
import { through } from './twin-sides.js';
import type { World } from './worlds.js';

export const SHOP: World = {
  name: 'shop',
  tables: ['orders', 'items'],
  keys: [{ from: 'items', columns: ['order_id'], to: 'orders', referenced: ['id'], action: 'cascade' }],
};
export const TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY, label varchar(10))',
  'CREATE TABLE items (id int PRIMARY KEY, order_id int)',
  "INSERT INTO orders VALUES (1, 'one'), (2, 'two')",
  'INSERT INTO items VALUES (10, 1), (11, 1), (20, 2)',
];

/** Behind a gate, with what else the schema has; and a client that goes straight to the database. */
export async function behind(gate: GateOptions, schema: readonly string[], options: ProxyOptions = {}) {
  const gated = await startGated(gate, [...TABLES, ...schema]);
  onTestFinished(() => gated.close());
  const client = await through(gated, [SHOP], 'public', options, { user: 'postgres' });
  return { gated, client };
}

/** How many orders and items there are. */
export async function left(client: { query(sql: string): Promise<unknown> }): Promise<readonly string[]> {
  const { rows } = (await client.query(
    `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM items) AS items`,
  )) as pg.QueryResult;
  return Object.values(rows[0]).map(String);
}

/** A trigger that does something after the DELETE of a table's rows. */
export const trigger = (table: string, body: string, level = 'STATEMENT') => [
  `CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$`,
  `CREATE TRIGGER meanwhile AFTER DELETE ON ${table} FOR EACH ${level} EXECUTE FUNCTION meanwhile()`,
];
