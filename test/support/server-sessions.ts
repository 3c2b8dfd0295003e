/** Sessions as the server sees them: what they wait for, and when they are gone. */

import pg from 'pg';
import { query } from './frontend-messages.js';
import type { RawClient } from './raw-client.js';
import { until } from './until.js';

/** What `untilSession` can be told to wait for. */
export const WAITS_FOR_LOCK = `wait_event_type = 'Lock'`;

/** The process of a session, asked for over the session itself. */
export async function pidOf(client: RawClient | pg.Client): Promise<number> {
  const sql = 'SELECT pg_catalog.pg_backend_pid() AS pid';
  if (client instanceof pg.Client) return (await client.query(sql)).rows[0].pid;
  return Number((await client.told(query(sql))).at(1)?.slice(2));
}

/**
 * Waits until the server says this of a session.
 * @param watcher a connection of its own, outside of a transaction: inside of one it would see the same all the time
 * @param is a condition on the session's row of pg_stat_activity
 */
export function untilSession(watcher: pg.Client, pid: number, is: string): Promise<void> {
  const sql = `SELECT FROM pg_stat_activity WHERE pid = $1 AND (${is})`;
  return until(`session ${pid} has ${is}`, async () => (await watcher.query(sql, [pid])).rowCount !== 0);
}

/** Waits until none of these sessions is there any more. */
export function untilGone(watcher: pg.Client, ...pids: readonly number[]): Promise<void> {
  const sql = 'SELECT FROM pg_stat_activity WHERE pid = ANY ($1)';
  return until(`no session ${pids}`, async () => (await watcher.query(sql, [pids])).rowCount === 0);
}

/**
 * Waits until so many sessions of the watcher's database wait for another session.
 * @returns their processes
 */
export async function untilBlocked(watcher: pg.Client, sessions = 1): Promise<readonly number[]> {
  const sql = `SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;
  let pids: readonly number[] = [];
  await until(`${sessions} sessions are blocked`, async () => {
    pids = (await watcher.query(sql)).rows.map(({ pid }) => pid);
    return pids.length >= sessions;
  });
  return pids;
}

/** Waits until one session waits for the other. */
export function untilBlockedBy(watcher: pg.Client, waiter: number, blocker: number): Promise<void> {
  return untilSession(watcher, waiter, `${blocker} = ANY (pg_blocking_pids(pid))`);
}
