/** TLS between clients and the proxy: who gets it, who must have it, and what ends in the handshake. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { workspace } from '../config/workspace.js';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { describeProgram } from '../support/programs.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { cancelPacket, packet, RawClient, readable, startupPacket } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 30_000 });

const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO parent SELECT generate_series(1, 9); INSERT INTO child SELECT n, n FROM generate_series(1, 9) AS n;`);
const MODES = ['disable', 'allow', 'require'] as const;
const proxies = new Map<string, RunningProxy>();
let folder: TlsFolder;
beforeAll(async () => {
  folder = await createTlsFolder();
  for (const mode of MODES) {
    const proxy = await startProxy({ tls: { mode, ...folder.files }, log: { level: 'info' } });
    proxies.set(mode, proxy);
  }
});
afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
  folder.remove();
});

function behind(mode: (typeof MODES)[number]): RunningProxy {
  const proxy = proxies.get(mode);
  if (!proxy) throw new Error(`no proxy has mode ${mode}`);
  return proxy;
}

const byTls = (mode: (typeof MODES)[number]) => {
  const { host, port } = behind(mode);
  return { host, port, ca: folder.authority.cert };
};

const [SSL, GSSENC] = [packet(80877103), packet(80877104)];
const login = () => startupPacket({ database: database.name });

describeProgram('psql', () => {
  const ask = async (mode: (typeof MODES)[number], sslmode: string, host = 'localhost') => {
    const { port } = behind(mode);
    const target = `host=${host} port=${port} user=postgres dbname=${database.name} sslmode=${sslmode} sslrootcert=${folder.rootPath}`;
    try {
      const { stdout } = await promisify(execFile)('psql', ['-XAtc', '\\conninfo', target]);
      return /SSL connection/.test(stdout) ? 'encrypted' : 'in clear';
    } catch (error) {
      return String(Object(error).stderr);
    }
  };
  const none = /server does not support SSL, but SSL was required/;
  const needed = /FATAL: {2}this server takes encrypted connections only[\s\S]*sslmode=require/;

  test.each([
    ['disable', 'disable', 'in clear'],
    ['disable', 'allow', 'in clear'],
    ['disable', 'prefer', 'in clear'],
    ['disable', 'require', none],
    ['disable', 'verify-ca', none],
    ['disable', 'verify-full', none],
    ['allow', 'disable', 'in clear'],
    ['allow', 'allow', 'in clear'],
    ['allow', 'prefer', 'encrypted'],
    ['allow', 'require', 'encrypted'],
    ['allow', 'verify-ca', 'encrypted'],
    ['allow', 'verify-full', 'encrypted'],
    ['require', 'disable', needed],
    ['require', 'allow', 'encrypted'],
    ['require', 'prefer', 'encrypted'],
    ['require', 'require', 'encrypted'],
    ['require', 'verify-ca', 'encrypted'],
    ['require', 'verify-full', 'encrypted'],
  ] as const)('tls.mode %s, sslmode=%s', async (mode, sslmode, expected) => {
    expect(await ask(mode, sslmode)).toEqual(expect.stringMatching(expected));
  });
});

describe('node-postgres', () => {
  const open = async (mode: (typeof MODES)[number], ssl: pg.ClientConfig['ssl']) => {
    const { port } = behind(mode);
    const client = new pg.Client({ host: 'localhost', port, user: 'postgres', database: database.name, ssl });
    onTestFinished(() => client.end().catch(() => {}));
    await client.connect();
    return client;
  };

  test('cascades over TLS, and makes sure of the server', async () => {
    const client = await open('require', { ca: folder.authority.cert });
    expect((await client.query('DELETE FROM parent WHERE id = 1')).rowCount).toBe(1);
    expect((await client.query('SELECT FROM child WHERE id = 1')).rowCount).toBe(0);
    await expect(open('require', true)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  });

  test('in clear is told by tls.mode require what to do', async () => {
    await expect(open('require', false)).rejects.toMatchObject({
      severity: 'FATAL',
      code: '28000',
      detail: 'pgcascade reports PGC_TLS_REQUIRED.',
      hint: expect.stringContaining('sslmode=require'),
    });
  });
});

/** TLS from the first byte on. @returns the stream, when the handshake is over */
async function direct(mode: (typeof MODES)[number], ALPNProtocols: string[] | undefined) {
  const secure = connectTls({ ...byTls(mode), ...(ALPNProtocols && { ALPNProtocols }) });
  onTestFinished(() => void secure.destroy());
  await once(secure, 'secureConnect');
  return secure;
}

