/** A reduced twin of each engine: cascades in plain statements against its own enforced keys, or against those of PostgreSQL. */
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.js';
import { describeMissing } from '../support/programs.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { compareTwins, sideOf, type TwinOptions } from './families-twin.js';
import { H2_LOGIN, missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import type { Engine } from './promises.js';
import { SQLITE_PACKAGE, startSqlite } from './sqlite.js';
import { addKeys, createTable, DEFAULTS, relationsOf, WORLDS, type World } from './worlds.js';

const ALL = [...WORLDS, DEFAULTS];
const [SEED, ROUNDS] = [Number(process.env.FAMILIES_SEED ?? 1), Number(process.env.FAMILIES_ROUNDS ?? 6)];

const tables = (worlds: readonly World[], keys: 'inline' | 'none') =>
  worlds.flatMap((world) => world.tables.map((table) => createTable(world, table, keys)));

async function connect(
  { host, port }: { host: string; port: number },
  database = 'shop',
): Promise<pg.Client> {
  const client = new pg.Client({ ...H2_LOGIN, host, port, database });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function through(
  engine: Engine,
  worlds: readonly World[],
  schema: string,
  options: ProxyOptions,
): Promise<pg.Client> {
  const proxy = await startProxy({
    upstream: `postgres://${engine.host}:${engine.port}`,
    ...options,
    cascade: { relations: relationsOf(worlds, schema) },
  });
  onTestFinished(() => proxy.stop());
  return connect(proxy, engine.database);
}

/** PostgreSQL with enforced keys. */
async function postgresOracle(
  worlds: readonly World[],
): Promise<Pick<TwinOptions, 'oracle'> & { load(sql: string): Promise<unknown> }> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const client = await connect(inject('postgres'), database.name).catch(() => database.connect());
  for (const sql of [...tables(worlds, 'none'), ...worlds.flatMap(addKeys)]) await client.query(sql);
  const load = (sql: string) =>
    client.query(`SET session_replication_role = replica; ${sql}; SET session_replication_role = origin`);
  return { oracle: sideOf(client), load };
}

async function expectSame(options: Omit<TwinOptions, 'seed' | 'rounds'>, rounds = ROUNDS): Promise<void> {
  const seen = await compareTwins({ ...options, seed: SEED, rounds });
  expect(seen.deleted).toBeGreaterThan(rounds);
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.refused).toBeLessThan(seen.statements / 2);
}

function describeTwin(name: string, reason: string | undefined, run: () => Promise<void>): void {
  if (reason !== undefined) describeMissing(name, reason);
  else
    describe(name, () => {
      test('deletes what enforced keys delete, and refuses what they refuse', run, 180_000);
    });
}

describeTwin('twin of H2', missingH2(), async () => {
  const server = await startH2();
  onTestFinished(() => server.close());
  const [owner, oracle] = [await connect(server), await connect(server, 'native')];
  // Its own SET DEFAULT does not look whether the default references a row: docs/databases.md.
  for (const sql of tables(WORLDS, 'none')) await owner.query(sql);
  for (const sql of [...tables(WORLDS, 'none'), ...WORLDS.flatMap(addKeys)]) await oracle.query(sql);
  await expectSame(
    {
      worlds: WORLDS,
      subject: sideOf(await through(server, WORLDS, 'public', {})),
      oracle: sideOf(oracle),
      failsAsQuery: true,
      async load(side, statements) {
        if (side === 'oracle') await oracle.query('SET REFERENTIAL_INTEGRITY FALSE');
        for (const sql of statements) await (side === 'oracle' ? oracle : owner).query(sql);
        if (side === 'oracle') await oracle.query('SET REFERENTIAL_INTEGRITY TRUE');
      },
      // Its server waits for an acknowledgement before it sends the rest of an answer: it takes most of the time.
    },
    Math.ceil(ROUNDS / 3),
  );
});

describeTwin('twin of SQLite', missing(SQLITE_PACKAGE), async () => {
  const [engine, native] = [
    await startSqlite(tables(WORLDS, 'none')),
    await startSqlite(tables(WORLDS, 'inline')),
  ];
  onTestFinished(() => engine.close());
  onTestFinished(() => native.close());
  const [owner, oracle] = [await connect(engine), await connect(native)];
  await expectSame({
    worlds: WORLDS,
    subject: sideOf(await through(engine, WORLDS, 'main', { profile: 'sqlite' })),
    oracle: sideOf(oracle),
    countsGone: true,
    async load(side, statements) {
      if (side === 'oracle') await oracle.query('PRAGMA foreign_keys = OFF');
      for (const sql of statements) await (side === 'oracle' ? oracle : owner).query(sql);
      if (side === 'oracle') await oracle.query('PRAGMA foreign_keys = ON');
    },
  });
});

describeTwin('twin of DuckDB', missing(DUCKDB_PACKAGE), async () => {
  const engine = await startDuckDb(tables(ALL, 'none'));
  onTestFinished(() => engine.close());
  const owner = await connect(engine);
  const { oracle, load } = await postgresOracle(ALL);
  await expectSame({
    worlds: ALL,
    subject: sideOf(await through(engine, ALL, 'main', {})),
    oracle,
    withoutBlocks: [DEFAULTS],
    async load(side, statements) {
      if (side === 'oracle') await load(statements.join('; '));
      else for (const sql of statements) await owner.query(sql);
    },
  });
});
