/** A login that is relayed, on a server for which the test speaks: what goes over it, and what goes on to the session. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { query, terminate } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { message, RawClient, readable, startupPacket } from '../support/raw-client.js';
import { int32, typed } from '../wire/bytes.js';

const STARTUP = startupPacket({ database: 'nowhere' });
const PASSWORD = message('p', Buffer.from('secret\0'));
const QUERY = query('SELECT 1');

const asksForPassword = typed('R', int32(3));
const welcome = typed('R', int32(0));
const notice = typed('N', Buffer.from('SNOTICE\0VNOTICE\0C00000\0Mhello\0\0'));
const ready = typed('Z', Buffer.from('I'));

/** A client that has sent its startup packet, and its server, which has got that. */
async function start(limits: ProxyOptions['limits'] = {}) {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const proxy = await startProxy({ upstream: `postgres://127.0.0.1:${port}?sslmode=disable`, limits });
  const connected = once(listener, 'connection');
  const client = await RawClient.open(proxy);
  client.send(STARTUP);
  const [server] = (await connected) as [Socket];
  onTestFinished(async () => {
    server.destroy();
    listener.close();
    client.socket.destroy();
    await proxy.stop();
  });
  let received = Buffer.alloc(0);
  server
    .on('error', () => {})
    .on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
  /** All that the server has got after the startup packet, when it is so much. */
  const got = async (size: number) => {
    while (received.length < STARTUP.length + size) await once(server, 'data');
    return received.subarray(STARTUP.length);
  };
  await got(0);
  return { client, server, got };
}

test('what a client sends after its password goes to the server when the login is over, also of one that has closed its side', async () => {
  const { client, server, got } = await start();
  client.socket.allowHalfOpen = true;
  server.write(asksForPassword);
  await client.until('R');
  client.socket.end(Buffer.concat([PASSWORD, QUERY]));
  await got(PASSWORD.length);
  server.write(Buffer.concat([welcome, notice]));
  await client.until('N');
  expect(await got(PASSWORD.length)).toEqual(PASSWORD);
  const closed = once(server, 'end');
  server.write(ready);
  await closed;
  expect(await got(0)).toEqual(Buffer.concat([PASSWORD, QUERY]));
});

test('what a client sends before its goodbye is executed, also when it is gone before its login is over', async () => {
  const { client, server, got } = await start();
  server.write(asksForPassword);
  await client.until('R');
  client.send(PASSWORD, QUERY, terminate);
  // What came in the same packet has been read with it.
  await got(PASSWORD.length);
  client.socket.resetAndDestroy();
  await once(client.socket, 'close');
  const closed = once(server, 'end');
  server.write(Buffer.concat([welcome, ready]));
  await closed;
  expect(await got(0)).toEqual(Buffer.concat([PASSWORD, QUERY, terminate]));
});

test('what the server says in one write with its first ReadyForQuery reaches the client, before and after it', async () => {
  const { client, server, got } = await start();
  const notification = typed('A', int32(1), Buffer.from('channel\0payload\0'));
  server.write(Buffer.concat([welcome, notice, ready, notification, notice]));
  expect((await client.until('A')).map(({ type }) => type)).toEqual(['R', 'N', 'Z', 'A']);
  expect((await client.until('N')).length).toBe(1);
  client.send(QUERY);
  expect(await got(QUERY.length)).toEqual(QUERY);
});

test('a client that is gone before its login is over takes its upstream connection along', async () => {
  const { client, server } = await start();
  const ended = once(server, 'end');
  client.socket.destroy();
  await ended;
});

test('a client that has closed its side, and is reset before the server has answered, takes its upstream connection along', async () => {
  const { client, server } = await start({ login_timeout: '600s' });
  client.socket.allowHalfOpen = true;
  client.socket.end(QUERY);
  server.write(Buffer.concat([welcome, notice]));
  await client.until('N');
  const ended = once(server, 'end');
  client.socket.resetAndDestroy();
  await ended;
});

test('a login that takes too long is ended on the side of the server too', async () => {
  const { client, server } = await start({ login_timeout: '500ms' });
  client.send(QUERY, terminate);
  const ended = once(server, 'end');
  expect(readable(await client.rest())).toEqual([expect.stringMatching(/C=08006.*S=FATAL/)]);
  await ended;
});

test('a login that the server ends inside of an answer has no session', async () => {
  const { client, server, got } = await start();
  server.write(asksForPassword);
  await client.until('R');
  client.send(PASSWORD.subarray(0, 8));
  await got(8);
  server.write(Buffer.concat([welcome, ready]));
  expect(readable(await client.rest()).at(-1)).toMatch(/C=08P01.*S=FATAL/);
});

test('a server whose question is cut short ends the login, and the client is told so', async () => {
  const { client, server } = await start();
  server.write(Buffer.concat([typed('R', Buffer.alloc(2)), typed('R', int32(3))]));
  expect(readable(await client.rest()).at(-1)).toMatch(/C=08P01.*cut short.*S=FATAL/);
});
