/** A DELETE that PostgreSQL's grammar does not have, and the server's own has: carried out, passed on, or refused by name. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMissing } from '../support/programs.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { startGated } from './gated.js';
import { GATES } from './gates.js';
import { H2_LOGIN, missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import type { Engine } from './promises.js';
import { SQLITE_PACKAGE, startSqlite } from './sqlite.js';
import { connect, startBefore } from './twin-sides.js';
import type { World } from './worlds.js';

const SHOP: World = {
  name: 'shop',
  tables: ['orders', 'items'],
  keys: [{ from: 'items', columns: ['order_id'], to: 'orders', referenced: ['id'], action: 'cascade' }],
};
const TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY, label varchar(10))',
  'CREATE TABLE items (id int PRIMARY KEY, order_id int)',
  'CREATE TABLE users (id int PRIMARY KEY)',
];
/** Their rows, whatever was there before. */
const ROWS = [
  ...['items', 'orders', 'users'].map((table) => `DELETE FROM ${table}`),
  "INSERT INTO orders VALUES (1, 'one'), (2, 'two'), (3, 'three')",
  'INSERT INTO items VALUES (10, 1), (20, 2), (30, 3)',
  'INSERT INTO users VALUES (1), (2), (3)',
];

interface Sides {
  readonly through: pg.Client;
  readonly direct: pg.Client;
}

/** As a client sends it: alone, or with values in the extended protocol. */
type Asked = string | { readonly text: string; readonly values: readonly unknown[] };

async function ask(client: pg.Client, asked: Asked) {
  const sent = typeof asked === 'string' ? asked : { ...asked, values: [...asked.values] };
  return client.query(sent);
}

