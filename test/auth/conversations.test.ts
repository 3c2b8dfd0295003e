/** A login of the proxy's own, message by message: where a client says something wrong, it is told what PostgreSQL tells it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { deriveKeys } from '../../src/auth/scram/keys.js';
import { answerChallenge, begin, readChallenge } from '../../src/auth/scram/prover.js';
import { query, sync, terminate } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import {
  cancelPacket,
  message,
  packet,
  RawClient,
  type RawMessage,
  readable,
  startupPacket,
} from '../support/raw-client.js';
import { until } from '../support/until.js';
import { int32, text } from '../wire/bytes.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();
const AUTH = { mode: 'proxy' as const, users: sample.users };
const upstreamOf = () => `postgres://127.0.0.1:${sample.server.port}?sslmode=disable`;

/** Another proxy, which ends with the test. */
async function another(options: ProxyOptions): Promise<RunningProxy> {
  const other = await startProxy({ upstream: upstreamOf(), auth: AUTH, ...options });
  onTestFinished(() => other.stop());
  return other;
}

let started: RunningProxy;
beforeAll(async () => {
  started = await startProxy({ upstream: upstreamOf(), auth: AUTH });
});
afterAll(() => started?.stop());
const proxy = () => started;

const KEPT = startupPacket({ database: 'postgres', user: 'kept' });

function initial(data: string | undefined, mechanism = 'SCRAM-SHA-256'): Buffer {
  const bytes = Buffer.from(data ?? '', 'latin1');
  return message('p', text(mechanism), int32(data === undefined ? -1 : bytes.length), bytes);
}

/** The startup packet, and what the client answers to each question. */
async function answers(
  address: { readonly host: string; readonly port: number },
  startup: Buffer,
  ...sent: readonly Buffer[]
): Promise<readonly string[]> {
  const client = await RawClient.open(address);
  client.send(startup);
  for (const bytes of sent) {
    const question = await client.next();
    if (question?.type !== 'R') return readable(question ? [question, ...(await client.rest())] : []);
    client.send(bytes);
  }
  return readable(await client.rest()).filter((told) => !told.startsWith('R'));
}

/** The beginning of a message that declares this length. */
const declaring = (type: string, length: number) =>
  Buffer.concat([Buffer.from(type), int32(length), Buffer.alloc(20, 'x')]);

const FIRST = initial('n,,n=,r=client');

test.each([
  ['another mechanism', [initial('n,,n=,r=a', 'SCRAM-SHA-1')]],
  ['a mechanism that is not offered', [initial('p=tls-server-end-point,,n=,r=a', 'SCRAM-SHA-256-PLUS')]],
  ['an empty message', [initial('')]],
  ['a flag that there is not', [initial('x,,n=,r=a')]],
  ['another identity', [initial('n,a=postgres,n=,r=a')]],
  ['an extension', [initial('n,,m=x,n=,r=a')]],
  ['a nonce that cannot be printed', [initial('n,,n=,r=\x7f')]],
  ['a zero byte', [initial('n,,n=,r=a\0b')]],
  ['a query in place of its answer', [query('SELECT 1')]],
  ['a goodbye in place of its answer', [terminate]],
  ['a length that is not so', [message('p', text('SCRAM-SHA-256'), int32(9), Buffer.from('n,,'))]],
  ['a shorter length', [message('p', text('SCRAM-SHA-256'), int32(1), Buffer.from('n,,'))]],
  ['a query of 100 MiB', [declaring('Q', 100 * 1024 * 1024)]],
  ['data of 100 MiB', [declaring('d', 100 * 1024 * 1024)]],
  ['a type that is none', [declaring('Z', 20)]],
  ['a Sync', [sync]],
  ['a mechanism without an end', [message('p', Buffer.from('SCRAM-SHA-256'))]],
  ['nothing first, and a message when asked', [initial(undefined), message('p', Buffer.from('x'))]],
  [
    'another nonce',
    [FIRST, message('p', Buffer.from('c=biws,r=other,p='), Buffer.from(Buffer.alloc(32).toString('base64')))],
  ],
  [
    'another binding',
    [FIRST, message('p', Buffer.from('c=eSws,r=x,p='), Buffer.from(Buffer.alloc(32).toString('base64')))],
  ],
  ['no proof', [FIRST, message('p', Buffer.from('c=biws,r=x'))]],
  ['half of a proof', [FIRST, message('p', Buffer.from('c=biws,r=x,p=AAAA'))]],
] as const)('a client that sends %s is told so as by PostgreSQL', async (_, sent) => {
  const native = await answers(sample.server, KEPT, ...sent);
  expect(await answers(proxy(), KEPT, ...sent)).toEqual(native);
  expect(native).toHaveLength(1);
});

