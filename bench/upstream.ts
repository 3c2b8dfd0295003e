import type pg from 'pg';
import { startPostgres, type TcpAddress } from '../test/support/postgres.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';

/** A database to measure with, which is gone afterwards. */
export interface Upstream {
  readonly url: URL;
  /** Where other databases can be made. */
  readonly server: TcpAddress;
  readonly version: string;
  close(): Promise<void>;
}

/** Makes a database on the server at `given`, or on one started for it. */
export async function openUpstream(given: string | undefined): Promise<Upstream> {
  if (given !== undefined) return scratchOn(new URL(given), async () => {});
  const server = await startPostgres();
  try {
    return await scratchOn(new URL(server.url('postgres')), () => server.stop('immediate'));
  } catch (error) {
    await server.stop('immediate');
    throw error;
  }
}

async function scratchOn(server: URL, close: () => Promise<void>): Promise<Upstream> {
  const address: TcpAddress = {
    host: server.hostname,
    port: Number(server.port || 5432),
    user: decodeURIComponent(server.username || 'postgres'),
    ...(server.password ? { password: decodeURIComponent(server.password) } : {}),
  };
  const database = await createDatabaseOn(address);
  const client: pg.Client = await database.connect();
  const { rows } = await client.query('SHOW server_version');
  return {
    url: new URL(database.url),
    server: address,
    version: String(rows[0]?.server_version),
    async close() {
      await database.drop();
      await close();
    },
  };
}
