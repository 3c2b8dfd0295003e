/**
 * One schema made twice: with enforced keys, asked directly, and with the same keys NOT ENFORCED, asked through a proxy. The
 * first is the oracle for the second: what it answers, and the rows that are left in it, are expected of the other.
 */
import type pg from 'pg';
import { beforeEach, expect } from 'vitest';
import { type Database, useDatabase } from './database.js';
import { type ProxyOptions, type RunningProxy, useProxy } from './proxy.js';
import { type RawMessage, readable } from './raw-client.js';

/** Of each table the rows as text. */
export type Contents = Readonly<Record<string, unknown>>;

/** One of the databases that are compared. */
export interface TwinSide {
  readonly database: Database;
  /** A connection straight to the database: the same one for all tests of the file. */
  client(): Promise<pg.Client>;
  contents(): Promise<Contents>;
  /** Answers as text, in which the objects of the database have their names: their object ids differ from side to side. */
  readable(answers: readonly RawMessage[]): Promise<readonly string[]>;
}

export interface TwinDatabases {
  readonly proxy: RunningProxy;
  readonly native: TwinSide;
  /** Its keys are NOT ENFORCED. */
  readonly emulated: TwinSide;
  /**
   * Runs the steps on the native side, and then on the other: what they give, and the rows that are left, must be the same.
   * @returns what they gave
   */
  expectAsNative<Given>(steps: (side: TwinSide) => Promise<Given>): Promise<Given>;
}

/**
 * Makes the twins for the tests of this file.
 * @param schema KEYS stands after each key, where it is ENFORCED or NOT ENFORCED
 * @param rows what is run on both sides before each test
 */
export function useTwinDatabases(schema: string, rows: string, options: ProxyOptions = {}): TwinDatabases {
  // Hooks after the tests run from the last to the first: the proxy has to be there until its sessions have ended.
  const proxy = useProxy(options);
  const native = useTwinSide(schema.replaceAll('KEYS', 'ENFORCED'));
  const emulated = useTwinSide(schema.replaceAll('KEYS', 'NOT ENFORCED'));
  beforeEach(async () => {
    for (const side of [native, emulated]) await (await side.client()).query(rows);
  });
  return {
    proxy,
    native,
    emulated,
    async expectAsNative(steps) {
      const expected = await outcomeOn(native, steps);
      const came = await outcomeOn(emulated, steps);
      expect(came).toEqual(expected);
      return came.given;
    },
  };
}

/** Makes one side for the tests of this file. */
export function useTwinSide(schema = ''): TwinSide {
  const database = useDatabase(schema);
  let connection: Promise<pg.Client> | undefined;
  const client = () => {
    connection ??= database.connect();
    return connection;
  };
  return {
    database,
    client,
    contents: async () => contentsOf(await client()),
    readable: async (answers) => readable(answers, await namesIn(await client())),
  };
}

/** What steps give on a side, and the rows they leave there. */
export async function outcomeOn<Side extends TwinSide, Given>(
  side: Side,
  steps: (side: Side) => Promise<Given>,
): Promise<{ readonly given: Given; readonly left: Contents }> {
  const given = await steps(side);
  return { given, left: await side.contents() };
}

/** An error's context names the queries by which PostgreSQL cascades: the proxy has others. */
export function withoutContext({ type, body }: RawMessage): RawMessage {
  if (type !== 'E') return { type, body };
  const fields = body.toString('latin1').split('\0');
  return { type, body: Buffer.from(fields.filter((field) => !field.startsWith('W')).join('\0'), 'latin1') };
}

/** Of relations, and of types. */
async function namesIn(client: pg.Client): Promise<ReadonlyMap<number, string>> {
  const { rows } = await client.query(`SELECT oid::int, relname AS name FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT oid::int, typname FROM pg_type WHERE oid >= 16384`);
  return new Map(rows.map(({ oid, name }) => [oid, name]));
}

/**
 * The rows of each table outside of the catalogs; of large ones their number, and a digest. All tables are asked at once:
 *
 *     SELECT 16385::regclass::text AS name, (SELECT CASE WHEN count(*) < 100 … END FROM ONLY s.p AS t) AS rows
 *     UNION ALL SELECT 16390::regclass::text, (SELECT … FROM ONLY s.c AS t)
 */
async function contentsOf(client: pg.Client): Promise<Contents> {
  const { rows: tables } = await client.query(
    `SELECT oid, oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relpersistence <> 't'`,
  );
  if (tables.length === 0) return {};
  const row = "string_agg(t::text, E'\\n' ORDER BY t::text)";
  const rowsOf = `CASE WHEN count(*) < 100 THEN ${row} ELSE concat(count(*), ' ', md5(${row})) END`;
  const each = tables.map(
    ({ oid, name }) =>
      `SELECT ${oid}::regclass::text AS name, (SELECT ${rowsOf} FROM ONLY ${name} AS t) AS rows`,
  );
  const { rows: left } = await client.query(each.join(' UNION ALL '));
  return Object.fromEntries(left.map(({ name, rows }) => [name, rows]));
}