test('a client without a user is told so as by PostgreSQL', async () => {
  const startup = packet(0x30000, Buffer.from('database\0postgres\0\0'));
  expect(await answers(proxy(), startup)).toEqual(await answers(sample.server, startup));
});

test.each([
  ['is not UTF-8', Buffer.from('kept\xff', 'latin1')],
  ['the server would cut', Buffer.from(`kept${'x'.repeat(60)}`)],
])('a user name that %s is nobody, as the server would take it for another', async (_, name) => {
  const startup = packet(0x30000, text('user'), name, Buffer.from('\0\0'));
  expect(await answers(proxy(), startup)).toEqual([
    expect.stringMatching(/^E C=08P01 .*not UTF-8, or longer/),
  ]);
});

test('an answer that is longer than any of SCRAM ends the login', async () => {
  expect(await answers(proxy(), KEPT, initial('n'.repeat(2000)))).toEqual([
    expect.stringMatching(/^E C=08P01 .*invalid length 2022 of message type "p"/),
  ]);
});

/** Up to the last answer of a client that knows the password of `kept`. */
async function prove(client: RawClient, send = async (bytes: Buffer) => client.send(bytes)): Promise<void> {
  const begun = begin({ kind: 'impossible' }, 'client');
  await client.until('R');
  await send(initial(`${begun.header}${begun.clientFirstBare}`));
  const [question] = (await client.until('R')).slice(-1);
  const challenged = readChallenge(begun, question?.body.toString('latin1', 4) ?? '');
  const keys = await deriveKeys(passwordOf('kept'), challenged.salt, challenged.iterations);
  await send(message('p', Buffer.from(answerChallenge(challenged, keys).clientFinal)));
}

async function enter(startup: Buffer): Promise<{ client: RawClient; greeting: RawMessage[] }> {
  const client = await RawClient.open(proxy());
  client.send(startup);
  await prove(client);
  client.greeting = await client.untilReady();
  return { client, greeting: [...client.greeting] };
}

const types = (messages: readonly RawMessage[]) => messages.map(({ type }) => type).join('');

test('a client that is logged in has heard the proxy prove itself, and then what the server says, once', async () => {
  const { client, greeting } = await enter(KEPT);
  expect(types(greeting).replace(/S+/g, 'S')).toBe('RRSKZ');
  expect(greeting[0]?.body.readUInt32BE(0)).toBe(12);
  expect(greeting[1]?.body).toEqual(int32(0));
  expect(await client.told(query('SELECT current_user'))).toContain('D kept');
});

test.each([
  [0x30002, {}, '', 32],
  [0x30000, {}, '', 4],
  [0x3000f, {}, 'v', 4],
  [0x30002, { '_pq_.option': 'on' }, 'v', 4],
] as const)('protocol %i with %o is agreed on once, and is the same for both', async (version, parameters, negotiated, key) => {
  const startup = startupPacket({ database: 'postgres', user: 'kept', version, parameters });
  const client = await RawClient.open(proxy());
  client.send(startup);
  const told = negotiated === 'v' ? await client.until('v') : [];
  await prove(client);
  const greeting = await client.untilReady();
  expect(types([...told, ...greeting]).replace(/[^v]/g, '')).toBe(negotiated);
  const names = Object.keys(parameters);
  if (negotiated)
    expect(told[0]?.body).toEqual(Buffer.concat([int32(0x30000), int32(names.length), ...names.map(text)]));
  expect(greeting.find(({ type }) => type === 'K')?.body.length).toBe(4 + key);
  expect(await client.told(query('SELECT 1'))).toContain('D 1');
});

test('startup parameters, options and replication arrive at the server', async () => {
  const parameters = {
    application_name: 'told',
    options: '-c pgcascade.mode=off -c work_mem=77kB',
    DateStyle: 'German',
  };
  const { client } = await enter(startupPacket({ database: 'postgres', user: 'kept', parameters }));
  expect(
    await client.told(
      query(`SELECT current_setting('application_name'), current_setting('work_mem'),
    current_setting('datestyle')`),
    ),
  ).toContain('D told|77kB|German, DMY');
  await sample.query('ALTER ROLE kept REPLICATION');
  const walsender = await enter(
    startupPacket({ database: 'postgres', user: 'kept', parameters: { replication: 'database' } }),
  );
  expect((await walsender.client.told(query('IDENTIFY_SYSTEM'))).at(-2)).toBe('C IDENTIFY_SYSTEM');
});

