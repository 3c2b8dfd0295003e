/** Redshift, Greenplum, CrateDB, Aurora DSQL and Citus: PostgreSQL, which refuses what they refuse. */
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { type GateOptions, rowLimit } from './gate.js';
import { type Gated, startGated } from './gated.js';
import { GATES } from './gates.js';
import { describePromises, type Promised } from './promises.js';
import { GREENPLUM_6_RULES } from './rules.js';

const TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY)',
  'CREATE TABLE users (id int PRIMARY KEY)',
  'INSERT INTO orders SELECT generate_series(1, 2)',
  'INSERT INTO users VALUES (1)',
];
const UNDECLARED = [
  ...TABLES,
  'CREATE TABLE items (id int PRIMARY KEY, order_id int)',
  'INSERT INTO items VALUES (10, 1), (20, 2)',
];
const DECLARED = [
  ...TABLES,
  'CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE)',
  'INSERT INTO items VALUES (10, 1), (20, 2)',
];
/** Keys that the catalog has as enforced ones, and that nobody enforces. */
const INERT = [
  ...DECLARED,
  'ALTER TABLE items DISABLE TRIGGER ALL',
  'ALTER TABLE orders DISABLE TRIGGER ALL',
];
const CITUS_SETTING = "ALTER DATABASE THIS_ONE SET citus.version = '12.1'";
const relations: Promised['relations'] = [
  { name: 'fk', from: 'public.items(order_id)', to: 'public.orders(id)', on_delete: 'cascade' },
];

describePromises('Redshift', {
  start: () => startGated(GATES.redshift, UNDECLARED),
  relations,
  called: 'Redshift (PostgreSQL 8.0.2 on i686',
  reason: 'it has no RETURNING, and a WITH only reads',
  passes: ['DELETE FROM users WHERE id = 99 RETURNING id', 'SAVEPOINT s'],
});
describePromises('Greenplum 6', {
  start: () => startGated(GATES.greenplum6, UNDECLARED),
  relations,
  called: 'PostgreSQL 9.4.26 (Greenplum Database 6.25.3',
  reason: 'a statement there changes one table only',
  passes: [
    'WITH d AS (DELETE FROM users WHERE id = 99 RETURNING id) DELETE FROM users USING d WHERE users.id = d.id',
  ],
});
describePromises('Greenplum 7', {
  start: () => startGated(GATES.greenplum7, UNDECLARED),
  relations,
  called: 'Greenplum',
  reason: 'a statement there changes one table only',
});
describePromises('CrateDB', {
  start: () => startGated(GATES.cratedb, UNDECLARED),
  relations,
  called: 'CrateDB 5.9.1',
  reason: 'it has no transactions',
  passes: ['DELETE FROM users USING items WHERE users.id = items.id', 'TRUNCATE users'],
});
describePromises('Aurora DSQL', {
  start: () => startGated(GATES.dsql, UNDECLARED),
  profile: 'dsql',
  relations,
  called: 'Aurora DSQL',
  reason: 'may change 3,000 rows',
  passes: ['SAVEPOINT s', 'CREATE TEMP TABLE t (id int)'],
});
describePromises('Citus', {
  start: () => startGated(GATES.citus, [CITUS_SETTING, ...UNDECLARED]),
  relations,
  called: 'Citus',
  reason: 'a WITH that changes rows may not concern several shards',
  passes: ['WITH d AS (DELETE FROM users WHERE id = 99 RETURNING id) SELECT count(*)::int FROM d'],
});

/** A client through a proxy before the gate, and one that sees what is there. */
async function connect(options: GateOptions, schema: readonly string[], settings: ProxyOptions = {}) {
  const gate = await startGated(options, schema);
  onTestFinished(() => gate.close());
  const proxy = await startProxy({ upstream: `postgres://${gate.host}:${gate.port}`, ...settings });
  onTestFinished(() => proxy.stop());
  return { gate, proxy, client: await proxy.connect(gate.database) };
}

