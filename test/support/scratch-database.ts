import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { connectTo, madeConnections } from './made-connections.js';
import { databaseUrl, type TcpAddress } from './postgres.js';

/** A database that nobody else uses. */
export interface Database {
  readonly name: string;
  readonly url: string;
  /**
   * A connection straight to the database. Whoever forgets to end it is helped by `drop`.
   */
  connect(): Promise<pg.Client>;
  /** Ends the connections made here and removes the database, whoever else is connected. */
  drop(): Promise<void>;
}

/**
 * Makes an empty database with a name of its own on the server at `address`.
 * @param administrator a connection to that server, where whoever calls keeps one; then those to the database are kept as well:
 * what ends one gives it back, and it is had again, in a session as new. To begin one costs the server more than most tests ask of it.
 */
export async function createDatabaseOn(
  address: TcpAddress,
  administrator?: () => Promise<pg.Client>,
): Promise<Database> {
  const name = `scratch_${randomBytes(6).toString('hex')}`;
  const url = databaseUrl(address, name);
  const connections = madeConnections(url, administrator !== undefined);
  const command = async (sql: string) => {
    const client = administrator ? await administrator() : await connectTo(databaseUrl(address, 'postgres'));
    try {
      await client.query(sql);
    } finally {
      if (!administrator) await client.end();
    }
  };
  // The default strategy writes each page of the template to the log, and takes three times as long.
  await command(`CREATE DATABASE ${name} STRATEGY file_copy`);
  return {
    name,
    url,
    connect: connections.take,
    async drop() {
      await connections.end();
      await command(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
