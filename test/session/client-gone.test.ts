/**
 * Clients that go away while the server is at work for them: what they left running is cancelled, and its locks are gone.
 * What a client said before it said goodbye is executed, and one that only waits for its answer gets it, as directly.
 */
import type { Socket } from 'node:net';
import type pg from 'pg';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { atByte } from '../chaos/faults.js';
import { Relay } from '../chaos/relay.js';
import { createTlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { copyData, query, run, sync, terminate } from '../support/frontend-messages.js';
import { startProxy, useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilBlockedBy, untilGone } from '../support/server-sessions.js';
import { until } from '../support/until.js';

vi.setConfig({ testTimeout: 20_000 });

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO orgs SELECT generate_series(1, 20);
  INSERT INTO users SELECT n, n FROM generate_series(1, 20) AS n;
  INSERT INTO posts SELECT n, n FROM generate_series(1, 20) AS n;
  CREATE TABLE lines (line text);
  CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM FROM posts WHERE id = 1 FOR UPDATE; RETURN NEW; END';
  CREATE FUNCTION behind_lock() RETURNS boolean LANGUAGE plpgsql STABLE AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END';
  CREATE TRIGGER waits BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION wait();`);
const proxy = useProxy({
  graph: { refresh: '0s' },
  cascade: { overrides: [{ match: '*.*.users_org_id_fkey', on_delete: 'cascade' }] },
});
const login = () => RawClient.login(proxy, { database: database.name });

/** How a client goes: by a reset, as with answers that it has not read, or by closing its connection. */
const ways: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['a reset', (socket) => socket.resetAndDestroy()],
  ['a close', (socket) => socket.destroy()],
];

/** A session that holds a lock until the test is over, and looks after the others. */
async function lockedBy(sql: string) {
  const [locker, watcher] = [await database.connect(), await database.connect()];
  onTestFinished(() => Promise.all([locker.end(), watcher.end()]).then(() => undefined));
  await locker.query('BEGIN');
  await locker.query(sql);
  const blocker = await pidOf(locker);
  return {
    locker,
    waits: (pid: number) => untilBlockedBy(watcher, pid, blocker),
    isGone: (pid: number) => untilGone(watcher, pid),
    /** The locker's transaction goes on as if nothing had been. */
    isUntouched: async () => {
      expect((await locker.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      await locker.query('ROLLBACK');
    },
  };
}

const ROW = 'SELECT FROM posts WHERE id = 1 FOR UPDATE';
const DELETE = 'DELETE FROM users WHERE id = 1';
const work: readonly (readonly [string, string, Buffer])[] = [
  ['a cascade', ROW, query(DELETE)],
  ['a cascade in a pipeline', ROW, Buffer.concat([run('SELECT 1'), run(DELETE), sync])],
  ['a cascade in a transaction', ROW, Buffer.concat([query('BEGIN'), query(DELETE), query('COMMIT')])],
  ['a statement that passes', ROW, query('DELETE FROM posts WHERE id = 1')],
  ['a COPY', ROW, Buffer.concat([query('COPY lines FROM STDIN'), copyData('x\n'.repeat(50_000))])],
  ["a question of the proxy's own", 'LOCK TABLE pg_catalog.pg_inherits', query(DELETE)],
];

describe.each(ways)('a client that goes by %s', (_, go) => {
  test.each(work)('takes along what waits in %s', async (_, lock, bytes) => {
    const { waits, isGone, isUntouched } = await lockedBy(lock);
    const client = await login();
    const pid = await pidOf(client);
    client.send(bytes);
    await waits(pid);
    go(client.socket);
    await isGone(pid);
    await isUntouched();
  });

  test('takes along a DELETE that is being sent again', async () => {
    const overtaking = await database.connect();
    onTestFinished(() => overtaking.end());
    const first = await lockedBy('SELECT pg_advisory_xact_lock(7)');
    const client = await login();
    const pid = await pidOf(client);
    client.send(query('DELETE FROM orgs WHERE id = 2 AND behind_lock()'));
    await first.waits(pid);
    await overtaking.query('INSERT INTO users VALUES (102, 2)');
    const second = await lockedBy('SELECT FROM users WHERE id = 102 FOR UPDATE');
    await first.isUntouched();
    await second.waits(pid);
    go(client.socket);
    await second.isGone(pid);
    await second.isUntouched();
    await overtaking.query('DELETE FROM users WHERE id = 102');
  });

  test('makes room for another', async () => {
    const small = await startProxy({ limits: { connections: 1 } });
    onTestFinished(() => small.stop());
    const { waits, isGone } = await lockedBy(ROW);
    const client = await RawClient.login(small, { database: database.name });
    const pid = await pidOf(client);
    client.send(query(DELETE));
    await waits(pid);
    go(client.socket);
    await isGone(pid);
    const next = () => RawClient.login(small, { database: database.name });
    await expect.poll(() => next().then(() => 'in', String), { timeout: 5000 }).toBe('in');
  });

  test('is noticed after what it has sent meanwhile, of which nothing is executed', async () => {
    const { locker, waits, isGone } = await lockedBy(ROW);
    const client = await login();
    const pid = await pidOf(client);
    client.send(query(DELETE), query(`DELETE FROM posts WHERE id = 20 /* ${'x'.repeat(20_000)} */`));
    await waits(pid);
    go(client.socket);
    await isGone(pid);
    expect((await locker.query('SELECT FROM posts WHERE id = 20')).rowCount).toBe(1);
  });
});

test.each(
  ways,
)('after more than is read ahead a client that goes by %s takes its session along', async (_, go) => {
  const { waits, isGone } = await lockedBy(ROW);
  const client = await login();
  const pid = await pidOf(client);
  client.send(query(DELETE));
  await waits(pid);
  // It fills what is read ahead, and what the streams keep.
  await new Promise((resolve) => client.socket.write(query(`SELECT '${'x'.repeat(200_000)}'`), resolve));
  go(client.socket);
  await isGone(pid);
});

test('a client that dies long after it has closed its side takes its session along', async () => {
  const { waits, isGone } = await lockedBy(ROW);
  const client = await login();
  client.socket.allowHalfOpen = true;
  const pid = await pidOf(client);
  client.send(query(DELETE));
  client.socket.end();
  await waits(pid);
  await client.until('S');
  client.socket.destroy();
  await isGone(pid);
});

test('what a client has sent before it is reset is executed, as PostgreSQL reads it before it notices', async () => {
  const units: readonly ((sql: string) => Buffer)[] = [query, (sql) => Buffer.concat([run(sql), sync])];
  const direct = await database.connect();
  onTestFinished(() => direct.end());
  for (const server of [inject('postgres'), proxy])
    for (const unit of units) {
      await direct.query('INSERT INTO users VALUES (201)');
      const client = await RawClient.login(server, { database: database.name });
      await client.told(unit('DELETE FROM users WHERE id = 200'));
      await new Promise((done) => client.socket.write(unit('DELETE FROM users WHERE id = 201'), done));
      client.socket.resetAndDestroy();
      const left = async () => (await direct.query('SELECT FROM users WHERE id = 201')).rowCount;
      await expect.poll(left, { timeout: 5000 }).toBe(0);
    }
});

async function rows(on: pg.Client, id: number): Promise<number> {
  return Number((await on.query('SELECT count(*) AS n FROM posts WHERE id = $1', [id])).rows[0].n);
}

describe('a client that has said goodbye', () => {
  test('after its statements, and is gone, has them executed in their order', async () => {
    const { locker, waits, isGone, isUntouched } = await lockedBy(
      'SELECT FROM posts WHERE id = 3 FOR UPDATE',
    );
    const client = await login();
    const pid = await pidOf(client);
    client.send(query('DELETE FROM users WHERE id = 3'), query('DELETE FROM users WHERE id = 4'), terminate);
    await waits(pid);
    client.socket.destroy();
    await new Promise((resolve) => client.socket.once('close', resolve));
    expect(await rows(locker, 4)).toBe(1);
    await isUntouched();
    await isGone(pid);
    expect([await rows(locker, 3), await rows(locker, 4)]).toEqual([0, 0]);
  });

  test('in one write with its login and its statement has it executed', async () => {
    const { locker, isGone } = await lockedBy('SELECT 1');
    const client = await login();
    const pid = await pidOf(client);
    client.send(query('DELETE FROM users WHERE id = 5'), terminate);
    client.socket.destroySoon();
    await isGone(pid);
    await expect.poll(() => rows(locker, 5), { timeout: 5000 }).toBe(0);
  });
});

test('a client that has closed its side and still reads gets its answer, however long it takes', async () => {
  for (const server of [inject('postgres'), proxy]) {
    const { locker, waits } = await lockedBy('SELECT FROM posts WHERE id = 6 FOR UPDATE');
    const client = await RawClient.login(server, { database: database.name });
    const pid = await pidOf(client);
    client.socket.allowHalfOpen = true;
    client.send(query('UPDATE posts SET id = id WHERE id = 6'), query('SELECT 1 AS one'));
    client.socket.end();
    await waits(pid);
    // The proxy looks whether the client is there, and each time tells it a parameter once more.
    for (let looks = 0; server === proxy && looks < 3; looks++)
      expect(readable(await client.until('S'))).toEqual([expect.stringMatching(/^S client_encoding/)]);
    await locker.query('ROLLBACK');
    const told = readable(await client.rest()).filter((each) => !each.startsWith('S client_encoding'));
    expect(told).toEqual(['C UPDATE 1', 'Z I', expect.stringMatching(/^T one/), 'D 1', 'C SELECT 1', 'Z I']);
  }
});

test('sessions that are ended at the shutdown leave nothing running', async () => {
  const ending = await startProxy({ limits: { drain_timeout: '1ms' } });
  const { waits, isGone, isUntouched } = await lockedBy(ROW);
  const client = await RawClient.login(ending, { database: database.name });
  const pid = await pidOf(client);
  client.send(query(DELETE));
  await waits(pid);
  await ending.stop();
  expect(readable(await client.rest()).at(-1)).toContain('C=57P01');
  await isGone(pid);
  await isUntouched();
});

test.each([
  'in clear',
  'over TLS',
])('a client %s that has closed its side and dies while the server halts inside of a row takes its session along', async (how) => {
  const relay = await Relay.start(inject('postgres').port);
  onTestFinished(() => relay.stop());
  const tls = await createTlsFolder();
  onTestFinished(() => tls.remove());
  const behind = await startProxy({
    upstream: `postgres://127.0.0.1:${relay.port}`,
    tls: { mode: 'allow', ...tls.files },
  });
  onTestFinished(() => behind.stop());
  const ca = how === 'over TLS' ? tls.authority.cert : undefined;
  const halt = relay.arm(atByte('toClient', 20_000, { kind: 'stall' }));
  const client = await RawClient.login({ ...behind, ca }, { database: database.name });
  const pid = await pidOf(client);
  // The DELETE is to be decided when the row has come.
  client.send(query("SELECT repeat('x', 400000)"), query(DELETE));
  client.socket.end();
  // With something still to be written, the reset would be noticed.
  await until('the client has what comes', () => halt.hasFired() && client.socket.bytesRead > 15_000);
  client.socket.resetAndDestroy();
  const watcher = await database.connect();
  onTestFinished(() => watcher.end());
  await untilGone(watcher, pid);
});
