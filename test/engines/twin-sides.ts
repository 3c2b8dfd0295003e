/** The sides of a reduced twin: through the proxy to an engine, where no key is enforced; and enforced keys. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.js';
import { describeMissing } from '../support/programs.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { compareTwins, sideOf, type TwinOptions } from './families-twin.js';
import { H2_LOGIN } from './h2.js';
import type { Engine } from './promises.js';
import { addKeys, createTable, relationsOf, type World } from './worlds.js';

const SEED = Number(process.env.FAMILIES_SEED ?? 1);
export const ROUNDS = Number(process.env.FAMILIES_ROUNDS ?? 6);

export const tables = (worlds: readonly World[], keys: 'inline' | 'none') =>
  worlds.flatMap((world) => world.tables.map((table) => createTable(world, table, keys)));

/** A client, until the end of the test. The engines let in whoever comes. */
export async function connect(
  { host, port }: { readonly host: string; readonly port: number },
  database = 'shop',
  login: pg.ClientConfig = H2_LOGIN,
): Promise<pg.Client> {
  const client = new pg.Client({ ...login, host, port, database });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A proxy whose configuration has the keys of the worlds, until the end of the test. */
export async function startBefore(
  engine: Engine,
  worlds: readonly World[],
  schema: string,
  options: ProxyOptions = {},
): Promise<RunningProxy> {
  const proxy = await startProxy({
    upstream: `postgres://${engine.host}:${engine.port}`,
    ...options,
    cascade: { relations: relationsOf(worlds, schema), ...(options.cascade ?? {}) },
  });
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** A client through such a proxy. */
export async function through(
  engine: Engine,
  worlds: readonly World[],
  schema: string,
  options: ProxyOptions = {},
  login?: pg.ClientConfig,
): Promise<pg.Client> {
  return connect(await startBefore(engine, worlds, schema, options), engine.database, login);
}

/** PostgreSQL with enforced keys. */
export async function postgresOracle(
  worlds: readonly World[],
): Promise<Pick<TwinOptions, 'oracle'> & { load(sql: string): Promise<unknown> }> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const client = await database.connect();
  await client.query([...tables(worlds, 'none'), ...worlds.flatMap(addKeys)].join('; '));
  const load = (sql: string) =>
    client.query(`SET session_replication_role = replica; ${sql}; SET session_replication_role = origin`);
  return { oracle: sideOf(client), load };
}

/** The DELETEs were none that do nothing, nor all refused. */
export async function expectSame(
  options: Omit<TwinOptions, 'seed' | 'rounds'>,
  rounds = ROUNDS,
): Promise<void> {
  const seen = await compareTwins({ ...options, seed: SEED, rounds });
  expect(seen.deleted).toBeGreaterThan(rounds);
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.refused).toBeLessThan(seen.statements / 2);
}

/** @param reason why it cannot be run here; undefined: it can */
export function describeTwin(name: string, reason: string | undefined, run: () => Promise<void>): void {
  if (reason !== undefined) describeMissing(name, reason);
  else
    describe(name, () => {
      test('deletes what enforced keys delete, and refuses what they refuse', run, 180_000);
    });
}
