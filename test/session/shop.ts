/** Tables of a shop, made anew before each test, and a proxy whose configuration has relations between them. */
import type pg from 'pg';
import { beforeAll, beforeEach } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';

/** `code` is not unique: both orders have 7. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop;
  CREATE TABLE shop.regions (id int PRIMARY KEY);
  CREATE TABLE shop.orders (id int PRIMARY KEY, code int, region int REFERENCES shop.regions ON DELETE CASCADE, label varchar(5) UNIQUE);
  CREATE TABLE shop.items (id int, code int, word json);
  CREATE TABLE shop.parted (id int PRIMARY KEY, code int) PARTITION BY LIST (id);
  CREATE TABLE shop.part PARTITION OF shop.parted DEFAULT;
  CREATE VIEW shop.shown AS SELECT id, code FROM shop.orders;
  CREATE MATERIALIZED VIEW shop.kept AS SELECT id, code FROM shop.orders;
  CREATE TABLE shop.free (id int PRIMARY KEY);
  INSERT INTO shop.regions VALUES (1), (2);
  INSERT INTO shop.orders VALUES (1, 7, 1, 'a'), (2, 7, 2, 'b');
  INSERT INTO shop.items VALUES (1, 7), (2, 8);
  INSERT INTO shop.parted VALUES (1, 7), (2, 8);
  INSERT INTO shop.free VALUES (1)`;

export interface Shop {
  readonly database: Database;
  /** A connection straight to the database. */
  readonly direct: pg.Client;
  /** The ids that are left in a table. */
  rows(table: string): Promise<string>;
  /** All answers to texts that are sent through the proxy, one after the other. */
  told(proxy: RunningProxy, ...texts: readonly string[]): Promise<readonly string[]>;
}

export function useShop(): Shop {
  const database = useDatabase();
  const sessionOn = useKeptSessions();
  let direct: pg.Client | undefined;
  const client = () => {
    if (!direct) throw new Error('the connection is made in beforeAll');
    return direct;
  };
  beforeAll(async () => {
    direct = await database.connect();
  });
  beforeEach(async () => {
    await client().query(SCHEMA);
  });
  return {
    database,
    get direct() {
      return client();
    },
    async rows(table) {
      const { rows } = await client().query(
        `SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM ${table}`,
      );
      return rows[0].ids ?? '';
    },
    async told(proxy, ...texts) {
      const session = await sessionOn(proxy, { database: database.name });
      const answers: string[] = [];
      for (const text of texts) answers.push(...(await session.told(query(text))));
      return answers;
    },
  };
}

/** A proxy with this configuration. The graph of the last test is another one: its tables were dropped. */
export const useConfigured = (cascade: ProxyOptions['cascade']): RunningProxy =>
  useProxy({ cascade, graph: { refresh: '0s' } });

/** The configuration of one cascading relation, called `rel`. */
export const relation = (to: string, from = 'shop.items(code)', more: { unique?: boolean } = {}) => ({
  relations: [{ name: 'rel', from, to, on_delete: 'cascade' as const, ...more }],
});
