/** What happens until a client is logged in, and who is not let in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { useDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { query } from '../support/frontend-messages.js';
import { startPostgres } from '../support/postgres.js';
import { type ProxyOptions, startProxy, useProxy } from '../support/proxy.js';
import { type Login, message, packet, RawClient, readable, startupPacket } from '../support/raw-client.js';
import { until } from '../support/until.js';

const database = useDatabase();
const proxy = useProxy({ limits: { message_bytes: '1MiB' } });
const SSL = packet(80877103);
const GSSENC = packet(80877104);

async function start(options: ProxyOptions) {
  const started = await startProxy(options);
  onTestFinished(() => started.stop());
  return started;
}

/** All that the server says up to ReadyForQuery, or to the end where it refuses. */
async function greeting(address: { host: string; port: number }, login: Omit<Login, 'database'>) {
  const client = await RawClient.open(address);
  client.send(startupPacket({ database: database.name, ...login }));
  client.send(query('SELECT 1 AS one'), message('X'));
  return readable(await client.rest());
}

describe('a login', () => {
  const asDirectly = async (login: Omit<Login, 'database'>) => {
    const expected = await greeting(inject('postgres'), login);
    expect(await greeting(proxy, login)).toEqual(expected);
    return expected;
  };

  test('is answered as directly', async () => {
    expect(await asDirectly({})).toContain('D 1');
  });

  test('of protocol 3.2 gets its long key', async () => {
    expect(await asDirectly({ version: 0x30002 })).toContain('K 36');
  });

  test('of a protocol that is not there yet is told so once', async () => {
    const told = await asDirectly({ version: 0x3270f });
    expect(told.filter((message) => message.startsWith('v'))).toHaveLength(1);
  });

  test('with unknown protocol options is told so once', async () => {
    const told = await asDirectly({ parameters: { '_pq_.one': '1', '_pq_.two': '2' } });
    expect(told.filter((message) => message.startsWith('v'))).toHaveLength(1);
  });

  test('of an unknown user is refused as directly', async () => {
    expect((await asDirectly({ user: 'nobody here' })).at(-1)).toContain('C=28000');
  });

  test('with settings in its startup packet has them', async () => {
    const parameters = { application_name: 'it', extra_float_digits: '0', options: '-c work_mem=7MB' };
    const client = await RawClient.login(proxy, { database: database.name, parameters });
    const sql = `SELECT current_setting('application_name'), current_setting('work_mem'), 0.1::float8 + 0.2`;
    expect(await client.told(query(sql))).toContain('D it|7MB|0.3');
  });

  test('in any split is understood', async () => {
    const client = await RawClient.open(proxy);
    await client.sendInPieces(startupPacket({ database: database.name }), 1);
    expect(readable(await client.untilReady()).at(-1)).toBe('Z I');
  });

  test('with a password is relayed, and so is its refusal', async () => {
    const server = await startPostgres({ auth: 'scram' });
    onTestFinished(() => server.stop('immediate'));
    const secured = await start({ upstream: `postgres://${server.host}:${server.port}` });
    const url = server.url('postgres').replace(`:${server.port}`, `:${secured.port}`);
    const { default: pg } = await import('pg');
    const good = new pg.Client(url);
    await good.connect();
    expect((await good.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await good.end();
    const bad = new pg.Client(url.replace('correct', 'wrong'));
    await expect(bad.connect()).rejects.toMatchObject({ code: '28P01' });
  });
});

describe('a request for encryption', () => {
  test.each([
    ['TLS', [SSL]],
    ['GSS', [GSSENC]],
    ['GSS and then TLS', [GSSENC, SSL]],
    ['TLS and then GSS', [SSL, GSSENC]],
  ])('by %s is answered no, and the login goes on', async (_, requests) => {
    const client = await RawClient.open(proxy);
    for (const request of requests) {
      client.send(request);
      expect(String(await client.bytes(1))).toBe('N');
    }
    client.send(startupPacket({ database: database.name }));
    expect(readable(await client.untilReady()).at(-1)).toBe('Z I');
  });

  test.each([
    ['after another of its kind', [SSL, SSL]],
    ['in turns', [SSL, GSSENC, SSL]],
    ['in turns the other way', [GSSENC, SSL, GSSENC]],
  ])('%s is refused, as directly', async (_, requests) => {
    for (const server of [inject('postgres'), proxy]) {
      const client = await RawClient.open(server);
      for (const request of requests.slice(0, -1)) {
        client.send(request);
        expect(String(await client.bytes(1))).toBe('N');
      }
      client.send(requests.at(-1) ?? SSL);
      expect(readable(await client.rest())[0]).toMatch(/S=FATAL/);
    }
  });

  test.each([
    ['TLS', SSL, 'received unencrypted data after SSL request'],
    ['GSS', GSSENC, 'received unencrypted data after GSSAPI encryption request'],
  ])('by %s with something after it is refused, as directly', async (_, request, words) => {
    for (const server of [inject('postgres'), proxy]) {
      const client = await RawClient.open(server);
      client.send(request, startupPacket({ database: database.name }));
      expect(String(await client.bytes(1))).toBe('N');
      const [told] = readable(await client.rest());
      expect(told).toContain('C=08P01');
      expect(told).toContain(`M=${words}`);
    }
  });
});

test('a message over limits.message_bytes ends its connection, and nothing else', async () => {
  const bystander = await RawClient.login(proxy, { database: database.name });
  const client = await RawClient.login(proxy, { database: database.name });
  client.send(Buffer.from([0x51, 0, 0x10, 0, 1]));
  const answers = readable(await client.rest());
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatch(/C=08P01.*S=FATAL/);
  expect(await bystander.told(query('SELECT 1 AS one'))).toContain('D 1');
});

describe('limits.connections', () => {
  const outcome = async (address: { host: string; port: number }) => {
    const client = await RawClient.open(address);
    client.send(startupPacket({ database: database.name }));
    for (let message = await client.next(); message; message = await client.next()) {
      if (message.type === 'Z') return 'in';
      if (message.type === 'E') return /C=\w+/.exec(readable([message])[0] ?? '')?.[0];
    }
    return 'closed';
  };

  test('lets in so many, and one more when one has gone', async () => {
    const small = await start({ limits: { connections: 2 } });
    const first = await RawClient.login(small, { database: database.name });
    expect([await outcome(small), await outcome(small)]).toEqual(['in', 'C=53300']);
    first.send(message('X'));
    await first.rest();
    expect(await outcome(small)).toBe('in');
  });

  test('holds when all come at once', async () => {
    const small = await start({ limits: { connections: 2 } });
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => outcome(small)));
    expect(outcomes.sort()).toEqual([...Array(4).fill('C=53300'), 'in', 'in']);
  });
});