test('a cancel request reaches the session', async () => {
  const { client } = await enter(KEPT);
  client.send(query('SELECT pg_sleep(600)'));
  const running = `SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'`;
  await until('the statement is executed', async () => (await sample.query(running)).rowCount === 1);
  const canceller = await RawClient.open(proxy());
  canceller.send(cancelPacket(client));
  expect(readable(await client.untilReady()).join()).toMatch(/C=57014/);
});

test('what a client sends after its last answer is executed, also of one that has closed its side', async () => {
  const client = await RawClient.open(proxy());
  client.socket.allowHalfOpen = true;
  client.send(KEPT);
  await prove(client);
  client.socket.end(query('SELECT 4711'));
  expect(readable(await client.untilReady(2))).toContain('D 4711');
});

test('a client that has closed its side in the middle of its login is told nothing, and closed', async () => {
  const client = await RawClient.open(proxy());
  client.socket.allowHalfOpen = true;
  client.send(KEPT);
  await client.until('R');
  client.socket.end();
  expect(await client.rest()).toEqual([]);
});

test('a login that is split anywhere is the same login', async () => {
  const client = await RawClient.open(proxy());
  const inPieces = (bytes: Buffer) => client.sendInPieces(bytes, 1);
  await inPieces(KEPT);
  await prove(client, inPieces);
  expect(types(await client.untilReady())).toMatch(/^RR.*Z$/);
});

test('a client that takes too long to prove who it is, is ended', async () => {
  const impatient = await another({ limits: { login_timeout: '300ms' } });
  const client = await RawClient.open(impatient);
  client.send(KEPT);
  await client.until('R');
  // The answer never comes as a whole.
  client.send(initial('n,,n=,r=client').subarray(0, 9));
  expect(readable(await client.rest())).toEqual([expect.stringMatching(/C=08006.*S=FATAL/)]);
});

test('a proxy that shuts down tells a client whose login is not over', async () => {
  const draining = await startProxy({ upstream: upstreamOf(), auth: AUTH });
  const client = await RawClient.open(draining);
  client.send(KEPT);
  await client.until('R');
  const stopped = draining.stop();
  expect(readable(await client.rest())).toEqual([expect.stringMatching(/C=57P03.*S=FATAL/)]);
  await stopped;
});

test('a client that is verified while the database is down is told so', async () => {
  const nobody = createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address() as { port: number };
  await new Promise((resolve) => nobody.close(resolve));
  const lonely = await another({ upstream: `postgres://127.0.0.1:${port}` });
  const client = await RawClient.open(lonely);
  client.send(KEPT);
  await prove(client);
  expect(readable(await client.rest()).at(-1)).toMatch(/C=08001.*S=FATAL/);
});

/** A server that takes connections, and never says a word. */
async function startSilent(): Promise<Server> {
  const silent = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  return silent;
}

const urlOf = (server: Server) =>
  `postgres://127.0.0.1:${(server.address() as AddressInfo).port}?sslmode=disable`;

test('a client that is gone before its login is over takes its upstream connection along', async () => {
  const silent = await startSilent();
  const waiting = await another({ upstream: urlOf(silent) });
  const connected = once(silent, 'connection');
  const client = await RawClient.open(waiting);
  client.send(KEPT);
  await prove(client);
  const [server] = await connected;
  const ended = once(server, 'end');
  server.resume().write(message('N', text('SNOTICE'), text('')));
  await client.until('N');
  client.socket.destroy();
  await ended;
});

test('of 100 MiB that come before the server has let the client in most stay with the client', async () => {
  const impatient = await another({ upstream: urlOf(await startSilent()), limits: { login_timeout: '1s' } });
  const client = await RawClient.open(impatient);
  client.send(KEPT);
  await prove(client);
  const isTold = client.until('E').then(() => 'told');
  const mebibyte = Buffer.alloc(1024 * 1024, sync);
  const sent = () => new Promise((resolve) => client.socket.write(mebibyte, resolve));
  let left = 0;
  while (left < 100 && (await Promise.race([isTold, sent()])) !== 'told') left++;
  // In MiB: what has left is in the buffers of the system.
  expect(left).toBeLessThan(30);
});
