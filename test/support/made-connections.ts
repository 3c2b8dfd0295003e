/** Connections by `pg` that whoever makes them ends together. */
import pg from 'pg';

/** Milliseconds in which a session that is as new answers. Another one is ended: what it may still wait for is unknown. */
const ANSWERED = 2000;

/** What `pg` keeps in a client, and does not declare. */
interface Prepared {
  readonly connection: { parsedStatements: Readonly<Record<string, string>> };
}

export interface MadeConnections {
  take(): Promise<pg.Client>;
  /** Ends those that were made here. One that was ended already does not mind. */
  end(): Promise<void>;
}

/**
 * @param url where they lead
 * @param keeps connections are given back by their `end`, and had again in a session as new: to begin one costs the server more than
 *   most tests ask of it
 */
export function madeConnections(url: string, keeps: boolean): MadeConnections {
  const ends = new Map<pg.Client, () => Promise<void>>();
  const free: pg.Client[] = [];
  const connect = async () => {
    const client = await connectTo(url);
    const end: () => Promise<void> = client.end.bind(client);
    ends.set(client, end);
    if (!keeps) return client;
    // Where its database is dropped, or its server ends.
    client.once('end', () => {
      if (free.includes(client)) free.splice(free.indexOf(client), 1);
    });
    const giveBack = async () => {
      if (free.includes(client) || !ends.has(client)) return;
      // After a statement that waits, `pg` closes the connection, which ends this question too.
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