/** How many rows each table has: orders, items, users. */
async function counts(client: pg.Client): Promise<readonly number[]> {
  const each: number[] = [];
  for (const table of ['orders', 'items', 'users'])
    each.push(Number((await client.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n));
  return each;
}

interface Described {
  readonly reason: string | undefined;
  readonly start: () => Promise<Engine>;
  readonly schema: string;
  readonly login: pg.ClientConfig;
  readonly options?: Parameters<typeof startBefore>[3];
  /** What is deleted, and how many orders and items are left; of no statement users. */
  readonly cascades: readonly (readonly [Asked, number])[];
  /** It goes on as it came: this many users are left. */
  readonly passes: readonly (readonly [Asked, number])[];
  readonly refused: readonly Asked[];
}

function describeServer(name: string, described: Described): void {
  const { reason, start, schema, login, options, cascades, passes, refused } = described;
  if (reason !== undefined) describeMissing(name, reason);
  else
    describe(name, () => {
      let engine: Engine;
      beforeAll(async () => {
        engine = await start();
      });
      afterAll(() => engine?.close());
      const sides = async (): Promise<Sides> => {
        const owner = await connect(engine, engine.database, login);
        for (const sql of ROWS) await owner.query(sql);
        const proxy = await startBefore(engine, [SHOP], schema, options);
        return {
          through: await connect(proxy, engine.database, login),
          direct: owner,
        };
      };
      test.each(cascades)('%j cascades', async (asked, left) => {
        const { through, direct } = await sides();
        expect((await ask(through, asked)).rowCount).toBe(3 - left);
        expect(await counts(direct)).toEqual([left, left, 3]);
      });
      test.each(passes)('%j is passed on', async (asked, left) => {
        const { through, direct } = await sides();
        expect((await ask(through, asked)).rowCount).toBe(3 - left);
        expect(await counts(direct)).toEqual([3, 3, left]);
      });
      test('what is not understood, and names a table with rows to cascade to, is refused by name', async () => {
        const { through, direct } = await sides();
        for (const asked of refused)
          await expect(ask(through, asked), JSON.stringify(asked)).rejects.toMatchObject({
            code: '0A000',
            message: expect.stringMatching(/^cannot cascade a DELETE from .*orders/),
          });
        expect(await counts(direct)).toEqual([3, 3, 3]);
      });
    });
}

const value = (text: string, ...values: readonly unknown[]): Asked => ({ text, values });

describeServer('H2', {
  reason: missingH2(),
  start: async () => {
    const server = await startH2();
    const owner = new pg.Client({ ...H2_LOGIN, host: server.host, port: server.port });
    await owner.connect();
    for (const sql of TABLES) await owner.query(sql);
    await owner.end();
    return server;
  },
  schema: 'public',
  login: H2_LOGIN,
  cascades: [
    ['DELETE FROM orders WHERE id > 1 LIMIT 1', 2],
    ['DELETE FROM orders AS o WHERE o.id < 3 FETCH FIRST 2 ROWS ONLY', 1],
    ['/* first; DELETE FROM users */ delete from public.orders -- LIMIT 3\n fetch next row only;', 2],
    ['DELETE orders WHERE id = 1', 2],
    ['DELETE orders o WHERE o.id > 0 LIMIT 2', 1],
    [value('DELETE FROM orders WHERE id > $1 LIMIT 1', 1), 2],
    [value('DELETE orders WHERE id = $1', 3), 2],
    ['DELETE FROM orders LIMIT 0', 3],
    ["DELETE FROM orders WHERE label <> 'http://x' /* // */ AND label <> E'y' AND id = 1 -- //", 2],
  ],
  passes: [
    ['DELETE FROM users WHERE id > 0 LIMIT 2', 1],
    ['DELETE users WHERE id = 1', 2],
    [value('DELETE FROM users WHERE id > $1 LIMIT 1', 0), 2],
    ['DELETE FROM users WHERE id = 1 // + 1', 2],
  ],
  refused: [
    // The first one that the proxy gets, before it has asked what the server is.
    "SELECT E'\\'; DELETE FROM orders; --'",
    "SELECT 1 // '\n; DELETE FROM orders; --'",
    'SELECT 1 // /* \n; DELETE FROM orders; -- */',
    'SELECT 1 // 2; DELETE FROM orders',
    'DELETE FROM orders WHERE id = 1 // id',
    'DELETE FROM orders WHERE id = 1 // id\n OR id = 2',
    'DELETE FROM orders WHERE id = 4 //* 2 */ 2',
    "SELECT 1 AS `'`; DELETE FROM orders; --'",
    'SELECT 1 AS `$$`; DELETE FROM orders; -- $$',
    value('SELECT CAST($a$ AS int); DELETE FROM orders; SELECT CAST($a$ AS int)', 1, 1),
    value('DELETE FROM orders WHERE id = $1 // 1', 1),
    'DELETE FROM `orders` WHERE id = 1',
    'DELETE TOP 1 FROM orders',
    'DELETE TOP (1) FROM orders WHERE id = 1',
    'DELETE FROM orders WHERE id = 1 // LIMIT 1',
    'DELETE FROM orders WHERE id = 1 // id LIMIT 1',
    'DELETE FROM orders LIMIT 1; DELETE FROM orders LIMIT 1',
    'SELECT 1; DELETE orders WHERE id = 1',
    'SELECT id FROM OLD TABLE (DELETE FROM orders WHERE id = 1)',
    '/* users */ DELETE FROM orders WHERE id = 1 LIMIT 1 + 1',
    value('DELETE FROM orders WHERE id > $1 LIMIT (1)', 1),
  ],
});

describeServer('Redshift', {
  reason: undefined,
  start: () => startGated(GATES.redshift, TABLES),
  schema: 'public',
  login: { user: 'postgres' },
  cascades: [
    ['DELETE orders WHERE id = 1', 2],
    ['delete/* it */orders USING users WHERE orders.id = users.id AND users.id < 3', 1],
    ['DELETE "public"."orders"', 0],
    ['WITH few AS (SELECT id FROM users WHERE id < 3) DELETE orders WHERE id IN (SELECT id FROM few)', 1],
    [value('DELETE orders WHERE id >= $1', 2), 1],
  ],
  passes: [
    ['DELETE users WHERE id = 1', 2],
    [value('DELETE users WHERE id = $1', 1), 2],
  ],
  refused: [
    "SELECT '\\' || '; DELETE FROM orders; --'",
    "SELECT E'\\'; DELETE FROM orders; --'",
    'DELETE orders LIMIT 1',
    'DELETE TOP 1 FROM orders',
    'EXPLAIN DELETE orders',
    'DELETE orders; DELETE orders',
    value('DELETE orders WHERE id = $1 LIMIT 1', 1),
  ],
});

describeServer('SQLite', {
  reason: missing(SQLITE_PACKAGE),
  start: () => startSqlite(TABLES),
  schema: 'main',
  login: H2_LOGIN,
  options: { profile: 'sqlite' },
  cascades: [
    ['DELETE FROM [orders] WHERE `id` = 1', 2],
    ['/* a */ DELETE FROM orders /* b */ WHERE id = 1', 2],
    ['DELETE FROM main.`orders` AS [o] WHERE o.id < 3', 1],
  ],
  passes: [['DELETE FROM [users] WHERE `id` = 1', 2]],
  refused: [
    '/* /* */ DELETE FROM orders; -- */ */',
    'SELECT 1 /* /* */; DELETE FROM orders; SELECT 2 /* */ */',
    "DELETE FROM orders AS ['] WHERE id = 1",
    "DELETE FROM orders AS `'` WHERE id = 1 --`",
    'DELETE FROM orders -- \r WHERE id = 1',
    'DELETE FROM orders WHERE id = $a$ OR id = 1 -- $a$',
    "DELETE FROM orders WHERE id IS @a(') OR id = 1 --')",
    '\ufeffDELETE FROM orders',
    'DELETE FROM [orders] WHERE id = 1 LIMIT 1',
    'DELETE FROM orders INDEXED BY nothing WHERE id = 1',
    'DELETE FROM [orders] WHERE id = 1; DELETE FROM [orders]',
  ],
});

describeServer('DuckDB', {
  reason: missing(DUCKDB_PACKAGE),
  start: () => startDuckDb(TABLES),
  schema: 'main',
  login: H2_LOGIN,
  cascades: [["DELETE FROM orders WHERE id = 1 AND label <> '\u3000' AND label <> E'\\''", 2]],
  passes: [['DELETE\u3000FROM users WHERE id = 1', 2]],
  refused: ['DELETE\u3000FROM\u00a0orders', 'SELECT 1;\u3000DELETE FROM orders', 'DELETE\u200bFROM orders'],
});

describeServer('CrateDB', {
  reason: undefined,
  start: () => startGated(GATES.cratedb, TABLES),
  schema: 'public',
  login: { user: 'postgres' },
  options: { cascade: { atomic: false } },
  cascades: [['/* a */ DELETE FROM orders /* b */ WHERE id = 1', 2]],
  passes: [['/* /* */ */ DELETE FROM users WHERE id = 1', 2]],
  refused: [
    '/* /* */ DELETE FROM orders; -- */ */',
    'SELECT 1 /* /* */; DELETE FROM orders; SELECT 2 /* */ */',
  ],
});

// Nobody has asked yet what it is, and it may be any.
describeServer('PostgreSQL', {
  reason: undefined,
  start: () => startGated({ rules: [] }, TABLES),
  schema: 'public',
  login: { user: 'postgres' },
  cascades: [
    ["/* /* */ */ DELETE FROM orders WHERE label = ANY (ARRAY['one']) -- // \r AND label <> E'\\''", 2],
    ["DELETE FROM orders WHERE id = 1 AND label <> E'\\'; DELETE FROM users; --'", 2],
    [value('DELETE FROM orders WHERE id = $1 AND label <> ALL ($${`}$$)', 1), 2],
  ],
  passes: [["DELETE FROM users WHERE id::text = ANY (ARRAY['1'])", 2]],
  refused: [],
});
