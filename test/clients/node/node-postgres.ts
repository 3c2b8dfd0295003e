/** What the suites of node-postgres share. */
import type pg from 'pg';
import type { Client, ClientConfig, QueryResult } from 'pg';
import type { ClientTwin } from './twin.js';

const load = async () => ({
  pg: (await import('pg')).default,
  Cursor: (await import('pg-cursor')).default,
});

export const nodePostgres = { name: 'node-postgres', packages: ['pg', 'pg-cursor'], load };

/** Runs steps with a client of their own on each side of the twin. */
export function clientsOn(twin: ClientTwin, { Client: Constructor }: typeof pg) {
  return <Result>(steps: (client: Client) => Promise<Result>, config: ClientConfig = {}): Promise<Result> =>
    twin.expectAsNative(async (url) => {
      const client = new Constructor({ connectionString: url, ...config });
      await client.connect();
      try {
        return await steps(client);
      } finally {
        await client.end();
      }
    });
}

/** A result without what differs between two databases: the object ids of tables. */
export function told({ command, rowCount, rows, fields }: QueryResult) {
  const columns = fields.map(({ name, columnID, dataTypeID, format }) => {
    return [name, columnID, dataTypeID, format];
  });
  return { command, rowCount, rows: rows as unknown[], columns };
}