describe('limits.login_timeout', () => {
  test.each([
    ['says nothing', Buffer.alloc(0)],
    ['stops in the middle of its first packet', startupPacket({ database: 'x' }).subarray(0, 9)],
    ['only asks for encryption', SSL],
  ])('ends a client that %s', async (_, bytes) => {
    const hasty = await start({ limits: { login_timeout: '50ms' } });
    const client = await RawClient.open(hasty);
    client.send(bytes);
    if (bytes === SSL) await client.bytes(1);
    expect(readable(await client.rest())[0]).toMatch(/C=08006.*S=FATAL/);
  });

  test('ends a client whose server does not answer', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => {})));
    const port = await freePort();
    await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const hasty = await start({
      upstream: `postgres://127.0.0.1:${port}`,
      limits: { login_timeout: '50ms' },
    });
    expect((await greeting(hasty, {}))[0]).toMatch(/C=08006.*S=FATAL/);
  });

  test('leaves a session alone that is logged in', async () => {
    const hasty = await start({ limits: { login_timeout: '200ms' } });
    const client = await RawClient.login(hasty, { database: database.name });
    const late = await RawClient.open(hasty);
    // The time of the one who came first is over before that of the one who came after.
    expect(await late.next()).toMatchObject({ type: 'E' });
    expect(await client.told(query('SELECT 1'))).toContain('C SELECT 1');
  });
});

test('a server that is down is reported as 08001, with its name', async () => {
  const port = await freePort();
  const orphan = await start({ upstream: `postgres://127.0.0.1:${port}` });
  expect((await greeting(orphan, {}))[0]).toMatch(
    new RegExp(`C=08001.*127\\.0\\.0\\.1:${port}.*ECONNREFUSED.*S=FATAL`),
  );
});

test('a client that is gone before the server is reached leaves nothing behind', async () => {
  const name = `gone_${process.pid}`;
  const socket = connect(proxy.port, proxy.host);
  socket.resume().end(startupPacket({ database: database.name, parameters: { application_name: name } }));
  await once(socket, 'close');
  const direct = await database.connect();
  const left = `SELECT FROM pg_stat_activity WHERE application_name = '${name}'`;
  await until('no session is left', async () => (await direct.query(left)).rowCount === 0);
});

test('a unix socket may be connected to by everybody, as that of PostgreSQL', async () => {
  const directory = workspace();
  await start({ listen: ['127.0.0.1:0', directory] });
  expect(statSync(join(directory, '.s.PGSQL.6432')).mode & 0o777).toBe(0o777);
});

test('a socket that a process left behind is replaced, and a file in its place is not', async () => {
  const [stale, taken] = [workspace(), workspace({ '.s.PGSQL.6432': 'precious' })];
  const gone = `require('node:net').createServer().listen('${stale}/.s.PGSQL.6432', () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', gone]), 'exit');
  expect(statSync(join(stale, '.s.PGSQL.6432')).isSocket()).toBe(true);
  await start({ listen: ['127.0.0.1:0', stale] });
  await expect(start({ listen: ['127.0.0.1:0', taken] })).rejects.toThrow('EADDRINUSE');
  expect(readFileSync(join(taken, '.s.PGSQL.6432'), 'utf8')).toBe('precious');
});
