/** A session whose transaction asked too late asks before the next one begins, however that is begun. */
import type pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { cancelPacket, RawClient } from '../support/raw-client.js';
import { pidOf } from '../support/server-sessions.js';
import { useTap } from '../support/tap.js';
import { until } from '../support/until.js';

const database = useDatabase(`
  CREATE TABLE p (id int PRIMARY KEY);
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int)`);
const tap = useTap();
const proxy = useProxy({
  get upstream() {
    return tap.url;
  },
  graph: { refresh: '1h' },
});

/** How often the server was asked. */
const questions = () => tap.count(`'pgcascade.mode'`);
const DELETE = 'DELETE FROM p WHERE id = 1';

let other: pg.Client;
let client: RawClient;
/** Both sessions know by then what the names of their DELETEs mean, and what others changed since then they have to ask for. */
beforeEach(async () => {
  other = await proxy.connect(database.name);
  await other.query(DELETE);
  client = await RawClient.login(proxy, { database: database.name });
  await client.ask(parse('BEGIN', 'begin'), parse(DELETE, 'd'), runPrepared('d'), sync);
  const third = await proxy.connect(database.name);
  await third.query('ALTER TABLE notes ADD COLUMN more int; ALTER TABLE notes DROP COLUMN more');
  await third.end();
  tap.reset();
});

/** What begins a transaction in a pipeline: a Parse, or a Bind of what was prepared before. */
const begin = (text: string) => Buffer.concat([parse(text), bind(), execute()]);
const PREPARED = Buffer.concat([bind({ statement: 'begin' }), execute()]);

/** A transaction that writes before it deletes. What begins it is sent alone if it is a Query. */
async function transaction(first: Buffer, isQuery = false): Promise<void> {
  const pipeline = [run('INSERT INTO notes VALUES (1)'), sync];
  if (isQuery) await client.ask(first);
  await client.ask(...(isQuery ? pipeline : [first, ...pipeline]));
  await client.ask(runPrepared('d'), sync);
  await client.ask(parse('COMMIT'), bind(), execute(), sync);
}

test.each([
  ['a Query', query('BEGIN')],
  ['a Parse', begin('BEGIN')],
  ['a Parse of START TRANSACTION', begin('START TRANSACTION READ WRITE')],
  ['a Bind of what was prepared before', PREPARED],
])('transactions that begin with %s ask once too late and once in time, for all', async (how, first) => {
  for (let i = 0; i < 5; i++) await transaction(first, how === 'a Query');
  expect(questions()).toBe(2);
  await other.query(DELETE);
  expect(questions()).toBe(2);
});

test('in a pipeline the question is no part of the transaction, and the unnamed statement stays', async () => {
  await transaction(begin('BEGIN'));
  await client.ask(parse('SHOW transaction_isolation'), sync);
  tap.reset();
  const first = [
    parse('BEGIN ISOLATION LEVEL REPEATABLE READ', 'repeatable'),
    bind({ statement: 'repeatable' }),
  ];
  expect(await client.told(...first, execute(), bind(), execute(), sync)).toEqual([
    ...['1', '2', 'C BEGIN', '2', 'D repeatable read', 'C SHOW', 'Z T'],
  ]);
  expect(questions()).toBe(1);
});

const TRANSACTION = ['BEGIN', 'INSERT INTO notes VALUES (1)', 'DELETE FROM p WHERE id = 1', 'COMMIT'];
const DONE = ['C BEGIN', 'Z T', 'C INSERT 0 1', 'Z T', 'C DELETE 0', 'Z T', 'C COMMIT', 'Z I'];

test.each([
  ['by the client', 'simple'],
  ['by the client', 'extended'],
  ['by an operator', 'simple'],
  ['by an operator', 'extended'],
])('cancelled %s it ends with an error in the place of the %s BEGIN, and the session goes on', async (by, how) => {
  const tell = async (...texts: readonly string[]) => {
    const told: string[] = [];
    for (const sql of texts) told.push(...(await client.told(query(sql))));
    return told;
  };
  expect(await tell(...TRANSACTION)).toEqual(DONE);
  const pid = await pidOf(client);
  const [holder, watcher] = [await database.connect(), await database.connect()];
  const waiting = `SELECT pid FROM pg_locks WHERE relation = 'pg_constraint'::regclass AND NOT granted`;
  onTestFinished(async () => {
    await Promise.all([holder.end(), watcher.end()]);
  });
  await holder.query('BEGIN; LOCK TABLE pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE');
  const told =
    how === 'simple' ? tell('BEGIN') : client.told(PREPARED, run('INSERT INTO notes VALUES (1)'), sync);
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
