/** The end of a proxy (SIGTERM): open transactions may finish, and nobody waits for ever. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { copyData, copyDone, query, run, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { message, RawClient, readable } from '../support/raw-client.js';

const database = useDatabase('CREATE TABLE numbers (id int)');
const SHUTTING_DOWN = 'C=57P01';
/** A startup packet of protocol 3.0 without parameters. */
const STARTUP = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);

/** A proxy that gives transactions more time than any test takes, and a session on it. */
async function start(limits: ProxyOptions['limits'] = { drain_timeout: '10m' }) {
  const proxy = await startProxy({ limits });
  // The clients are gone by then: a test that has drained it already only waits for that.
  onTestFinished(() => proxy.stop());
  const login = (parameters = {}) => RawClient.login(proxy, { database: database.name, parameters });
  const other = await login();
  /** What was written before has been read by the proxy, which runs in this process, when this is answered. */
  const roundTrip = () => other.ask(query('SELECT 1'));
  return { proxy, login, roundTrip, client: await login() };
}

/** The session is over: told why, and closed. */
async function expectEnded(client: RawClient): Promise<void> {
  const [last, ...more] = readable(await client.rest());
  expect(last).toContain(SHUTTING_DOWN);
  expect(more).toEqual([]);
}

describe('drain', () => {
  test('ends an idle session at once', async () => {
    const { proxy, client } = await start();
    const drained = proxy.app.drain();
    await expectEnded(client);
    await drained;
  });

  test('lets a transaction finish, and then ends its session', async () => {
    const { proxy, client } = await start();
    await client.ask(query('BEGIN'));
    const drained = proxy.app.drain();
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
    expect(await client.told(query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
    await expectEnded(client);
    await drained;
  });

  test('lets a statement that runs finish', async () => {
    const { proxy, client } = await start();
    const holder = await database.connect();
    await holder.query('SELECT pg_advisory_lock(1)');
    client.send(query(`DO $$ BEGIN RAISE NOTICE 'at work'; PERFORM pg_advisory_xact_lock(1); END $$`));
    await client.until('N');
    const drained = proxy.app.drain();
    await holder.query('SELECT pg_advisory_unlock(1)');
    expect(readable(await client.untilReady())).toEqual(['C DO', 'Z I']);
    await expectEnded(client);
    await drained;
  });

  test('lets a pipeline finish that waits for its Sync', async () => {
    const { proxy, client } = await start();
    client.send(run('SELECT 1 AS one'), message('H'));
    await client.until('C');
    const drained = proxy.app.drain();
    expect(await client.told(run('SELECT 2 AS two'), sync)).toContain('D 2');
    await expectEnded(client);
    await drained;
  });

  test('ends a session whose COPY had failed before the client was done with its data', async () => {
    const { proxy, client, roundTrip } = await start();
    client.send(query('COPY numbers FROM STDIN'));
    await client.until('G');
    client.send(copyData('one\n'));
    expect(readable(await client.untilReady())[0]).toContain('C=22P02');
    // As psql does: the error is noticed when all has been sent.
    client.send(copyData('two\n'), copyDone);
    await roundTrip();
    const drained = proxy.app.drain();
    await expectEnded(client);
    await drained;
  }, 10_000);

  test('ends a session whose replication stream has ended', async () => {
    const { proxy, login } = await start();
    const client = await login({ replication: 'database' });
    await client.ask(query('CREATE_REPLICATION_SLOT drained TEMPORARY LOGICAL test_decoding'));
    client.send(query('START_REPLICATION SLOT drained LOGICAL 0/0'));
    await client.until('W');
    client.send(copyDone);
    await client.untilReady();
    const drained = proxy.app.drain();
    await expectEnded(client);
    await drained;
  }, 10_000);

  test('tells a client that comes meanwhile why it is not served, and refuses it when all are gone', async () => {
    const { proxy, client } = await start();
    await client.ask(query('BEGIN'));
    const drained = proxy.app.drain();
    const late = await RawClient.open(proxy);
    late.send(STARTUP);
    expect(readable(await late.rest())).toEqual([expect.stringContaining('C=57P03')]);
    client.socket.destroy();
    await drained;
    await expect(RawClient.open(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('tells a client that had connected but not said what it wants', async () => {
    const { proxy, client } = await start();
    const early = await RawClient.open(proxy);
    await client.ask(query('BEGIN'));
    const drained = proxy.app.drain();
    early.send(STARTUP);
    expect(readable(await early.rest())[0]).toContain('C=57P03');
    client.socket.destroy();
    await drained;
  });

  test('does not wait for a client that says nothing', async () => {
    const { proxy } = await start({ drain_timeout: '10m', login_timeout: '10m' });
    const silent = await RawClient.open(proxy);
    await proxy.app.drain();
    expect(await silent.rest()).toEqual([]);
  });

  test('does not wait for a client whose login is not over', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const proxy = await startProxy({
      upstream: `postgres://127.0.0.1:${port}`,
      limits: { drain_timeout: '10m', login_timeout: '10m' },
    });
    const client = await RawClient.open(proxy);
    const connected = once(silent, 'connection');
    client.send(STARTUP);
    await connected;
    const drained = proxy.app.drain();
    expect(readable(await client.rest())).toEqual([expect.stringContaining('C=57P03')]);
    await drained;
  });

  test('ends everything after limits.drain_timeout', async () => {
    const { proxy, client } = await start({ drain_timeout: '50ms' });
    await client.ask(query('BEGIN'));
    const silent = await RawClient.open(proxy);
    await proxy.app.drain();
    await expectEnded(client);
    expect(await silent.rest()).toEqual([]);
  });
});
