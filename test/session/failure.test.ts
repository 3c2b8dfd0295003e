/** Servers that fail, sessions that are ended: the client is told by the server where it can be, and all others go on. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { copyData, query, run, sync } from '../support/frontend-messages.js';
import { startPostgres } from '../support/postgres.js';
import { startProxy } from '../support/proxy.js';
import { message, RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { pidOf, untilGone, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';
import { useDirectly } from '../wire/as-directly.js';
import { int32, typed } from '../wire/bytes.js';

vi.setConfig({ testTimeout: 30_000 });
// Every DELETE asks the server for the state of the catalog, which can be made to wait.
const directly = useDirectly('INSERT INTO parent VALUES (1); CREATE TABLE item (line text);', {
  graph: { refresh: '0s' },
});

const sleeping = 'SELECT pg_sleep(100)';
const deleting = 'DELETE FROM parent WHERE pg_sleep(100) IS NULL';
const SLEEPS = `wait_event = 'PgSleep'`;
const work: readonly (readonly [string, Buffer, string])[] = [
  ['a query', query(sleeping), SLEEPS],
  ['the middle of a string', query(`SELECT 1; ${sleeping}; SELECT 2`), SLEEPS],
  ['a pipeline', Buffer.concat([run('SELECT 1'), run(sleeping), run('SELECT 2'), sync]), SLEEPS],
  ['an expanded DELETE', query(deleting), SLEEPS],
  ['an expanded DELETE in a pipeline', Buffer.concat([run('SELECT 1'), run(deleting), sync]), SLEEPS],
  [
    'COPY data',
    Buffer.concat([query('COPY item FROM STDIN'), copyData('x\n')]),
    `wait_event = 'ClientRead' AND EXISTS (SELECT FROM pg_stat_progress_copy AS c WHERE c.pid = pg_stat_activity.pid AND bytes_processed > 0)`,
  ],
  ['a transaction', query('BEGIN; DELETE FROM parent WHERE id = -1'), `state = 'idle in transaction'`],
  ['nothing at all', Buffer.alloc(0), `state = 'idle'`],
];

describe('a session whose backend is terminated', () => {
  test.each(work)('in %s is told so by the server, as directly', async (_, bytes, state) => {
    const told = await directly.expectAsDirectly(async (client) => {
      const [pid, watcher] = [await pidOf(client), await directly.database.connect()];
      client.send(bytes);
      await untilSession(watcher, pid, state);
      await watcher.query('SELECT pg_terminate_backend($1)', [pid]);
      return client.rest();
    });
    expect(told.at(-1)).toContain('C=57P01');
  });
});

describe('a statement that is cancelled', () => {
  test.each(
    work.slice(0, 5),
  )('in %s is told so, and the session goes on, as directly', async (_, bytes, state) => {
    const told = await directly.expectAsDirectly(async (client) => {
      const [pid, watcher] = [await pidOf(client), await directly.database.connect()];
      client.send(bytes);
      await untilSession(watcher, pid, state);
      await watcher.query('SELECT pg_cancel_backend($1)', [pid]);
      return client.untilReady();
    });
    expect(told.at(-2)).toContain('C=57014');
  });
});

describe('while the proxy waits for the answer to a question of its own', () => {
  const DELETE = 'DELETE FROM parent WHERE id = -1';
  const manners = [
    ['a query', query(DELETE)],
    ['a pipeline', Buffer.concat([run('SELECT 1'), run(DELETE), sync])],
  ] as const;

  async function interrupted(bytes: Buffer, by: string): Promise<RawClient> {
    const client = await directly.connect();
    const [watcher, locker] = await Promise.all([directly.database.connect(), directly.database.connect()]);
    const pid = await pidOf(client);
    await locker.query('BEGIN; LOCK TABLE pg_catalog.pg_inherits');
    client.send(bytes);
    await untilSession(watcher, pid, WAITS_FOR_LOCK);
    await watcher.query(`SELECT ${by}($1)`, [pid]);
    await locker.query('ROLLBACK');
    return client;
  }

  test.each(manners)('a cancel of %s is its error, and the session goes on', async (_, bytes) => {
    const client = await interrupted(bytes, 'pg_cancel_backend');
    const told = readable(await client.untilReady());
    expect(told.filter((each) => each.startsWith('E')).join()).toContain('C=57014');
    expect(told.at(-1)).toBe('Z I');
    expect(await client.told(bytes)).toContain('C DELETE 0');
  });

  test.each(manners)('the end of its session is told in %s', async (_, bytes) => {
    const client = await interrupted(bytes, 'pg_terminate_backend');
    expect(readable(await client.rest()).at(-1)).toMatch(/C=57P01.*S=FATAL/);
  });

  test('a client that goes away takes its session with it', async () => {
    const client = await directly.connect();
    const [watcher, locker] = await Promise.all([directly.database.connect(), directly.database.connect()]);
    const pid = await pidOf(client);
    await locker.query('BEGIN; LOCK TABLE pg_catalog.pg_inherits');
    client.send(query(DELETE));
    await untilSession(watcher, pid, WAITS_FOR_LOCK);
    client.socket.destroy();
    await locker.query('ROLLBACK');
    await untilGone(watcher, pid);
    expect((await (await directly.connect()).told(query(DELETE))).at(0)).toBe('C DELETE 0');
  });
});

/** A way to a server that may be replaced by another one. */
async function startRoad(port: number) {
  const sockets = new Set<Socket>();
  const road = { port: 0, leadsTo: port };
  const server = createServer((client) => {
    const onward = connect({ host: '127.0.0.1', port: road.leadsTo, noDelay: true });
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one);
      one
        .on('error', () => {})
        .on('close', () => other.destroySoon())
        .pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  road.port = (server.address() as AddressInfo).port;
  return road;
}

async function startServer() {
  const server = await startPostgres();
  onTestFinished(() => server.stop('immediate'));
  return server;
}

async function startProxyTo(port: number) {
  const proxy = await startProxy({ upstream: `postgres://127.0.0.1:${port}` });
  onTestFinished(() => proxy.stop());
  return proxy;
}

const lost = /C=(?:08006|57P0[123])/;

describe('a server that goes down', () => {
  test('at once ends every session with an error, and new clients come in when it is back', async () => {
    const server = await startServer();
    const road = await startRoad(server.port);
    const proxy = await startProxyTo(road.port);
    const login = () => RawClient.login(proxy, { database: 'postgres' });
    const watcher = await proxy.connect();
    const clients = [await login()];
    for (const [, bytes, state] of work.slice(0, 3)) {
      const client = await login();
      const pid = await pidOf(client);
      client.send(bytes);
      await untilSession(watcher, pid, state);
      clients.push(client);
    }
    await server.stop('immediate');
    for (const client of clients) expect(readable(await client.rest()).at(-1)).toMatch(lost);

    const refused = await RawClient.login(proxy, { database: 'postgres' }).catch(String);
    expect(refused).toMatch(/C=0800[16]/);
    road.leadsTo = (await startServer()).port;
    expect(await (await login()).told(query('SELECT 1 AS one'))).toContain('D 1');
    expect(proxy.log.filter((line) => line.includes('PGC_INTERNAL'))).toEqual([]);
  });

  test('and recovers after a crash of one backend takes clients in again', async () => {
    const server = await startServer();
    const proxy = await startProxyTo(server.port);
    const [one, other] = await Promise.all([
      RawClient.login(proxy, { database: 'postgres' }),
      RawClient.login(proxy, { database: 'postgres' }),
    ]);
    const pid = await pidOf(one);
    one.send(query(sleeping));
    process.kill(pid, 'SIGKILL');
    for (const client of [one, other]) expect(readable(await client.rest()).at(-1)).toMatch(lost);
    const back = async (): Promise<RawClient> => RawClient.login(proxy, { database: 'postgres' }).catch(back);
    expect(await (await back()).told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});

/** A server that lets everybody in, and answers the first query with these bytes and its end. */
async function startFake(answer: Buffer, end: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.concat([typed('R', int32(0)), typed('Z', Buffer.from('I'))]));
      socket.once('data', () => socket.write(answer, () => end(socket)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a server that is lost', () => {
  const ends = [
    ['closes', (socket: Socket) => void socket.end()],
    ['breaks', (socket: Socket) => void socket.resetAndDestroy()],
  ] as const;

  test.each(ends)('between two messages, when it %s, is told as 08006', async (_, end) => {
    const proxy = await startProxyTo(await startFake(typed('C', Buffer.from('SELECT 1\0')), end));
    const client = await RawClient.login(proxy, { database: 'any' });
    client.send(query('SELECT 1'));
    const told = readable(await client.rest());
    expect(told.slice(-1)[0]).toMatch(/C=08006.*PGC_UPSTREAM_LOST.*S=FATAL/);
  });

  test('inside of a message that was begun is told by the end of the connection alone', async () => {
    const half = message('D', Buffer.alloc(10_000, 'x')).subarray(0, 500);
    const proxy = await startProxyTo(await startFake(half, (socket) => socket.end()));
    const client = await RawClient.login(proxy, { database: 'any' });
    client.send(query('SELECT 1'));
    // An error written after half a row would be read as the rest of the row.
    const came: Buffer[] = [];
    for (let byte = await client.bytes(1); byte; byte = await client.bytes(1)) came.push(byte);
    expect(Buffer.concat(came).length).toBeLessThanOrEqual(half.length);
  });

  test('by sending what is no message is told as a protocol violation', async () => {
    const proxy = await startProxyTo(await startFake(message('~', Buffer.from('?')), () => {}));
    const client = await RawClient.login(proxy, { database: 'any' });
    client.send(query('SELECT 1'));
    const told: readonly RawMessage[] = await client.rest();
    expect(readable(told).at(-1)).toMatch(/C=08P01.*S=FATAL/);
  });
});
