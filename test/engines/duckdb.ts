/** DuckDB in memory, behind a front that reports what duckgres reports. */
import { EngineError, type EngineResult, type EngineSession } from './engine.js';
import { type Front, startFront } from './front.js';
import { load } from './packages.js';

/** As much of @duckdb/node-api as is used here. */
interface Reader {
  columnNames(): readonly string[];
  getRowsJson(): readonly (readonly unknown[])[];
  readonly rowsChanged: number;
  readonly returnType: number;
}
interface Connection {
  runAndReadAll(sql: string, values?: readonly (string | null)[]): Promise<Reader>;
  closeSync(): void;
}
interface Package {
  readonly DuckDBInstance: {
    create(path: string): Promise<{ connect(): Promise<Connection>; closeSync(): void }>;
  };
}

/** Statements that return rows; others say how many they have changed, or nothing. */
const RETURNS_ROWS = 3;

export const DUCKDB_PACKAGE = '@duckdb/node-api';

/** @param schema is executed first */
export async function startDuckDb(schema: readonly string[]): Promise<Front> {
  const { DuckDBInstance } = load(DUCKDB_PACKAGE) as Package;
  const instance = await DuckDBInstance.create(':memory:');
  const owner = await instance.connect();
  for (const sql of schema) await owner.runAndReadAll(sql);
  owner.closeSync();
  const front = await startFront({
    // S: duckgres, server/conn.go.
    parameters: {
      server_version: '15.0 (Duckgres)',
      client_encoding: 'UTF8',
      standard_conforming_strings: 'on',
    },
    open: async () => sessionOf(await instance.connect()),
  });
  return {
    ...front,
    async close() {
      await front.close();
      instance.closeSync();
    },
  };
}

function sessionOf(connection: Connection): EngineSession {
  return {
    async execute(sql, values): Promise<EngineResult> {
      try {
        const read = await connection.runAndReadAll(sql, values.length > 0 ? values : undefined);
        const returns = read.returnType === RETURNS_ROWS;
        const rows = returns
          ? read.getRowsJson().map((row) => row.map((value) => (value === null ? null : String(value))))
          : [];
        return { columns: returns ? read.columnNames() : undefined, rows, changed: read.rowsChanged };
      } catch (error) {
        throw new EngineError(...described(error));
      }
    },
    close: () => connection.closeSync(),
  };
}

/** DuckDB has kinds of errors, and no SQLSTATEs. */
function described(error: unknown): readonly [sqlstate: string, message: string] {
  const message = error instanceof Error ? error.message : String(error);
  if (/^(?:Failed to extract statements: )?Parser Error/.test(message)) return ['42601', message];
  if (message.startsWith('Catalog Error')) return ['42P01', message];
  if (message.startsWith('Constraint Error')) return ['23000', message];
  return [message.startsWith('Binder Error') ? '42703' : 'XX000', message];
}
