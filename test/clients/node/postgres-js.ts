/** What the suites of postgres.js share. */
import type postgres from 'postgres';
import type { Options, Sql } from 'postgres';
import type { ClientTwin } from './twin.js';

export const postgresJs = {
  name: 'postgres.js',
  packages: ['postgres'],
  load: async () => (await import('postgres')).default,
};

/** Runs steps with a session of their own on each side of the twin. */
export function sessionsOn(twin: ClientTwin, open: typeof postgres) {
  return <Result>(
    steps: (sql: Sql) => Promise<Result>,
    settings: Options<Record<string, never>> = {},
  ): Promise<Result> =>
    twin.expectAsNative(async (url) => {
      const sql = open(url, { max: 1, ...settings });
      try {
        return await steps(sql);
      } finally {
        await sql.end();
      }
    });
}

interface Result extends Iterable<unknown> {
  readonly command: string;
  readonly count: number | null;
  readonly columns?: readonly { readonly name: unknown; readonly type: number }[] | undefined;
}

/** A result without what differs between two databases: the object ids of tables. */
export function told(result: Result) {
  const { command, count, columns } = result;
  return { command, count, rows: [...result], columns: columns?.map(({ name, type }) => [name, type]) };
}
