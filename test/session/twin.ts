/** The sample schema on both sides of a twin, and clients that speak the protocol byte by byte. */
import { inject } from 'vitest';
import type { Database } from '../support/database.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import type { ProxyOptions, RunningProxy } from '../support/proxy.js';
import type { RawClient, RawMessage } from '../support/raw-client.js';
import { SAMPLE_ROWS } from '../support/sample-rows.js';
import { useTwinDatabases } from '../support/twin-databases.js';

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY, name text, big bigint DEFAULT 7);
  CREATE TABLE users (id int PRIMARY KEY,
    org_id int CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE KEYS);
  CREATE TABLE posts (id int PRIMARY KEY,
    user_id int CONSTRAINT posts_user_fkey REFERENCES users ON DELETE CASCADE KEYS);
  CREATE TABLE notes (id int PRIMARY KEY,
    user_id int CONSTRAINT notes_user_fkey REFERENCES users ON DELETE SET NULL KEYS);
  CREATE TABLE invoices (id int PRIMARY KEY,
    org_id int CONSTRAINT invoices_org_fkey REFERENCES orgs KEYS);
  CREATE TABLE badges (id int PRIMARY KEY,
    user_id int CONSTRAINT badges_user_fkey REFERENCES users ON DELETE RESTRICT KEYS);
  CREATE TABLE alone (id int PRIMARY KEY, name text);`;

const TABLES = ['orgs', 'users', 'posts', 'notes', 'invoices', 'badges', 'alone'];

const ROWS = `
  TRUNCATE ${TABLES.join(', ')};${SAMPLE_ROWS}`;

export type Steps = (client: RawClient) => Promise<readonly RawMessage[]>;

export interface Twin {
  readonly proxy: RunningProxy;
  readonly native: Database;
  /** Its keys are NOT ENFORCED. */
  readonly emulated: Database;
  /** A connection to the emulated database through the proxy, as new. */
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
  const twins = useTwinDatabases(SCHEMA, ROWS, options);
  const { proxy } = twins;
  const { database: native } = twins.native;
  const { database: emulated } = twins.emulated;
  const oracles = new WeakSet<RawClient>();
  const session = useKeptSessions();
  const connect = () => session(proxy, { database: emulated.name });
  const connectToNative = async () => {
    const oracle = await session(inject('postgres'), { database: native.name });
    oracles.add(oracle);
    return oracle;
  };
  return {
    proxy,
    native,
    emulated,
    connect,
    connectDirect: () => session(inject('postgres'), { database: emulated.name }),
    isNative: (client) => oracles.has(client),
    async expectAsNative(steps) {
      await twins.expectAsNative(async (side) => {
        const client = side === twins.native ? await connectToNative() : await connect();
        return side.readable(await steps(client));
      });
    },
    async rowsLeft() {
      const { rows } = await (await twins.emulated.client()).query(`SELECT ${LISTS}`);
      return rows[0];
    },
  };
}

const idsOf = (rows: string) => `(SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM ${rows})`;
const LISTS = [
  ...TABLES.map((table) => `${idsOf(table)} AS ${table}`),
  `${idsOf('notes WHERE user_id IS NULL')} AS nulled`,
].join();
