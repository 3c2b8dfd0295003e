/** What gets in the way of a cascade in batches: it is told as what it is, what is gone stays gone, and the same statement finishes. */
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, run, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { cancelPacket, RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE größen (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES größen ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE NOT ENFORCED, note text)`);
const proxy = useProxy({ cascade: { batch_rows: 10 }, log: { level: 'info' }, graph: { refresh: '1h' } });
const LEFT = 'SELECT (SELECT count(*) FROM posts)::int AS posts, (SELECT count(*) FROM users)::int AS users';
const DELETE = 'DELETE FROM größen WHERE id = 1';

let observer: pg.Client;
beforeEach(async () => {
  observer = await database.connect();
  await observer.query(`TRUNCATE größen, users, posts; INSERT INTO größen VALUES (1);
    INSERT INTO users SELECT i, 1 FROM generate_series(1, 4) AS i;
    INSERT INTO posts SELECT i, 1 + i % 4 FROM generate_series(1, 40) AS i`);
  return () => observer.end();
});
const login = () => RawClient.login(proxy, { database: database.name });
const left = async () => (await observer.query(LEFT)).rows[0];

/** Another session has a row that a later batch wants, until `end` ends its transaction. */
async function holding(sql: string) {
  const other = await database.connect();
  await other.query(`BEGIN; ${sql}`);
  onTestFinished(() => other.end());
  return (end: string) => other.query(end);
}

test('a cancel request ends it in a batch, and the same statement again finishes', async () => {
  const release = await holding('SELECT FROM posts WHERE id = 39 FOR UPDATE');
  const client = await login();
  const pid = await pidOf(client);
  client.send(query(DELETE));
  await untilSession(observer, pid, WAITS_FOR_LOCK);
  const canceling = await RawClient.open(proxy);
  canceling.send(cancelPacket(client));
  const answers = readable(await client.untilReady());
  expect(answers.filter((answer) => answer.startsWith('E')).join()).toMatch(
    /C=57014 .*\d+ rows are gone, in \d+ transactions/,
  );
  const { posts } = await left();
  expect(posts).toBeGreaterThan(0);
  await release('ROLLBACK');
  expect((await client.told(query(DELETE))).slice(-2)).toEqual(['C DELETE 1', 'Z I']);
  expect(await left()).toEqual({ posts: 0, users: 0 });
});

test.each([
  ['a query', query(DELETE)],
  ['an Execute', Buffer.concat([run(DELETE), sync])],
])('%s: a batch that another transaction gets in the way of is tried again', async (_, bytes) => {
  const release = await holding(`UPDATE posts SET note = 'later' WHERE id = 39`);
  const client = await login();
  await client.ask(query('SET default_transaction_isolation = serializable'));
  const pid = await pidOf(client);
  client.send(bytes);
  await untilSession(observer, pid, WAITS_FOR_LOCK);
  await release('COMMIT');
  const answers = readable(await client.untilReady());
  expect(answers.filter((answer) => answer.startsWith('E'))).toEqual([]);
  expect(answers.slice(-2)).toEqual(['C DELETE 1', 'Z I']);
  expect(await left()).toEqual({ posts: 0, users: 0 });
});

test('an error that names a table beyond ASCII comes in the encoding of the client, and is logged', async () => {
  const client = new pg.Client({ connectionString: proxy.url(database.name) });
  onTestFinished(() => client.end());
  await client.connect();
  await client.query(`SET client_encoding = latin1; BEGIN`);
  await expect(client.query('DELETE FROM users WHERE id = 1')).rejects.toMatchObject({ code: '0A000' });
  await client.query('ROLLBACK; SET client_encoding = utf8; BEGIN');
  await expect(client.query(DELETE)).rejects.toMatchObject({
    message:
      'cannot cascade from "public"."größen" in batches: a DELETE that is not a transaction of its own',
  });
  await client.query('ROLLBACK');
  expect(proxy.log.filter((line) => line.includes('PGC_BATCH')).length).toBeGreaterThanOrEqual(2);
});

test('a query in batches drops the unnamed statement, as any query does', async () => {
  const client = await login();
  await client.ask(parse('SELECT 1'), sync);
  await client.ask(query(DELETE));
  const answers = await client.told(run('SELECT 2'), sync);
  expect(answers).toContain('D 2');
  await client.ask(parse(DELETE), sync);
  await client.ask(query(DELETE));
  const bound = await client.told(bind(), execute(), sync);
  expect(bound[0]).toMatch(/^E .*C=26000/);
});

test.each([
  '1000001',
  '-1',
  'many',
])('SET pgcascade.batch_rows = %s is refused where it is to be used', async (value) => {
  const client = await login();
  await client.ask(query(`SET pgcascade.batch_rows = '${value}'`));
  expect((await client.told(query(DELETE)))[0]).toMatch(/^E C=22023 .*PGC_BATCH_VALUE/);
});
