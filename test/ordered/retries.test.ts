/** Errors after which the same may succeed: in a transaction of the proxy's own they are not told, and all is done once more. */
import type pg from 'pg';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { startProxy, useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE likes (post int REFERENCES posts ON DELETE CASCADE NOT ENFORCED);
  CREATE SEQUENCE attempts;
  CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM nextval('attempts'); RAISE 'once more' USING ERRCODE = '40001'; END $$`);
const OPTIONS = { admin: { listen: '127.0.0.1:0' }, cascade: { strategy: 'ordered' } } as const;
const proxy = useProxy(OPTIONS);

const ROWS = `DROP TRIGGER IF EXISTS fail ON likes; ALTER SEQUENCE attempts RESTART;
  TRUNCATE orgs, users, posts, likes; INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (10, 1), (20, 2);
  INSERT INTO posts VALUES (100, 10), (200, 20); INSERT INTO likes VALUES (100), (200)`;
const LEFT = `SELECT (SELECT count(*) FROM orgs) || ' ' || (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM posts)
  || ' ' || (SELECT count(*) FROM likes) AS left`;
const FAILS = 'CREATE TRIGGER fail AFTER DELETE ON likes FOR EACH ROW EXECUTE FUNCTION fail()';
const ONCE = `CREATE OR REPLACE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE NOTICE 'on its way';
      IF nextval('attempts') = 1 THEN RAISE 'once more' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
  CREATE TRIGGER fail AFTER DELETE ON likes FOR EACH ROW EXECUTE FUNCTION once()`;
const DELETE = 'DELETE FROM orgs WHERE id = 1';

let application: RawClient;
let writer: pg.Client;
let other: pg.Client;
let observer: pg.Client;
beforeEach(async () => {
  [writer, other, observer] = [await database.connect(), await database.connect(), await database.connect()];
  await writer.query(ROWS);
  application = await RawClient.login(proxy, { database: database.name });
});
afterEach(async () => {
  await Promise.all([writer, other, observer].map((client) => client.end()));
});

const left = async () => (await observer.query(LEFT)).rows[0].left;
const attempts = async () =>
  Number((await observer.query('SELECT last_value FROM attempts')).rows[0].last_value);

const PROTOCOLS = [
  ['simple', query(DELETE)],
  ['extended', Buffer.concat([run('DELETE FROM orgs WHERE id = $1', ['1']), sync])],
] as const;

test.each(
  PROTOCOLS,
)('%s: of a deadlock that it is the victim of the client hears nothing', async (_, sent) => {
  const [app, first, second] = [await pidOf(application), await pidOf(writer), await pidOf(other)];
  await other.query('BEGIN; SELECT FROM users WHERE id = 10 FOR UPDATE');
  const done = application.told(sent);
  await untilBlockedBy(observer, app, second);
  await writer.query(`BEGIN; SET LOCAL deadlock_timeout = '1h'; SELECT FROM posts WHERE id = 100 FOR UPDATE`);
  const locked = writer.query('SELECT FROM orgs WHERE id = 1 FOR UPDATE');
  await untilBlockedBy(observer, first, app);
  await other.query('COMMIT');
  await locked;
  await writer.query('COMMIT');
  expect((await done).join()).toContain('DELETE 1');
  expect(await left()).toBe('1 1 1 1');
});

test.each(PROTOCOLS)('%s: a row that was changed after its snapshot is read anew', async (_, sent) => {
  const [app, first] = [await pidOf(application), await pidOf(writer)];
  await application.told(query(`SET default_transaction_isolation = 'repeatable read'`));
  await writer.query('BEGIN; UPDATE users SET org = 2 WHERE id = 10');
  const done = application.told(sent);
  await untilBlockedBy(observer, app, first);
  await writer.query('COMMIT');
  expect((await done).join()).toContain('DELETE 1');
  expect(await left()).toBe('1 2 2 2');
});

test.each(PROTOCOLS)('%s: what fails again and again is told at last', async (_, sent) => {
  await writer.query(FAILS);
  expect((await application.told(sent)).join()).toContain('C=40001 M=once more');
  expect([await attempts(), await left()]).toEqual([5, '2 2 2 2']);
  expect((await application.told(query('SELECT 7'))).join()).toContain('7');
});

test.each(
  PROTOCOLS,
)('%s: a notice of what was done once more comes once, and each retry is counted', async (_, sent) => {
  await writer.query(ONCE);
  // Its metrics are made once a second: nobody has asked for them before.
  const own = await startProxy(OPTIONS);
  onTestFinished(() => own.stop());
  const client = await RawClient.login(own, { database: database.name });
  const told = (await client.told(sent)).join();
  expect(told.split('M=on its way')).toHaveLength(2);
  expect(told).toContain('DELETE 1');
  expect(await attempts()).toBe(2);
  const text = await (await fetch(`http://${own.app.admin}/metrics`)).text();
  expect(text).toContain('pgcascade_retries_total{reason="othersConflict"} 1\n');
});

test.each(
  PROTOCOLS,
)('%s: so it is with the notices and retries of a batch, also at its commit', async (_, sent) => {
  await writer.query(ONCE);
  const own = await startProxy({ ...OPTIONS, cascade: { batch_rows: 10 } });
  onTestFinished(() => own.stop());
  const client = await RawClient.login(own, { database: database.name });
  const told = (await client.told(sent)).join();
  expect(told.split('M=on its way')).toHaveLength(2);
  expect(told).toContain('DELETE 1');
  await writer.query(
    `${ROWS}; ${ONCE.replace('CREATE TRIGGER', 'CREATE CONSTRAINT TRIGGER').replace(
      'FOR EACH ROW',
      'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
    )}`,
  );
  const late = (await client.told(sent)).join();
  expect(late.split('M=on its way')).toHaveLength(2);
  expect(late).toContain('DELETE 1');
  expect(await left()).toBe('1 1 1 1');
  const text = await (await fetch(`http://${own.app.admin}/metrics`)).text();
  expect(text).toContain('pgcascade_retries_total{reason="othersConflict"} 2\n');
});

test.each(
  PROTOCOLS,
)('%s: the notices of a batch that fails at last come before its error', async (_, sent) => {
  await writer.query(ONCE.replace("nextval('attempts') = 1", "nextval('attempts') > 0"));
  const own = await startProxy({ ...OPTIONS, cascade: { batch_rows: 10 } });
  onTestFinished(() => own.stop());
  const client = await RawClient.login(own, { database: database.name });
  const told = (await client.told(sent)).join();
  expect(told.split('M=on its way')).toHaveLength(2);
  expect(told).toMatch(/M=on its way.*M=once more/);
  expect([await attempts(), await left()]).toEqual([5, '2 2 2 2']);
});

test.each([
  ['in a transaction of the client', [query('BEGIN'), query(DELETE), query('ROLLBACK')]],
  ['after an Execute of the client', [Buffer.concat([run('SELECT 1'), run(DELETE), sync])]],
])('%s an error is told at once', async (_, messages) => {
  await writer.query(FAILS);
  const told: string[] = [];
  for (const message of messages) told.push(...(await application.told(message)));
  expect(told.join()).toContain('C=40001 M=once more');
  expect([await attempts(), await left()]).toEqual([1, '2 2 2 2']);
});