/** What comes until the connection ends. */
async function all(stream: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  await new Promise<void>((resolve) => stream.once('close', () => resolve()));
  return Buffer.concat(chunks).toString('latin1');
}

describe('direct TLS', () => {
  test('is taken with the name of the protocol', async () => {
    const secure = await direct('allow', ['h2', 'postgresql']);
    expect(secure.alpnProtocol).toBe('postgresql');
    const client = RawClient.over(secure);
    client.send(login());
    await client.untilReady();
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  });

  test.each([
    ['without a name of a protocol is closed', undefined],
    ['with another protocol is refused in the handshake', ['h2']],
  ])('%s', async (_, protocols) => {
    const answered = direct('allow', protocols).then(all, (error) => Object(error).code);
    expect(await answered).toEqual(protocols ? 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' : '');
    expect(behind('allow').log.join('\n')).toMatch(
      protocols ? /accept TLS connection: no application protocol/ : /accept TLS connection: .*ALPN/,
    );
  });

  test('is closed without a word where there is no TLS', async () => {
    await expect(direct('disable', ['postgresql'])).rejects.toThrow();
  });
});

test.each([
  'TLSv1.1',
  'TLSv1.2',
  'TLSv1.3',
] as const)('a client that speaks %s at most is served from TLS 1.2 on', async (maxVersion) => {
  const secure = connectTls({
    ...byTls('require'),
    ALPNProtocols: ['postgresql'],
    ...{ minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' },
  });
  onTestFinished(() => void secure.destroy());
  const spoken = once(secure, 'secureConnect').then(
    () => secure.getProtocol(),
    (error) => Object(error).code,
  );
  expect(await spoken).toBe(maxVersion === 'TLSv1.1' ? 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' : maxVersion);
});

describe('what comes before and in TLS', () => {
  test('a request for GSSAPI is answered no, and TLS may follow', async () => {
    const client = await RawClient.open({ ...byTls('require'), first: [GSSENC] });
    client.send(login());
    expect(readable(await client.untilReady()).at(-1)).toBe('Z I');
  });

  test.each([
    ['a startup packet', login],
    ['a byte', () => Buffer.from('X')],
    ['another request', () => SSL],
  ])('%s in clear after the request, in one packet, ends the connection, and is not answered over TLS', async (_, bytes) => {
    const { host, port } = behind('require');
    const client = await RawClient.open({ host, port });
    client.send(SSL, bytes());
    expect(readable(await client.rest())).toEqual([
      expect.stringMatching(/C=08P01 .*M=received unencrypted data after SSL request S=FATAL/),
    ]);
  });

  test.each([
    ['SSL', SSL, 'received a second SSL request'],
    ['GSSAPI', GSSENC, 'received a request for GSSAPI encryption on an encrypted connection'],
  ])('a request for %s inside of TLS is refused', async (_, request, reason) => {
    const client = await RawClient.open(byTls('require'));
    client.send(request);
    expect(readable(await client.rest())).toEqual([expect.stringContaining(`M=${reason} S=FATAL`)]);
  });

  test('a startup packet may come in any split, and with what follows it', async () => {
    const client = await RawClient.open(byTls('require'));
    await client.sendInPieces(login(), 7);
    client.send(query('SELECT 1 AS one'));
    expect(readable(await client.untilReady(2))).toContain('D 1');
  });

  test('a unix socket has none, and is let in where others have to encrypt', async () => {
    const directory = workspace();
    const proxy = await startProxy({
      listen: ['127.0.0.1:0', directory],
      tls: { mode: 'require', ...folder.files },
    });
    onTestFinished(() => proxy.stop());
    const socket = connect(`${directory}/.s.PGSQL.6432`);
    onTestFinished(() => void socket.destroy());
    const client = RawClient.over(socket);
    client.send(SSL);
    expect(String(await client.bytes(1))).toBe('N');
    client.send(login());
    expect(readable(await client.untilReady()).at(-1)).toBe('Z I');
  });
});

test.each([
  'over TLS',
  'in clear',
])('a cancel request %s reaches the server, as PostgreSQL takes both', async (way) => {
  const client = await RawClient.login(byTls('require'), { database: database.name });
  client.send(query('SELECT pg_sleep(600)'));
  const answered = client.untilReady();
  let isOver = false;
  answered.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const { ca, ...clear } = byTls('require');
    const request = await RawClient.open(way === 'over TLS' ? { ...clear, ca } : clear);
    request.send(cancelPacket(client));
    await request.rest();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(readable(await answered)).toContainEqual(expect.stringContaining('C=57014'));
});
