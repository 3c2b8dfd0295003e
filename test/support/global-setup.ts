import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { databaseUrl, type ServerAddress, startPostgres, type TcpAddress } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The one server of this test run; `createDatabase` makes databases on it. */
    postgres: ServerAddress;
  }
}

/**
 * Starts the server that all test files share, those of other projects too.
 * @returns what ends it, to the project whose files come first
 */
export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const all = vitest.getRootProject();
  if (all.getProvidedContext().postgres) return undefined;
  const { stop, host, port, socketDir, user } = await startPostgres({
    // To have workers read each page of a new database takes more than to read it.
    config: { io_method: 'sync' },
  });
  await keepCaches({ host, port, user });
  await useUpShortIds({ host, port, user });
  all.provide('postgres', { host, port, socketDir, user });
  return () => stop('immediate');
}

/** The first session of a database writes a file from which the next ones fill their caches: new databases get a copy of that. */
async function keepCaches(address: TcpAddress): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(address, 'template1') });
  await client.connect();
  await client.end();
}

/**
 * PostgreSQL fires a row's keys in the order of their triggers' names, which end in object ids: 100000 before 99999. Past
 * that no test makes its keys while the ids get another digit.
 */
async function useUpShortIds(address: TcpAddress): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(address, 'postgres') });
  await client.connect();
  try {
    const labels = Array.from({ length: 42_000 }, (_, i) => `'${i}'`);
    await client.query(`CREATE TYPE used_up AS ENUM (${labels.join()}); DROP TYPE used_up`);
  } finally {
    await client.end();
  }
}
