/** An upstream with several hosts: which of them a client gets, as libpq tries them. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { serverOf } from '../../src/graph/watch/connection.js';
import { freePort } from '../support/free-port.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { message } from '../support/raw-client.js';

/** They log in by SCRAM; sessions of `reading` are read-only, and `standby` is one: it waits for what a primary has written. */
let writing: Server;
let reading: Server;
let standby: Server;
/** Nobody listens there. */
let dead: number;
/** Accepts, and says nothing. */
let mute: number;
/** Refuses everybody: it is starting. */
let starting: number;
const sockets = new Set<Socket>();
const folder = mkdtempSync(join(tmpdir(), 'pgcascade-hosts-'));
const users = join(folder, 'users.txt');

beforeAll(async () => {
  [writing, reading, standby] = await Promise.all([
    startPostgres({ auth: 'scram' }),
    startPostgres({ auth: 'scram', config: { default_transaction_read_only: 'on' } }),
    startPostgres({ auth: 'scram', files: { 'standby.signal': '' } }),
  ]);
  dead = await freePort();
  mute = await listening(() => {});
  starting = await listening((socket) => {
    socket.once('data', () => socket.end(refusal('57P03', 'the database system is starting up')));
  });
  writeFileSync(users, `"postgres" "${writing.password}"\n`, { mode: 0o600 });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  rmSync(folder, { recursive: true });
  await Promise.all([writing, reading, standby].map((server) => server?.stop('immediate')));
});

async function listening(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    serve(socket);
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function refusal(code: string, text: string): Buffer {
  const fields = [`SFATAL`, `VFATAL`, `C${code}`, `M${text}`].map((field) => `${field}\0`).join('');
  return message('E', Buffer.from(`${fields}\0`));
}

type Name = 'writing' | 'reading' | 'standby' | 'dead' | 'mute' | 'starting';

const portOf = (name: Name) =>
  ({ writing: writing.port, reading: reading.port, standby: standby.port, dead, mute, starting })[name];
const hosts = (names: readonly Name[]) => names.map((name) => `127.0.0.1:${portOf(name)}`).join(',');

async function behind(names: readonly Name[], query: string, options: ProxyOptions = {}) {
  const proxy = await startProxy({
    upstream: `postgres://${hosts(names)}?sslmode=disable&${query}`,
    ...options,
  });
  onTestFinished(() => proxy.stop());
  return proxy;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

async function login({ host, port }: Place, password = writing.password): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres', password });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  return client;
}

/** Which server the session is on, or the error. */
async function taken(place: Place, password?: string): Promise<string> {
  try {
    const client = await login(place, password);
    const { rows } = await client.query('SHOW port');
    const names: readonly Name[] = ['writing', 'reading', 'standby'];
    return names.find((name) => String(portOf(name)) === rows[0].port) ?? 'another';
  } catch (error) {
    const { code, message: text } = error as { code?: string; message: string };
    return `${code}: ${text}`;
  }
}

const byProxy = () => ({ auth: { mode: 'proxy', users } }) as const;
const byProbe = () => ({
  graph: {
    url: `postgres://postgres:${encodeURIComponent(writing.password ?? '')}@127.0.0.1:${writing.port}/postgres`,
  },
});

describe('a relayed login', () => {
  test.each<[readonly Name[], string, string]>([
    [['dead', 'writing'], '', 'writing'],
    [['starting', 'reading', 'writing'], '', 'reading'],
    [['dead', 'starting', 'writing'], '', 'writing'],
    [['mute', 'writing'], 'connect_timeout=1', 'writing'],
    [['mute', 'dead', 'reading'], 'connect_timeout=1', 'reading'],
  ])('of %j with %j is taken by %s', async (names, query, expected) => {
    expect(await taken(await behind(names, query))).toBe(expected);
  });

  test('that is refused asks no further', async () => {
    expect(await taken(await behind(['writing', 'reading'], ''), 'wrong')).toMatch(/^28P01: password/);
  });

  test('that no host takes says of each why', async () => {
    const names: readonly Name[] = ['dead', 'starting', 'mute'];
    const [one, two, three] = names.map((name) => `127.0.0.1:${portOf(name)}`);
    const told = await taken(await behind(names, 'connect_timeout=1'));
    expect(told).toContain(`08001: could not connect to the upstream server ${one},${two},${three}: `);
    expect(told).toContain(
      `${one}: ECONNREFUSED; ${two}: the database system is starting up; ${three}: timeout expired`,
    );
  });

  test('of one host alone gets its refusal as it is', async () => {
    expect(await taken(await behind(['starting'], ''))).toBe('57P03: the database system is starting up');
  });

  test('tries each address of a name', async () => {
    // On most machines localhost is ::1 first, where the server does not listen.
    const proxy = await startProxy({ upstream: `postgres://localhost:${writing.port}?sslmode=disable` });
    onTestFinished(() => proxy.stop());
    expect(await taken(proxy)).toBe('writing');
  });
});

/** In libpq's words for what was not wanted. */
const NONE = /^08001: .*: session is (not )?read-only$|: server is (not )?in hot standby mode$/;

describe.each([
  ['a login of the proxy’s own', byProxy],
  ['a relayed login, where the user of graph.url looks', byProbe],
])('target_session_attrs of %s', (_, options) => {
  test.each<[readonly Name[], string, string | RegExp]>([
    [['reading', 'writing'], 'any', 'reading'],
    [['reading', 'writing'], 'read-write', 'writing'],
    [['dead', 'starting', 'reading', 'writing'], 'read-write', 'writing'],
    [['writing', 'reading'], 'read-only', 'reading'],
    [['reading', 'writing'], 'primary', 'reading'],
    [['reading', 'dead'], 'prefer-standby', 'reading'],
    [['writing', 'standby'], 'prefer-standby', 'standby'],
    [['writing', 'reading', 'standby'], 'standby', 'standby'],
    [['standby', 'writing'], 'primary', 'writing'],
    [['standby', 'writing'], 'read-write', 'writing'],
    [['writing', 'standby'], 'read-only', 'standby'],
    [['reading', 'writing'], 'standby', NONE],
    [['standby'], 'primary', NONE],
    [['reading'], 'read-write', NONE],
    [['writing'], 'read-only', NONE],
  ])('%j with %s: %s', async (names, target, expected) => {
    const told = await taken(await behind(names, `target_session_attrs=${target}`, options()));
    if (typeof expected === 'string') expect(told).toBe(expected);
    else expect(told).toMatch(expected);
  });
});

test('a server that reports less, as before PostgreSQL 14, is asked', async () => {
  const port = await listening((socket) => {
    const server = connect(reading.port, reading.host).on('error', () => {});
    socket.pipe(server);
    let held = Buffer.alloc(0);
    server.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let end = endOf(held); end <= held.length; end = endOf(held)) {
        const one = held.subarray(0, end);
        if (!/^S....(in_hot_standby|default_transaction_read_only)/s.test(one.toString('latin1')))
          socket.write(one);
        held = held.subarray(end);
      }
    });
    server.on('close', () => socket.destroy());
  });
  const query = 'sslmode=disable&target_session_attrs=';
  const asked = async (target: string) => {
    const upstream = `postgres://127.0.0.1:${port},127.0.0.1:${writing.port}?${query}${target}`;
    const proxy = await startProxy({ upstream, ...byProxy() });
    onTestFinished(() => proxy.stop());
    return taken(proxy);
  };
  expect(await asked('read-write')).toBe('writing');
  expect(await asked('read-only')).toBe('reading');
  expect(await asked('primary')).toBe('reading');
  expect(await asked('standby')).toMatch(NONE);
});

