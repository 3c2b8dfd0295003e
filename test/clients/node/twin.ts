/** The schema of the clients on both sides of a twin: a client does the same on both, and must see the same. */
import { afterAll } from 'vitest';
import { type TwinSide, useTwinDatabases } from '../../support/twin-databases.js';
import { until } from '../../support/until.js';

const SCHEMA = `
  CREATE TABLE accounts (id int PRIMARY KEY, name text UNIQUE, number bigint UNIQUE, token uuid UNIQUE,
    version int NOT NULL DEFAULT 1);
  CREATE TABLE projects (id int PRIMARY KEY, title text,
    account_id int CONSTRAINT projects_account_fkey REFERENCES accounts ON DELETE CASCADE KEYS);
  CREATE TABLE tasks (id int PRIMARY KEY,
    project_id int CONSTRAINT tasks_project_fkey REFERENCES projects ON DELETE CASCADE KEYS);
  CREATE TABLE notes (id int PRIMARY KEY,
    project_id int CONSTRAINT notes_project_fkey REFERENCES projects ON DELETE SET NULL KEYS);
  CREATE TABLE bills (id int PRIMARY KEY,
    account_id int CONSTRAINT bills_account_fkey REFERENCES accounts KEYS);
  CREATE TABLE seals (id int PRIMARY KEY,
    task_id int CONSTRAINT seals_task_fkey REFERENCES tasks ON DELETE RESTRICT KEYS);
  CREATE TABLE ledgers (id int PRIMARY KEY,
    account_number bigint CONSTRAINT ledgers_account_fkey REFERENCES accounts (number) ON DELETE CASCADE KEYS);
  CREATE TABLE devices (id int PRIMARY KEY,
    account_token uuid CONSTRAINT devices_account_fkey REFERENCES accounts (token) ON DELETE CASCADE KEYS);
  CREATE TABLE aliases (id int PRIMARY KEY,
    account_name text CONSTRAINT aliases_account_fkey REFERENCES accounts (name) ON DELETE SET NULL KEYS);
  CREATE TABLE folders (id int PRIMARY KEY,
    parent_id int CONSTRAINT folders_parent_fkey REFERENCES folders ON DELETE CASCADE KEYS);
  CREATE TABLE files (id int PRIMARY KEY,
    folder_id int CONSTRAINT files_folder_fkey REFERENCES folders ON DELETE CASCADE KEYS);
  CREATE TABLE archive (id int PRIMARY KEY, name text);`;

const TABLES = [
  'accounts',
  'projects',
  'tasks',
  'notes',
  'bills',
  'seals',
  'ledgers',
  'devices',
  'aliases',
  'folders',
  'files',
  'archive',
] as const;

/** The name of account 3, with what has to be escaped. */
export const awkwardName = String.raw`O'Neil \ "é" 🐘 $1 ?`;
/** The number of an account: beyond what a JavaScript number can hold. */
export const numberOf = (id: number): bigint => 2n ** 53n + 1n + 2n * BigInt(id);
/** The token of an account, up to 9. */
export const tokenOf = (id: number): string => `6d1c2f3a-0000-4000-8000-00000000000${id}`;

// Accounts 1 to 3 can be deleted; 4 has a bill (NO ACTION), 5 a task with a seal (RESTRICT). Folders 1 to 5 are a tree
// under 1, and 7 is its own parent.
// No trigger has anything to check, and DELETE is quicker than TRUNCATE where there are few rows.
const ROWS = `
  SET session_replication_role = replica;
  ${TABLES.map((table) => `DELETE FROM ${table};`).join(' ')}
  INSERT INTO accounts SELECT i, 'account ' || i, ${numberOf(0)} + 2 * i,
    ('6d1c2f3a-0000-4000-8000-00000000000' || i)::uuid FROM generate_series(1, 5) i;
  UPDATE accounts SET name = '${awkwardName.replaceAll("'", "''")}' WHERE id = 3;
  INSERT INTO projects SELECT 10 * i + j, 'project ' || j, i FROM generate_series(1, 5) i, generate_series(1, 2) j;
  INSERT INTO tasks SELECT 10 * id + j, id FROM projects, generate_series(1, 2) j;
  INSERT INTO notes SELECT id, id FROM projects;
  INSERT INTO bills VALUES (1, 4);
  INSERT INTO seals VALUES (1, 521);
  INSERT INTO ledgers SELECT id, number FROM accounts;
  INSERT INTO devices SELECT id, token FROM accounts;
  INSERT INTO aliases SELECT id, name FROM accounts;
  INSERT INTO folders VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, NULL), (7, 7);
  INSERT INTO files SELECT 10 * id, id FROM folders;`;

export type Table = (typeof TABLES)[number];

/** What the keys of a side are, as SQL says it: a client that makes keys of its own has to alter them. */
export type Keys = 'ENFORCED' | 'NOT ENFORCED';

export interface ClientTwin {
  /** The connection string of the database with keys NOT ENFORCED, through the proxy. */
  readonly url: string;
  /**
   * Runs the steps on both sides: what they give, and the rows that are left, must be the same. Gives what they gave.
   */
  expectAsNative<Result>(steps: (url: string, keys: Keys) => Promise<Result>): Promise<Result>;
  /** The rows of a table that are left behind the proxy. */
  rowsOf(table: Table): Promise<readonly string[]>;
}

/** Makes the twins for the tests of this file, with the same rows before each test. */
export function useClientTwin(): ClientTwin {
  const twins = useTwinDatabases(SCHEMA, ROWS);
  const { native, emulated } = twins;
  for (const side of [native, emulated]) useEndedSessions(side);
  const url = () => twins.proxy.url(emulated.database.name);
  return {
    get url() {
      return url();
    },
    expectAsNative: (steps) =>
      twins.expectAsNative((side) =>
        side === native ? steps(native.database.url, 'ENFORCED') : steps(url(), 'NOT ENFORCED'),
      ),
    async rowsOf(table) {
      const sql = `SELECT (t.*)::text AS row FROM ${table} AS t ORDER BY id`;
      return (await (await emulated.client()).query(sql)).rows.map(({ row }) => row);
    },
  };
}

/** The end of a pool tells before its connections have ended. Were they cut off, each would throw for itself. */
function useEndedSessions(side: TwinSide): void {
  const others = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'`;
  afterAll(async () => {
    const client = await side.client();
    await until('no other session', async () => (await client.query(others)).rowCount === 0);
  });
}
