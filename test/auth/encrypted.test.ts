/** Logins of the proxy's own over TLS: bound to its certificate, or made by that of the client. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { describeProgram } from '../support/programs.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();
let folder: TlsFolder;
const proxies = new Map<string, RunningProxy>();

beforeAll(async () => {
  folder = await createTlsFolder();
  const client_ca = folder.rootPath;
  const map = folder.put('map', 'jane kept\njane trusted\n/^(.*)@example$ \\1\n');
  for (const name of ['plain', 'jane', 'kept@example']) {
    const { cert, key } = await folder.authority.client(name);
    folder.put(`${name}.crt`, cert);
    folder.put(`${name}.key`, key);
  }
  const upstream = (sslmode: string) => `postgres://127.0.0.1:${sample.server.port}?sslmode=${sslmode}`;
  const tls = { mode: 'allow', ...folder.files } as const;
  const byCertificate = { ...tls, client_ca, client_auth: 'want' } as const;
  const users = sample.users;
  const all: Readonly<Record<string, ProxyOptions>> = {
    'proxy, server in clear': { upstream: upstream('disable'), tls, auth: { mode: 'proxy', users } },
    'proxy, server over TLS': { upstream: upstream('require'), tls, auth: { mode: 'proxy', users } },
    'relay, server over TLS': { upstream: upstream('require'), tls },
    'cert, users': { upstream: upstream('require'), tls: byCertificate, auth: { mode: 'cert', users } },
    'cert, map': { upstream: upstream('require'), tls: byCertificate, auth: { mode: 'cert', users, map } },
    'cert alone': { upstream: upstream('require'), tls: byCertificate, auth: { mode: 'cert' } },
  };
  for (const [name, options] of Object.entries(all)) proxies.set(name, await startProxy(options));
});
afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
  folder.remove();
});

function behind(name: string): RunningProxy {
  const proxy = proxies.get(name);
  if (!proxy) throw new Error(`there is no proxy ${name}`);
  return proxy;
}

/** Whom psql has logged in as, or what it says. */
async function psql(
  name: string,
  user: string,
  options: string,
  password = passwordOf(user),
): Promise<string> {
  const target = `host=localhost port=${behind(name).port} dbname=postgres user=${user} sslrootcert=${folder.rootPath} ${options}`;
  try {
    const env = { ...process.env, PGPASSWORD: password };
    return (
      await promisify(execFile)('psql', ['-XAtc', 'SELECT current_user', target], { env })
    ).stdout.trim();
  } catch (error) {
    return (error as { readonly stderr: string }).stderr;
  }
}

describeProgram('psql', () => {
  describe.each(['proxy, server in clear', 'proxy, server over TLS'])('at auth.mode %s', (name) => {
    test.each([
      ['sslmode=disable', ''],
      ['sslmode=require', ''],
      ['sslmode=verify-full channel_binding=require', ''],
      ['sslmode=require channel_binding=disable', ''],
      ['sslmode=disable channel_binding=require', 'channel binding required'],
    ])('%s', async (options, told) => {
      const users = ['kept', 'plain'];
      const logins = await Promise.all(users.map((user) => psql(name, user, options)));
      if (told) for (const login of logins) expect(login).toMatch(told);
      else expect(logins).toEqual(users);
    });
  });

  test('a login that cannot be relayed is told what to do, and can be with what it is told', async () => {
    const relayed = (options: string) => psql('relay, server over TLS', 'plain', options);
    expect(await relayed('sslmode=require')).toMatch(
      /SCRAM is bound to one connection[\s\S]*auth.mode to proxy/,
    );
    expect(await relayed('sslmode=require channel_binding=disable')).toBe('plain');
    expect(await relayed('sslmode=disable')).toBe('plain');
  });

  test('a wrong password and an unknown user are told so over a bound login too', async () => {
    for (const user of ['kept', 'nobody'])
      expect(
        await psql('proxy, server over TLS', user, 'sslmode=require channel_binding=require', 'x'),
      ).toMatch(`password authentication failed for user "${user}"`);
  });
});

/** Whom node-postgres has logged in as with this certificate, or what it is told. */
async function logIn(name: string, user: string, certificate: string | undefined): Promise<string> {
  const { port } = behind(name);
  const own = certificate && {
    cert: folder.read(`${certificate}.crt`),
    key: folder.read(`${certificate}.key`),
  };
  const client = new pg.Client({
    host: 'localhost',
    port,
    user,
    database: 'postgres',
    ssl: { ca: folder.authority.cert, ...own },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return `is ${(await client.query('SELECT current_user AS name')).rows[0]?.name}`;
  } catch (error) {
    const { code, message } = error as pg.DatabaseError;
    return `${code} ${message}`;
  } finally {
    await client.end().catch(() => {});
  }
}

test('node-postgres binds its login where it is told to', async () => {
  const client = new pg.Client({
    ...{ host: 'localhost', port: behind('proxy, server over TLS').port, database: 'postgres' },
    ...{ user: 'kept', password: passwordOf('kept'), ssl: { ca: folder.authority.cert } },
    enableChannelBinding: true,
  });
  await client.connect();
  expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: 'kept' }]);
  await client.end();
});

const FAILED = (user: string) => `28000 certificate authentication failed for user "${user}"`;

test.each([
  ['cert, users', 'plain', 'plain', 'is plain'],
  ['cert, users', 'trusted', 'plain', FAILED('trusted')],
  ['cert, users', 'plain', 'jane', FAILED('plain')],
  ['cert, users', 'plain', undefined, '28000 connection requires a valid client certificate'],
  ['cert, map', 'trusted', 'jane', 'is trusted'],
  ['cert, map', 'plain', 'plain', FAILED('plain')],
  ['cert, map', 'jane', 'jane', FAILED('jane')],
  [
    'cert, map',
    'kept',
    'kept@example',
    expect.stringMatching(/08004 .*asks for a password, and auth.users has none/),
  ],
  [
    'cert alone',
    'plain',
    'plain',
    expect.stringMatching(/08004 .*asks for a password, and auth.users has none/),
  ],
])('at auth.mode %s, user %s with the certificate of %s: %s', async (name, user, certificate, told) => {
  expect(await logIn(name, user, certificate)).toEqual(told);
});

test('a client in clear has no certificate, and is told so', async () => {
  const { port } = behind('cert, users');
  const client = new pg.Client({ host: 'localhost', port, user: 'plain', database: 'postgres' });
  await expect(client.connect()).rejects.toThrow('connection requires a valid client certificate');
});
