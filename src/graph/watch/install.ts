/** Makes and removes the event trigger that notifies proxies of changes of the schema: `pgcascade install`, `pgcascade uninstall`. */

import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { quoteLiteral } from '../../sql/names.js';
import { sqlFile } from '../catalog/sql-file.js';
import { connected, type WatchedDatabase } from './connection.js';

export interface InstallOptions {
  /** Milliseconds to wait for older transactions. */
  readonly patience?: number;
  /** Is called once with the transactions that are waited for, where that takes longer than a moment. */
  readonly onWait?: (transactions: readonly string[]) => void;
}

/** Transactions are open that may yet change the schema without a notification. */
export class OlderTransactions extends Error {
  constructor(transactions: readonly string[]) {
    super(
      `installed, but not in effect: transactions that began earlier are still open (${transactions.join('; ')}). Run it again when they are over`,
    );
  }
}

export interface Installation {
  /** What is there now and was not before, or was and is not. */
  readonly changed: readonly string[];
  /** Transactions that change the schema can no longer be prepared, and the server would prepare them. */
  readonly preparable: boolean;
}

const INSTALL = sqlFile('install.sql', import.meta.url);
const UNINSTALL = sqlFile('uninstall.sql', import.meta.url);
const OLDER = sqlFile('older.sql', import.meta.url);
const OBJECTS = sqlFile('objects.sql', import.meta.url);

/** Milliseconds. */
const PATIENCE = 60_000;
const PAUSE = 100;
const LOOKS_OF_A_MOMENT = 5;

/**
 * A command that began before the trigger came tells nothing when it ends. So the trigger is in effect only when all
 * transactions are over that were open then; a comment says so, for this very row of the catalog.
 * @throws OlderTransactions, or the error of the system or of the server
 */
export function install(target: WatchedDatabase, options: InstallOptions = {}): Promise<Installation> {
  return connected(target, async (client) => {
    const before = await column(client, OBJECTS);
    await client.query(`BEGIN; ${INSTALL}`);
    const [row] = await column(
      client,
      `SELECT xmin FROM pg_event_trigger WHERE evtname = 'pgcascade_change'`,
    );
    await client.query('COMMIT');
    if (!(await column(client, OBJECTS)).some((object) => object.startsWith('event trigger'))) {
      await olderAreOver(client, options);
      const comment = quoteLiteral(`in effect for pgcascade, row ${row}`);
      await client.query(`COMMENT ON EVENT TRIGGER pgcascade_change IS ${comment}`);
    }
    const after = await column(client, OBJECTS);
    const [prepared] = await column(client, 'SHOW max_prepared_transactions');
    return { changed: without(after, before), preparable: prepared !== '0' };
  });
}

/** @throws the error of the system or of the server */
export function uninstall(target: WatchedDatabase): Promise<Installation> {
  return connected(target, async (client) => {
    const before = await column(client, OBJECTS);
    await client.query(`BEGIN; ${UNINSTALL}; COMMIT`);
    return { changed: without(before, await column(client, OBJECTS)), preparable: false };
  });
}

async function olderAreOver(
  client: pg.Client,
  { patience = PATIENCE, onWait }: InstallOptions,
): Promise<void> {
  const end = performance.now() + patience;
  let older = await column(client, OLDER);
  for (let looks = 1; older.length > 0; looks++) {
    if (performance.now() > end) throw new OlderTransactions(older);
    await sleep(PAUSE);
    const open = await column(client, OLDER);
    older = older.filter((transaction) => open.includes(transaction));
    if (looks === LOOKS_OF_A_MOMENT && older.length > 0) onWait?.(older);
  }
}

/** The first column of what a query gives. */
async function column(client: pg.Client, sql: string): Promise<readonly string[]> {
  const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' });
  return rows.map(([value]) => value);
}

function without(all: readonly string[], some: readonly string[]): readonly string[] {
  return all.filter((each) => !some.includes(each));
}
