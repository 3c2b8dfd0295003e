/** A database whose sessions go by rules that are read again. */
import type pg from 'pg';
import { beforeAll, beforeEach } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

/** Ten orgs with a user each, by a key that the server does not enforce; and with a note each, by no key. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int, org int CONSTRAINT users_fk REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int, org int);
  CREATE TABLE enforced (id int, org int CONSTRAINT enforced_fk REFERENCES orgs ON DELETE SET NULL)`;
const ROWS = `
  DELETE FROM enforced; DELETE FROM notes; DELETE FROM users; DELETE FROM orgs;
  INSERT INTO orgs SELECT i, 'o' || i FROM generate_series(1, 9) i;
  INSERT INTO users SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO notes SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO enforced SELECT i, i FROM generate_series(1, 9) i`;
export const DELETE = 'DELETE FROM s.orgs WHERE id = $1::int';

export type Rules = NonNullable<ProxyOptions['cascade']>;
export const OFF: Rules = { mode: 'off' };
export const ON: Rules = {};

export interface Reloading {
  readonly database: Database;
  readonly proxy: RunningProxy;
  /** A connection straight to the database. */
  readonly direct: pg.Client;
  /** A session that is open under these rules. */
  under(cascade: Rules): Promise<RawClient>;
  /** The ids of the rows that are left of the first orgs: `users 2`. */
  left(table: string, ids?: readonly number[]): Promise<string>;
}

export function useReloading(): Reloading {
  const database = useDatabase();
  const proxy = useProxy();
  let connected: pg.Client | undefined;
  const direct = () => {
    if (!connected) throw new Error('the connection is made in beforeAll');
    return connected;
  };
  beforeAll(async () => {
    connected = await database.connect();
    await connected.query(SCHEMA);
  });
  beforeEach(async () => {
    await direct().query(ROWS);
  });
  return {
    database,
    proxy,
    get direct() {
      return direct();
    },
    async under(cascade) {
      await proxy.reload({ cascade });
      return RawClient.login(proxy, { database: database.name });
    },
    async left(table, ids = [1, 2]) {
      const { rows } = await direct().query(
        `SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM s.${table} WHERE id = ANY ($1)`,
        [ids],
      );
      return rows[0].ids ?? '';
    },
  };
}
