/** `tls.client_crl`: a client whose certificate its authority has revoked is refused, by a file that is read again at a reload. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.js';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient, readable, startupPacket } from '../support/raw-client.js';

const database = useDatabase();
let folder: TlsFolder;
let second: Authority;
const clients = new Map<string, Certificate>();
let roots: string;
beforeAll(async () => {
  folder = await createTlsFolder();
  second = await createAuthority('a second one');
  for (const name of ['jane', 'joe']) clients.set(name, await folder.authority.client(name));
  for (const name of ['mary', 'max']) clients.set(name, await second.client(name));
  roots = folder.put('roots.crt', `${folder.authority.cert}\n${second.cert}`);
});
afterAll(() => folder.remove());

/** A proxy that goes by these lists, and the options that it was started with. */
async function behind(lists: string): Promise<{ proxy: RunningProxy; options: ProxyOptions; path: string }> {
  const path = folder.put('clients.crl', lists);
  const files = { ...folder.files, client_ca: roots, client_crl: path };
  const options: ProxyOptions = { tls: { mode: 'require', ...files, client_auth: 'want' } };
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.stop());
  return { proxy, options, path };
}

/** The end of what a client hears, or its open session. */
async function login(proxy: RunningProxy, name: string): Promise<RawClient | string> {
  const { host, port } = proxy;
  const client = await RawClient.open({ host, port, ca: folder.authority.cert, own: clients.get(name) });
  client.send(startupPacket({ database: database.name }));
  const heard = await client.until('Z').catch(String);
  return typeof heard === 'string' ? heard : client;
}

const refusal = (reason: string) =>
  new RegExp(
    `C=28000 .*PGC_CERTIFICATE_INVALID.*tls\\.client_crl.* M=the certificate of the client is not valid: ${reason} S=FATAL`,
  );
const REVOKED = refusal('CERT_REVOKED');

describe('lists of both authorities', () => {
  test('refuse whom either of them has revoked, and nobody else', async () => {
    const lists = [
      await folder.authority.revoke(clients.get('joe') as Certificate),
      await second.revoke(clients.get('max') as Certificate),
    ];
    for (const text of [lists.join('\n'), lists.toReversed().join('\n')]) {
      const { proxy } = await behind(text);
      for (const name of ['joe', 'max']) expect(await login(proxy, name), name).toMatch(REVOKED);
      for (const name of ['jane', 'mary']) expect(await login(proxy, name), name).toBeInstanceOf(RawClient);
    }
  });
});

test('an authority without a list, or whose list has expired, lets nobody in', async () => {
  const { proxy } = await behind(await folder.authority.expiredList());
  expect(await login(proxy, 'jane')).toMatch(refusal('CRL_HAS_EXPIRED'));
  expect(await login(proxy, 'mary')).toMatch(refusal('UNABLE_TO_GET_CRL'));
});

describe('at a reload', () => {
  test('the lists are read again; a session that is open goes on', async () => {
    const { proxy, options, path } = await behind(await folder.authority.revoke());
    const open = await login(proxy, 'joe');
    if (!(open instanceof RawClient)) throw new Error(open);
    writeFileSync(path, await folder.authority.revoke(clients.get('joe') as Certificate));
    expect(await login(proxy, 'joe')).toBeInstanceOf(RawClient);
    expect(await proxy.reload(options)).toMatchObject({ kind: 'applied' });
    expect(await login(proxy, 'joe')).toMatch(REVOKED);
    expect(await login(proxy, 'jane')).toBeInstanceOf(RawClient);
    open.send(query('SELECT 1'));
    expect(readable(await open.untilReady())).toContain('D 1');
  });

  test('a client that takes up its TLS session of before is refused, too', async () => {
    const { proxy, options, path } = await behind(await folder.authority.revoke());
    const direct = (session?: Buffer): TLSSocket => {
      const { host, port } = proxy;
      const own = { ...clients.get('joe'), ALPNProtocols: ['postgresql'] };
      const socket = connectTls({ host, port, ca: folder.authority.cert, session, ...own });
      onTestFinished(() => void socket.destroy());
      return socket;
    };
    const said = async (socket: TLSSocket) => {
      const client = RawClient.over(socket);
      client.send(startupPacket({ database: database.name }));
      return client.until('Z').then(readable, String);
    };
    const first = direct();
    const tickets = once(first, 'session');
    expect((await said(first)).at(-1)).toBe('Z I');
    const [ticket]: Buffer[] = await tickets;
    const resumed = direct(ticket);
    expect((await said(resumed)).at(-1)).toBe('Z I');
    expect(resumed.isSessionReused()).toBe(true);
    writeFileSync(path, await folder.authority.revoke(clients.get('joe') as Certificate));
    await proxy.reload(options);
    expect(await said(direct(ticket))).toMatch(REVOKED);
  });

  test('a broken file changes nothing, and is named', async () => {
    const list = await folder.authority.revoke(clients.get('joe') as Certificate);
    const { proxy, options, path } = await behind(list);
    writeFileSync(path, `${list}\n${list.slice(0, list.length / 2)}`);
    expect(await proxy.reload(options)).toEqual({
      kind: 'refused',
      reason: `tls.client_crl: ${path} is broken: revocation list 2 of 2 in it cannot be read (PEM)`,
    });
    expect(await login(proxy, 'joe')).toMatch(REVOKED);
  });
});
