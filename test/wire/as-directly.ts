/** The server itself as the oracle: the same bytes sent to it directly and through the proxy must be answered alike. */
import type pg from 'pg';
import { expect, inject } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { query, run, sync, terminate } from '../support/frontend-messages.js';
import { keptSessions } from '../support/kept-sessions.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { type Login, type RawAddress, RawClient, type RawMessage, readable } from '../support/raw-client.js';

export type Steps = (client: RawClient) => Promise<readonly RawMessage[]>;
export type LoginOptions = Omit<Login, 'database'>;

export interface Directly {
  readonly database: Database;
  readonly proxy: RunningProxy;
  /** A connection through the proxy. */
  connect(login?: LoginOptions): Promise<RawClient>;
  connectDirect(login?: LoginOptions): Promise<RawClient>;
  /**
   * Takes the steps on a connection of each kind, one after the other: in a session that is new or as new.
   * @returns what the server answered to the steps, in words
   */
  expectAsDirectly(steps: Steps, login?: LoginOptions): Promise<readonly string[]>;
}

/** Has a key for the proxy to act on, so that it looks at every statement; no row of it is ever deleted. */
const KEYED = `
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);`;

/** One database for the tests of this file, and a proxy in front of it. */
export function useDirectly(schema = '', options: ProxyOptions = {}): Directly {
  const database = useDatabase(KEYED + schema);
  const proxy = useProxy(options);
  const connect = (login?: LoginOptions) => RawClient.login(proxy, { database: database.name, ...login });
  const connectDirect = (login?: LoginOptions) =>
    RawClient.login(inject('postgres'), { database: database.name, ...login });
  const sessions = keptSessions();
  let observer: Promise<pg.Client> | undefined;
  const converse = async (address: RawAddress, steps: Steps, login?: LoginOptions) => {
    observer ??= database.connect();
    const client = await sessions.take(address, { database: database.name, ...login });
    const answers = await steps(client);
    // Had the proxy lost count of the answers, it would mistake those of a statement that it expands.
    const goesOn = !client.socket.readableEnded && !client.socket.destroyed;
    const probe = goesOn ? await lookForDrift(client) : [];
    const tables = await tableNames(await observer);
    return {
      steps: readable(answers, tables),
      probe: readable(probe, tables),
      rest: await restOf(client, goesOn),
    };
  };
  const restOf = async (client: RawClient, goesOn: boolean) => {
    const { said, kept } = goesOn ? await sessions.giveBack(client) : { said: [], kept: false };
    if (kept) return said;
    client.send(terminate);
    return [...said, ...readable(await client.rest())];
  };
  return {
    database,
    proxy,
    connect,
    connectDirect,
    async expectAsDirectly(steps, login) {
      const expected = await converse(inject('postgres'), steps, login);
      const came = await converse(proxy, steps, login);
      expect(came).toEqual(expected);
      return expected.steps;
    },
  };
}

async function lookForDrift(client: RawClient): Promise<readonly RawMessage[]> {
  const sql = 'DELETE FROM public.parent WHERE id < 0';
  return [
    ...(await client.ask(query(`${sql} RETURNING id`))),
    ...(await client.ask(run(sql), sync)),
    ...(await client.ask(query('SELECT 1 AS one'))),
  ];
}

/** Of temporary tables too: they have other object ids in every session. */
async function tableNames(observer: pg.Client): Promise<ReadonlyMap<number, string>> {
  const { rows } = await observer.query(
    'SELECT oid::int AS oid, relname AS name FROM pg_class WHERE oid >= 16384',
  );
  return new Map(rows.map(({ oid, name }: { oid: number; name: string }) => [oid, name]));
}
