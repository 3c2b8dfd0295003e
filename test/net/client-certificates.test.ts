/** Certificates of clients: who may come in without one, and whom one names. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TlsTransport } from '../../src/auth/client-transport.js';
import { verifiedClient } from '../../src/net/client-certificate.js';
import { TlsAcceptor } from '../../src/net/tls-acceptor.js';
import { type Certificate, createAuthority } from '../support/certificates.js';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { cancelPacket, RawClient, readable, startupPacket } from '../support/raw-client.js';

const database = useDatabase();
let folder: TlsFolder;
let own: Certificate;
let foreign: Certificate;
const proxies = new Map<string, RunningProxy>();
beforeAll(async () => {
  folder = await createTlsFolder();
  own = await folder.authority.client('jane');
  foreign = await (await createAuthority('a stranger')).client('jane');
  for (const client_auth of ['want', 'require'] as const) {
    const tls = { mode: 'require', ...folder.files, client_ca: folder.rootPath, client_auth } as const;
    proxies.set(client_auth, await startProxy({ tls }));
  }
});
afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
  folder.remove();
});

/** The end of what a client with this certificate hears. */
async function greeting(client_auth: string, certificate: Certificate | undefined): Promise<string> {
  const client = await RawClient.open({ ...address(client_auth), own: certificate });
  client.send(startupPacket({ database: database.name }));
  const last = await client.until('Z').catch(String);
  return typeof last === 'string' ? last : (readable(last).at(-1) ?? '');
}

function address(client_auth: string) {
  const { host, port } = proxies.get(client_auth) ?? {};
  return { host: String(host), port: Number(port), ca: folder.authority.cert };
}

const MISSING =
  /C=28000 .*PGC_CERTIFICATE_MISSING.* M=connection requires a valid client certificate S=FATAL/;
const INVALID =
  /C=28000 .*PGC_CERTIFICATE_INVALID.* M=the certificate of the client is not valid: \w+ S=FATAL/;

describe.each([
  ['want', 'no certificate', (): Certificate | undefined => undefined, /^Z I$/],
  ['want', 'one of the authority', (): Certificate => own, /^Z I$/],
  ['want', 'one of another authority', (): Certificate => foreign, INVALID],
  ['require', 'no certificate', (): Certificate | undefined => undefined, MISSING],
  ['require', 'one of the authority', (): Certificate => own, /^Z I$/],
  ['require', 'one of another authority', (): Certificate => foreign, INVALID],
] as const)('tls.client_auth %s', (client_auth, what, certificate, expected) => {
  test(`a client with ${what}`, async () => {
    expect(await greeting(client_auth, certificate())).toMatch(expected);
  });
});

test('a certificate is asked of nobody who only cancels', async () => {
  const client = await RawClient.open({ ...address('require'), own });
  client.send(startupPacket({ database: database.name }));
  client.greeting = await client.untilReady();
  client.send(query('SELECT pg_sleep(600)'));
  const answered = client.untilReady();
  let isOver = false;
  answered.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const request = await RawClient.open(address('require'));
    request.send(cancelPacket(client));
    await request.rest();
  }
  expect(readable(await answered)).toContainEqual(expect.stringContaining('C=57014'));
});

describe('what a login is told of the connection', () => {
  /** As an acceptor says it of a client with this certificate. */
  async function transport(certificate: Certificate | undefined): Promise<TlsTransport> {
    const files = { ...folder.files, client_ca: folder.rootPath, client_crl: null };
    const acceptor = new TlsAcceptor({ ...files, client_auth: 'want' });
    const server = createServer();
    const accepted = once(server, 'connection').then(([socket]) => acceptor.accept(socket, 'asked'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const client: TLSSocket = connectTls({
      port,
      host: '127.0.0.1',
      ca: folder.authority.cert,
      ...certificate,
    });
    onTestFinished(() => void client.destroy());
    const [encrypted] = await Promise.all([accepted, once(client, 'secureConnect')]);
    onTestFinished(() => void encrypted.stream.destroy());
    expect(encrypted.transport.ownCertificate.equals(client.getPeerCertificate().raw)).toBe(true);
    return encrypted.transport;
  }

  test('is the certificate that it presented, and the name of the client', async () => {
    expect((await transport(own)).client).toEqual({ commonName: 'jane', distinguishedName: 'CN=jane' });
  });

  test.each([
    ['no certificate', (): Certificate | undefined => undefined],
    ['one that is not valid', (): Certificate => foreign],
  ])('is no name where the client has %s', async (_, certificate) => {
    expect((await transport(certificate())).client).toBeUndefined();
  });
});

describe('a name is read as PostgreSQL reads it', () => {
  /** By OpenSSL, which writes names as PostgreSQL has them. */
  const made = (subject: string) => {
    const key = folder.put('any.key', own.key);
    const flags = ['req', '-x509', '-new', '-key', key, '-days', '1', '-utf8', '-subj', subject];
    const pem = execFileSync('openssl', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    const name = ['x509', '-noout', '-subject', '-nameopt', 'RFC2253'];
    const expected = String(execFileSync('openssl', name, { input: pem })).replace('\n', '');
    return { client: verifiedClient(new X509Certificate(pem)), expected: expected.replace('subject=', '') };
  };

  test.each([
    ['/CN=jane', 'jane'],
    ['/C=DE/O=Example/OU=sales/CN=jane', 'jane'],
    ['/OU=one+CN=jane/O=Example', 'jane'],
    ['/CN=first/CN=second', 'first'],
    ['/O=nobody', undefined],
    ['/CN=Jörg, Müller', 'Jörg, Müller'],
    ['/O=A \\+ B/CN=a \\+ b', 'a + b'],
    ['/CN=#"<>;=,', '#"<>;=,'],
    ['/CN= space ', ' space '],
  ])('%s', (subject, commonName) => {
    const { client, expected } = made(subject);
    expect(client).toEqual({ commonName, distinguishedName: expected });
  });

  test('and a zero byte in a name makes it none', () => {
    const subject = 'O=x\nCN=root\\00.example';
    expect(verifiedClient({ subject } as X509Certificate).commonName).toBeUndefined();
  });
});
