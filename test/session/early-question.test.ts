/** The question that is asked before a BEGIN is cancelled as the BEGIN would be. */
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { cancelPacket, RawClient } from '../support/raw-client.js';
import { pidOf } from '../support/server-sessions.js';
import { until } from '../support/until.js';

const database = useDatabase(`
  CREATE TABLE p (id int PRIMARY KEY);
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int)`);
const proxy = useProxy({ graph: { refresh: '1h' } });

const TRANSACTION = ['BEGIN', 'INSERT INTO notes VALUES (1)', 'DELETE FROM p WHERE id = 1', 'COMMIT'];
const DONE = ['C BEGIN', 'Z T', 'C INSERT 0 1', 'Z T', 'C DELETE 0', 'Z T', 'C COMMIT', 'Z I'];

test.each([
  'by the client',
  'by an operator',
])('cancelled %s it ends with an error, and the session goes on', async (by) => {
  const client = await RawClient.login(proxy, { database: database.name });
  const tell = async (...texts: readonly string[]) => {
    const told: string[] = [];
    for (const sql of texts) told.push(...(await client.told(query(sql))));
    return told;
  };
  await tell('DELETE FROM p WHERE id = 1');
  const other = await proxy.connect(database.name);
  await other.query('ALTER TABLE notes ADD COLUMN more int; ALTER TABLE notes DROP COLUMN more');
  await other.end();
  expect(await tell(...TRANSACTION)).toEqual(DONE);
  const pid = await pidOf(client);
  const [holder, watcher] = [await database.connect(), await database.connect()];
  const waiting = `SELECT pid FROM pg_locks WHERE relation = 'pg_constraint'::regclass AND NOT granted`;
  onTestFinished(async () => {
    await Promise.all([holder.end(), watcher.end()]);
  });
  await holder.query('BEGIN; LOCK TABLE pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE');
  const told = tell('BEGIN');
  await until('the question waits', async () => (await holder.query(waiting)).rows[0]?.pid === pid);
  if (by === 'by an operator') await watcher.query('SELECT pg_cancel_backend($1)', [pid]);
  else {
    const cancelling = await RawClient.open(proxy);
    cancelling.send(cancelPacket(client));
    await cancelling.rest();
  }
  expect(await told).toEqual([expect.stringMatching(/^E C=57014 /), 'Z I']);
  await holder.query('COMMIT');
  expect(await tell(...TRANSACTION)).toEqual(DONE);
});
