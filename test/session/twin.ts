/**
 * One schema made twice: with enforced keys, asked directly, and with the same keys NOT ENFORCED, asked through the
 * proxy. The first is the oracle for the second.
 */
import { beforeEach, expect, inject } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { RawClient, type RawMessage, readable } from '../support/raw-client.js';

const schema = (enforced: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY, name text, big bigint DEFAULT 7);
  CREATE TABLE users (id int PRIMARY KEY,
    org_id int CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE ${enforced});
  CREATE TABLE posts (id int PRIMARY KEY,
    user_id int CONSTRAINT posts_user_fkey REFERENCES users ON DELETE CASCADE ${enforced});
  CREATE TABLE notes (id int PRIMARY KEY,
    user_id int CONSTRAINT notes_user_fkey REFERENCES users ON DELETE SET NULL ${enforced});
  CREATE TABLE invoices (id int PRIMARY KEY,
    org_id int CONSTRAINT invoices_org_fkey REFERENCES orgs ${enforced});
  CREATE TABLE badges (id int PRIMARY KEY,
    user_id int CONSTRAINT badges_user_fkey REFERENCES users ON DELETE RESTRICT ${enforced});
  CREATE TABLE alone (id int PRIMARY KEY, name text);`;

const TABLES = ['orgs', 'users', 'posts', 'notes', 'invoices', 'badges', 'alone'];

// Orgs 1 to 3 can be deleted; 4 has an invoice (NO ACTION), 5 a user with a badge (RESTRICT).
const ROWS = `
  TRUNCATE ${TABLES.join(', ')};
  INSERT INTO orgs SELECT i, 'org ' || i FROM generate_series(1, 5) i;
  INSERT INTO users SELECT 10 * i + j, i FROM generate_series(1, 5) i, generate_series(1, 2) j;
  INSERT INTO posts SELECT 10 * id + j, id FROM users, generate_series(1, 3) j;
  INSERT INTO notes SELECT id, id FROM users;
  INSERT INTO invoices VALUES (1, 4);
  INSERT INTO badges VALUES (1, 52);
  INSERT INTO alone SELECT i, 'é' FROM generate_series(1, 5) i;`;

export type Steps = (client: RawClient) => Promise<readonly RawMessage[]>;

export interface Twin {
  readonly proxy: RunningProxy;
  readonly native: Database;
  /** Its keys are NOT ENFORCED. */
  readonly emulated: Database;
  /** A connection to the emulated database through the proxy. */
  connect(): Promise<RawClient>;
  /** One straight to it. */
  connectDirect(): Promise<RawClient>;
  /** Whether a connection that `expectAsNative` gave is the one to the enforced keys. */
  isNative(client: RawClient): boolean;
  /** Runs the steps on both sides: all that was answered, and the rows that are left, must be the same. */
  expectAsNative(steps: Steps): Promise<void>;
  /** The ids of the rows in each table of the emulated database. */
  rowsLeft(): Promise<Readonly<Record<string, string>>>;
}

/** Makes the twins for the tests of this file, with the same rows before each test. */
export function useTwin(options: ProxyOptions = {}): Twin {
  const native = useDatabase(schema(''));
  const emulated = useDatabase(schema('NOT ENFORCED'));
  const proxy = useProxy(options);
  beforeEach(async () => {
    for (const database of [native, emulated]) await ask(database, ROWS);
  });
  const oracles = new WeakSet<RawClient>();
  const connect = () => RawClient.login(proxy, { database: emulated.name });
  return {
    proxy,
    native,
    emulated,
    connect,
    connectDirect: () => RawClient.login(inject('postgres'), { database: emulated.name }),
    isNative: (client) => oracles.has(client),
    async expectAsNative(steps) {
      const oracle = await RawClient.login(inject('postgres'), { database: native.name });
      oracles.add(oracle);
      const expected = readable(await steps(oracle), await tableNames(native));
      const came = readable(await steps(await connect()), await tableNames(emulated));
      expect(came).toEqual(expected);
      expect(await contents(emulated)).toEqual(await contents(native));
    },
    rowsLeft: () => contents(emulated),
  };
}

async function contents(database: Database): Promise<Readonly<Record<string, string>>> {
  const lists = TABLES.map(
    (table) => `(SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM ${table}) AS ${table}`,
  );
  const nulls = `(SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM notes WHERE user_id IS NULL) AS nulled`;
  const [row] = await ask(database, `SELECT ${lists.join(', ')}, ${nulls}`);
  return row ?? {};
}

async function tableNames(database: Database): Promise<ReadonlyMap<number, string>> {
  const sql = `SELECT oid::int AS oid, relname AS name FROM pg_class WHERE relkind = 'r' AND oid >= 16384`;
  return new Map((await ask(database, sql)).map(({ oid = '', name = '' }) => [Number(oid), name]));
}

async function ask(database: Database, sql: string): Promise<Readonly<Record<string, string>>[]> {
  const client = await database.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
