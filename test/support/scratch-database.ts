import { randomBytes } from 'node:crypto';
import pg from 'pg';
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

/** Milliseconds in which a session that is as new answers. Another one is ended: what it may still wait for is unknown. */
const ANSWERED = 2000;

/** What `pg` keeps in a client, and does not declare. */
interface Prepared {
  readonly connection: { parsedStatements: Readonly<Record<string, string>> };
}

/** @param keeps connections are given back by their `end`, and had again */
function madeConnections(url: string, keeps: boolean) {
  const ends = new Map<pg.Client, () => Promise<void>>();
  const free: pg.Client[] = [];
  const connect = async () => {
    const client = await connectTo(url);
    const end: () => Promise<void> = client.end.bind(client);
    ends.set(client, end);
    if (!keeps) return client;
    const giveBack = async () => {
      if (free.includes(client) || !ends.has(client)) return;
      // Behind a statement that waits, `pg` closes the connection, which ends this question too.
      const late = setTimeout(end, ANSWERED);
      try {
        await client.query('DISCARD ALL');
        client.removeAllListeners('notice').removeAllListeners('notification');
        // `pg` remembers what it has prepared, which the server has discarded.
        (client as unknown as Prepared).connection.parsedStatements = {};
        free.push(client);
      } catch {
        // It is in a transaction, or the server has ended it.
        ends.delete(client);
        await end();
      } finally {
        clearTimeout(late);
      }
    };
    return Object.assign(client, { end: giveBack });
  };
  return {
    take: async () => free.pop() ?? (await connect()),
    async end() {
      const all = [...ends.values()];
      ends.clear();
      await Promise.all(all.map((end) => end()));
    },
  };
}

/** Connects, whoever calls ends it. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // An idle connection that the server ends is no failure of the test; the next query on it tells.
  client.on('error', () => {});
  await client.connect();
  return client;
}
