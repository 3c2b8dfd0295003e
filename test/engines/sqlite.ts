/** SQLite in memory, behind a front that takes it for a recent PostgreSQL: a server of which nothing is known. */
import { EngineError, type EngineResult, type EngineSession } from './engine.js';
import { type Front, startFront } from './front.js';
import { load } from './packages.js';

/** As much of sql.js as is used here. */
interface Statement {
  bind(values: readonly (string | null)[]): boolean;
  step(): boolean;
  get(): readonly unknown[];
  getColumnNames(): readonly string[];
  free(): void;
}
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  getRowsModified(): number;
  close(): void;
}
type Package = () => Promise<{ readonly Database: new () => Database }>;

export const SQLITE_PACKAGE = 'sql.js';

/** One database, and one connection to it, which all clients share: one of them at a time has a transaction. */
export async function startSqlite(schema: readonly string[]): Promise<Front> {
  const initialize = load(SQLITE_PACKAGE) as Package;
  const database = new (await initialize()).Database();
  for (const sql of schema) database.exec(sql);
  const front = await startFront({
    parameters: { server_version: '14.0', client_encoding: 'UTF8', standard_conforming_strings: 'on' },
    open: async () => sessionOf(database),
  });
  return {
    ...front,
    async close() {
      await front.close();
      database.close();
    },
  };
}

function sessionOf(database: Database): EngineSession {
  return {
    async execute(sql, values): Promise<EngineResult> {
      try {
        // It takes parameters by their place, which is that of their numbers in all texts of these tests.
        const statement = database.prepare(values.length > 0 ? sql.replace(/\$(\d+)/g, '?$1') : sql);
        try {
          if (values.length > 0) statement.bind(values);
          const rows: (string | null)[][] = [];
          while (statement.step())
            rows.push(statement.get().map((value) => (value === null ? null : String(value))));
          const columns = statement.getColumnNames();
          return {
            columns: columns.length > 0 ? columns : undefined,
            rows,
            changed: database.getRowsModified(),
          };
        } finally {
          statement.free();
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new EngineError(/syntax error|no such/.test(message) ? '42601' : 'XX000', message);
      }
    },
    close: () => {},
  };
}
