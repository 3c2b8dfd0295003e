/** TLS towards the database, as libpq's parameters say it in the upstream's URL. */
import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { SchemaListener } from '../../src/graph/watch/listener.js';
import { createAuthority } from '../support/certificates.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { startProxy } from '../support/proxy.js';

const folder = mkdtempSync(join(tmpdir(), 'pgcascade-tls-'));
const path = (name: string) => join(folder, name);
let encrypting: Server;
let plain: Server;

beforeAll(async () => {
  const [authority, stranger] = [await createAuthority('tests'), await createAuthority('a stranger')];
  const server = await authority.server([{ type: 'dns', value: 'localhost' }]);
  const me = await authority.client('postgres');
  const files = {
    'root.crt': authority.cert,
    'stranger.crt': stranger.cert,
    'me.crt': me.cert,
    'me.key': me.key,
    'open.key': me.key,
    'locked.key': createPrivateKey(me.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
      .toString(),
    'revoked.crl': await authority.revoke(server),
    'nothing-revoked.crl': await authority.revoke(),
    'both.crl': `${await stranger.revoke()}\n${await authority.revoke(server)}\n`,
    'broken.crt': 'no certificate',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text, { mode: 0o600 });
  chmodSync(path('open.key'), 0o644);
  encrypting = await startPostgres({
    config: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key', ssl_ca_file: 'root.crt' },
    files: {
      'server.crt': server.cert,
      'server.key': server.key,
      'root.crt': authority.cert,
      'pg_hba.conf': `hostssl all scrambled all scram-sha-256\nhostssl certified all all cert clientcert=verify-full\nhostssl all all all trust\n`,
    },
  });
  plain = await startPostgres();
  const client = new pg.Client({ ...encryptedTo(encrypting), database: 'postgres' });
  await client.connect();
  await client.query('CREATE DATABASE certified');
  await client.query(`CREATE ROLE scrambled LOGIN PASSWORD 'correct horse'`);
  await client.end();
});
afterAll(async () => {
  await Promise.all([encrypting?.stop('immediate'), plain?.stop('immediate')]);
  rmSync(folder, { recursive: true, force: true });
});

const encryptedTo = ({ port, user }: Server) => ({
  host: '127.0.0.1',
  port,
  user,
  ssl: { rejectUnauthorized: false },
});

const WHO = `SELECT concat_ws(' ', current_user, ssl) FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;

interface LoginFields {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

async function askByPg(login: LoginFields): Promise<string> {
  const client = new pg.Client(login);
  await client.connect();
  const { rows } = await client.query({ text: WHO, rowMode: 'array' });
  await client.end();
  return String(rows[0]?.[0]);
}

async function askByPsql({ host, port, user, password, database }: LoginFields): Promise<string> {
  const env = { ...process.env, PGPASSWORD: password, PGSSLMODE: 'prefer' };
  const flags = ['-XAt', '-h', host, '-p', String(port), '-U', user, '-c', WHO, database];
  return (await promisify(execFile)('psql', flags, { env })).stdout.trim();
}

/** Whether the server says that the connection behind a proxy is encrypted, or the error of the login. */
async function behind({ port }: Server, query: string, { host = 'localhost', database = 'postgres' } = {}) {
  const proxy = await startProxy({ upstream: `postgres://${host}:${port}?${query}` });
  onTestFinished(() => proxy.stop());
  try {
    const client = await proxy.connect(database);
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return rows[0].ssl ? 'encrypted' : 'in clear';
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

const root = () => `sslrootcert=${path('root.crt')}`;

describe('a server that encrypts', () => {
  test.each(['prefer', 'require', 'sslmode='])('%s', async (mode) => {
    expect(await behind(encrypting, mode === 'sslmode=' ? '' : `sslmode=${mode}`)).toBe('encrypted');
  });

  test.each(['verify-ca', 'verify-full', 'require', 'prefer'])('%s with its authority', async (mode) => {
    expect(await behind(encrypting, `sslmode=${mode}&${root()}`)).toBe('encrypted');
  });

  test('is refused by sslmode=disable, in the server’s words', async () => {
    expect(await behind(encrypting, 'sslmode=disable')).toMatch(/no pg_hba.conf entry .* no encryption/);
  });

  test.each(['require', 'verify-ca', 'verify-full'])('%s with another authority', async (mode) => {
    expect(await behind(encrypting, `sslmode=${mode}&sslrootcert=${path('stranger.crt')}`)).toMatch(
      /certificate/,
    );
  });

  test('is refused by its address, which its certificate does not have, by verify-full alone', async () => {
    const at = { host: '127.0.0.1' };
    expect(await behind(encrypting, `sslmode=verify-ca&${root()}`, at)).toBe('encrypted');
    expect(await behind(encrypting, `sslmode=verify-full&${root()}`, at)).toMatch(/IP: 127.0.0.1/);
  });

  test('is verified by the system’s authorities with sslrootcert=system', async () => {
    expect(await behind(encrypting, 'sslrootcert=system')).toMatch(/certificate/);
  });

  test.each([
    'sslnegotiation=direct',
    'sslnegotiation=postgres',
    'sslsni=0',
    'ssl_min_protocol_version=TLSv1.3',
  ])('with %s', async (parameter) => {
    expect(await behind(encrypting, `sslmode=verify-full&${root()}&${parameter}`)).toBe('encrypted');
  });

  test('whose certificate is revoked', async () => {
    const mode = `sslmode=verify-ca&${root()}`;
    for (const list of ['revoked.crl', 'both.crl'])
      expect(await behind(encrypting, `${mode}&sslcrl=${path(list)}`), list).toMatch(/revoked/);
    expect(await behind(encrypting, `${mode}&sslcrl=${path('nothing-revoked.crl')}`)).toBe('encrypted');
  });

  test('is verified by the authority that is in the file when a client comes', async () => {
    const file = path('changing.crt');
    const put = (name: string) => copyFileSync(path(name), file);
    put('root.crt');
    const proxy = await startProxy({
      upstream: `postgres://localhost:${encrypting.port}?sslmode=verify-ca&sslrootcert=${file}`,
    });
    onTestFinished(() => proxy.stop());
    const isLetIn = () => proxy.connect('postgres').then(() => true, String);
    expect(await isLetIn()).toBe(true);
    put('stranger.crt');
    expect(await isLetIn()).toMatch(/certificate/);
    put('root.crt');
    expect(await isLetIn()).toBe(true);
  });

  test('that wants a certificate of its client gets the proxy’s', async () => {
    const own = `sslcert=${path('me.crt')}&sslkey=${path('me.key')}`;
    const database = 'certified';
    expect(await behind(encrypting, `sslmode=require&${own}`, { database })).toBe('encrypted');
    const locked = `${own.replace('me.key', 'locked.key')}&sslpassword=open%20sesame`;
    expect(await behind(encrypting, `sslmode=require&${locked}`, { database })).toBe('encrypted');
    expect(await behind(encrypting, 'sslmode=require', { database })).toMatch(
      /requires a valid client certificate/,
    );
  });

  test.each([
    'psql',
    'pg',
  ])('offers channel binding, which a client in clear is not told of: %s', async (client) => {
    const proxy = await startProxy({
      upstream: `postgres://localhost:${encrypting.port}?sslmode=verify-full&${root()}`,
    });
    onTestFinished(() => proxy.stop());
    const { host, port } = proxy;
    const login = { host, port, user: 'scrambled', password: 'correct horse', database: 'postgres' };
    const answer = client === 'pg' ? await askByPg(login) : await askByPsql(login);
    expect(answer).toBe('scrambled t');
  });

  test('is sent cancel requests over TLS', async () => {
    const proxy = await startProxy({
      upstream: `postgres://localhost:${encrypting.port}?sslmode=verify-full&${root()}`,
    });
    onTestFinished(() => proxy.stop());
    const client = await proxy.connect('postgres');
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const asleep = client.query('SELECT pg_sleep(600)');
    const request = Buffer.alloc(16);
    for (const [i, word] of [16, 80877102, processID, secretKey].entries()) request.writeInt32BE(word, 4 * i);
    const cancel = setInterval(
      () =>
        connect(proxy.port, proxy.host)
          .on('error', () => {})
          .end(request),
      200,
    );
    onTestFinished(() => clearInterval(cancel));
    await expect(asleep).rejects.toMatchObject({ code: '57014' });
  });
});

test('graph.url listens over TLS', async () => {
  const { port, user } = encrypting;
  const url = parseGraphUrl(`postgres://${user}@localhost:${port}/postgres?sslmode=verify-full&${root()}`);
  await install(url);
  const told: string[] = [];
  const log = { info: (text: string) => told.push(text), warn: (text: string) => told.push(text) };
  const listener = new SchemaListener(url, log);
  await listener.start();
  onTestFinished(() => listener.close());
  expect(told).toEqual([expect.stringMatching(/are told as they are made/)]);
  const untrusting = parseGraphUrl(
    `postgres://${user}@localhost:${port}/postgres?sslmode=verify-full&sslrootcert=/nowhere`,
  );
  const refused = new SchemaListener(untrusting, log);
  await refused.start();
  onTestFinished(() => refused.close());
  expect(told[1]).toMatch(/no connection .* root certificate file "\/nowhere" does not exist/);
});

describe('a server that does not encrypt', () => {
  test.each([
    ['disable', 'in clear'],
    ['allow', 'in clear'],
    ['prefer', 'in clear'],
    ['require', /server does not support SSL, but SSL was required/],
    ['verify-full', /server does not support SSL, but SSL was required/],
  ])('with sslmode=%s', async (mode, expected) => {
    expect(await behind(plain, `sslmode=${mode}&${root()}`)).toEqual(expect.stringMatching(expected));
  });

  test('and is begun with directly', async () => {
    expect(await behind(plain, 'sslmode=require&sslnegotiation=direct')).toMatch(/could not connect/);
  });
});

describe('files that are not as they should be are named', () => {
  test.each([
    ['sslmode=verify-ca&sslrootcert=/nowhere', /root certificate file "\/nowhere" does not exist/],
    [
      () => `sslmode=require&sslrootcert=${path('broken.crt')}`,
      /root certificate file ".*broken.crt" has no certificate/,
    ],
    [() => `sslmode=require&sslcert=${path('me.crt')}&sslkey=/nowhere`, /not private key file "\/nowhere"/],
    [() => `sslmode=require&sslcert=${path('me.crt')}&sslkey=${path('open.key')}`, /group or world access/],
    [
      () => `sslmode=require&sslcert=${path('me.crt')}&sslkey=${path('locked.key')}`,
      /private key file ".*locked.key" is encrypted: give sslpassword/,
    ],
    [
      () => `sslmode=require&sslcert=${path('me.crt')}&sslkey=${path('locked.key')}&sslpassword=wrong`,
      /private key file ".*locked.key" could not be decrypted with sslpassword/,
    ],
    ['sslmode=require&sslcert=/nowhere', /could not read certificate file "\/nowhere": ENOENT/],
  ])('%s', async (query, message) => {
    expect(await behind(encrypting, typeof query === 'function' ? query() : query)).toMatch(message);
  });
});

test.each([
  ['SX', /received unencrypted data after SSL response/],
  ['E', /server sent an error response during SSL exchange/],
  ['', /server closed the connection during the SSL exchange/],
])('an answer %j to the request for TLS is refused', async (answer, message) => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end(answer)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  expect(await behind({ port } as Server, 'sslmode=require', { host: '127.0.0.1' })).toMatch(message);
});
