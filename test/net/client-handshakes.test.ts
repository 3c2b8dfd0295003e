/** Handshakes that fail or never end, and certificates that are read again while the proxy runs. */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { packet, RawClient } from '../support/raw-client.js';

const database = useDatabase();
const SSL = packet(80877103);
let folder: TlsFolder;
beforeAll(async () => {
  folder = await createTlsFolder();
});
afterAll(() => folder?.remove());

describe('a handshake', () => {
  const start = async (loginTimeout: string) => {
    const tls = { mode: 'require', ...folder.files } as const;
    const proxy = await startProxy({ tls, limits: { login_timeout: loginTimeout }, log: { level: 'info' } });
    onTestFinished(() => proxy.stop());
    return proxy;
  };

  test.each([
    ['after a request', true],
    ['that is direct', false],
  ])('%s and never ends is ended by login_timeout', async (_, asks) => {
    const proxy = await start('300ms');
    const client = await RawClient.open({ host: proxy.host, port: proxy.port });
    if (asks) {
      client.send(SSL);
      await client.bytes(1);
    }
    client.send(Buffer.from([0x16, 3, 1, 0, 200, 1]));
    expect(await client.rest()).toEqual([]);
    expect(proxy.log.filter((line) => /login took longer/.test(line))).toHaveLength(1);
  });

  test.each([
    ['garbage', Buffer.from('\x16 nothing that is TLS at all')],
    ['the beginning of one, and then a reset', Buffer.from([0x16, 3, 1, 0, 200, 1])],
  ])('of %s fails alone, and is logged once', async (what, bytes) => {
    const proxy = await start('30s');
    const client = await RawClient.open({ host: proxy.host, port: proxy.port });
    client.send(SSL);
    await client.bytes(1);
    await new Promise((resolve) => client.socket.write(bytes, resolve));
    if (what !== 'garbage') client.socket.resetAndDestroy();
    await client.rest();
    const lines = () => proxy.log.filter((line) => /could not accept TLS connection/.test(line));
    await expect.poll(lines).toHaveLength(1);
    const other = await RawClient.login(
      { host: proxy.host, port: proxy.port, ca: folder.authority.cert },
      { database: database.name },
    );
    expect(await other.told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});

describe('certificates that are read again', () => {
  test('are those of new connections; open ones stay, and broken files change nothing', async () => {
    const own = await createTlsFolder();
    onTestFinished(() => own.remove());
    const proxy = await startProxy({ tls: { mode: 'require', ...own.files } });
    onTestFinished(() => proxy.stop());
    const address = { host: proxy.host, port: proxy.port, ca: own.authority.cert };
    const serial = (client: RawClient) => (client.socket as TLSSocket).getPeerCertificate().serialNumber;
    const first = await RawClient.login(address, { database: database.name });

    const next = await own.authority.server([{ type: 'ip', value: '127.0.0.1' }]);
    own.replace({ ...next, key: (await own.authority.server([])).key });
    expect(await proxy.app.reload()).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/^tls\.key: .*server\.key is not the private key of the certificate in /),
    });
    expect(serial(await RawClient.login(address, { database: database.name }))).toBe(serial(first));

    own.replace(next);
    expect(await proxy.app.reload()).toMatchObject({ kind: 'applied' });
    const renewed = await RawClient.login(address, { database: database.name });
    expect(serial(renewed)).toBe(new X509Certificate(next.cert).serialNumber);
    expect(serial(renewed)).not.toBe(serial(first));
    expect(await first.told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});
