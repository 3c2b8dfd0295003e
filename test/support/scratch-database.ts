import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { databaseUrl, type TcpAddress } from './postgres.js';

/** A database that nobody else uses. */
export interface Database {
  readonly name: string;
  readonly url: string;
  /** A new connection straight to the database; whoever forgets to end it is helped by `drop`. */
  connect(): Promise<pg.Client>;
  /** Ends the connections made here and removes the database, whoever else is connected. */
  drop(): Promise<void>;
}

/** Makes an empty database with a name of its own on the server at `address`. */
export async function createDatabaseOn(address: TcpAddress): Promise<Database> {
  const name = `scratch_${randomBytes(6).toString('hex')}`;
  const url = databaseUrl(address, name);
  const clients: pg.Client[] = [];
  // The default strategy writes each page of the template to the log, and takes three times as long.
  await command(address, `CREATE DATABASE ${name} STRATEGY file_copy`);
  return {
    name,
    url,
    async connect() {
      const client = await connectTo(url);
      clients.push(client);
      return client;
    },
    async drop() {
      await Promise.all(clients.splice(0).map((client) => client.end()));
      await command(address, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function command(address: TcpAddress, sql: string): Promise<void> {
  const client = await connectTo(databaseUrl(address, 'postgres'));
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // An idle connection that the server ends is no failure of the test; the next query on it tells.
  client.on('error', () => {});
  await client.connect();
  return client;
}