/** Of the first message; Infinity where its length has not come. */
function endOf(bytes: Buffer): number {
  return bytes.length < 5 ? Number.POSITIVE_INFINITY : 1 + bytes.readUInt32BE(1);
}

test('a SCRAM secret alone logs in to a second host too, where the first is not wanted', async () => {
  const owner = await login({ host: '127.0.0.1', port: writing.port });
  const { rows } = await owner.query(`SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'`);
  const secret: string = rows[0].rolpassword;
  const other = await login({ host: '127.0.0.1', port: reading.port });
  await other.query('BEGIN READ WRITE');
  await other.query(`ALTER ROLE postgres PASSWORD '${secret}'`);
  await other.query('COMMIT');
  writeFileSync(users, `"postgres" "${secret}"\n`);
  const proxy = await behind(['reading', 'writing'], 'target_session_attrs=read-write', byProxy());
  expect(await taken(proxy)).toBe('writing');
});

test('a cancel request goes to the host of its session', async () => {
  const proxy = await behind(['dead', 'reading'], '');
  const client = await login(proxy);
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const asleep = client.query('SELECT pg_sleep(600)').catch((error: { code: string }) => error.code);
  const request = Buffer.alloc(16);
  for (const [i, word] of [16, 80877102, processID, secretKey].entries()) request.writeInt32BE(word, 4 * i);
  const cancel = setInterval(() => {
    connect(proxy.port, proxy.host)
      .on('error', () => {})
      .end(request);
  }, 100);
  onTestFinished(() => clearInterval(cancel));
  expect(await asleep).toBe('57014');
});

test.each<[readonly Name[], string, Name]>([
  [['dead', 'reading', 'writing'], 'any', 'reading'],
  [['starting', 'reading', 'writing'], 'read-write', 'writing'],
  [['mute', 'writing'], 'read-write', 'writing'],
  [['reading', 'writing'], 'primary', 'reading'],
])('graph.url with %j and %s listens on %s', async (names, target, expected) => {
  const account = `postgres:${encodeURIComponent(writing.password ?? '')}`;
  const url = `postgres://${account}@${hosts(names)}/postgres?target_session_attrs=${target}&sslmode=disable&connect_timeout=2`;
  expect(await serverOf(parseGraphUrl(url))).toMatchObject({ port: portOf(expected) });
});