async function rows(client: pg.Client, table: string): Promise<number> {
  return Number((await client.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
}

/** The texts of the proxy's own that the gate has refused. */
function ownTexts({ refused }: Gated): readonly string[] {
  return refused.filter((sql) => sql.includes('pg_catalog'));
}

test('the keys that Greenplum 7 stores and does not enforce concern a DELETE, unless cascade.declared is false', async () => {
  const { client } = await connect(GATES.greenplum7, INERT, { cascade: { strategy: 'single' } });
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow(
    'the server is Greenplum, and',
  );
  expect((await client.query('DELETE FROM items WHERE id = 10')).rowCount).toBe(1);
  const undeclared = await connect(GATES.greenplum7, INERT, { cascade: { declared: false } });
  expect((await undeclared.client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
  expect(await rows(undeclared.client, 'items')).toBe(2);
});

test('what Citus and Aurora DSQL enforce is left to them', async () => {
  for (const [options, schema, profile] of [
    [GATES.citus, [CITUS_SETTING, ...DECLARED], 'auto'],
    [GATES.dsql, DECLARED, 'dsql'],
  ] as const) {
    const { client, gate } = await connect(options, schema, { profile });
    expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
    expect(await rows(client, 'items')).toBe(1);
    expect(gate.refused).toEqual([]);
  }
});

test('an override is refused for the tables that it concerns', async () => {
  const overrides = [{ match: 'public.items.*', on_delete: 'set null' as const }];
  const cascade = { overrides, strategy: 'single' } as const;
  const { client } = await connect(GATES.citus, [CITUS_SETTING, ...DECLARED], { cascade });
  await expect(client.query('DELETE FROM orders')).rejects.toThrow('the server is Citus, and');
  expect((await client.query('DELETE FROM users')).rowCount).toBe(1);
});

test('a cascade of Aurora DSQL that is too large ends with its own error', async () => {
  const schema = [
    ...DECLARED,
    'INSERT INTO items SELECT generate_series(100, 3200), 1',
    ...rowLimit(3000, ['orders', 'items']),
  ];
  const { client } = await connect(GATES.dsql, schema, { profile: 'dsql' });
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toMatchObject({ code: '54000' });
  expect((await client.query('DELETE FROM orders WHERE id = 2')).rowCount).toBe(1);
});

test('a session that only calls itself Citus is refused alone', async () => {
  const { client, gate, proxy } = await connect({ rules: [] }, UNDECLARED, {
    cascade: { relations: [...relations], strategy: 'single' },
  });
  await client.query("SET citus.version = '12.1'");
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('the server is Citus, and');
  const other = await proxy.connect(gate.database);
  expect((await other.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
  expect(await rows(other, 'items')).toBe(1);
});

test('profile: postgres is believed, whatever the server calls itself', async () => {
  const options = { rules: [], parameters: { crate_version: '5.9.1' } };
  const { client, proxy } = await connect(options, UNDECLARED, {
    profile: 'postgres',
    cascade: { relations: [...relations] },
  });
  expect((await client.query('DELETE FROM orders WHERE id = 1')).rowCount).toBe(1);
  expect(await rows(client, 'items')).toBe(1);
  expect(proxy.log).toEqual([]);
});

test.each([
  'postgres-like',
  'postgres',
] as const)('a server with profile %s that does not know what its catalog is asked is asked once, and counts as one without', async (profile) => {
  const settings = { profile, cascade: { relations: [...relations] } };
  const { client, gate, proxy } = await connect({ rules: GREENPLUM_6_RULES }, UNDECLARED, settings);
  const refusal = 'its catalog does not know what it is asked';
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow(refusal);
  expect((await client.query('DELETE FROM users WHERE id = 1')).rowCount).toBe(1);
  await expect(client.query('DELETE FROM orders WHERE id = $1', [1])).rejects.toThrow(refusal);
  expect(await rows(client, 'orders')).toBe(2);
  expect(ownTexts(gate).length).toBe(1);
  expect(proxy.log).toEqual([expect.stringContaining(refusal)]);
});

test('where it has failed in a transaction, the client hears of no text that it has not sent', async () => {
  const settings = { profile: 'postgres-like', cascade: { relations: [...relations] } } as const;
  const { client } = await connect({ rules: GREENPLUM_6_RULES }, UNDECLARED, settings);
  await client.query('BEGIN');
  await expect(client.query('DELETE FROM users WHERE id = 1')).rejects.toMatchObject({
    detail: 'pgcascade reports PGC_SERVER.',
  });
  await client.query('ROLLBACK');
  expect((await client.query('DELETE FROM users WHERE id = 1')).rowCount).toBe(1);
});
