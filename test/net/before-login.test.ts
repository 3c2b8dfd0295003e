/** What clients send before they have logged in: PostgreSQL reads only what it asks for, and nothing else is kept. */
import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { startPostgres } from '../support/postgres.js';
import { startProxy, useProxy } from '../support/proxy.js';
import { message, RawClient, readable, startupPacket } from '../support/raw-client.js';
import { int32 } from '../wire/bytes.js';

vi.setConfig({ testTimeout: 120_000 });

const MEBIBYTE = 1024 * 1024;
/** The beginning of a message that declares this length. */
const declaring = (type: string, length: number) =>
  Buffer.concat([Buffer.from(type), int32(length), Buffer.alloc(20, 'x')]);

describe('in place of a password', () => {
  const refused: readonly (readonly [string, Buffer])[] = [
    ['a password of 100 MiB', declaring('p', 100 * MEBIBYTE)],
    ['a password longer than any', declaring('p', 70_000)],
    ['a query of 100 MiB', declaring('Q', 100 * MEBIBYTE)],
    ['data of 100 MiB', declaring('d', 100 * MEBIBYTE)],
    ['a whole query', query('SELECT 1')],
    ['a Sync', sync],
    ['a goodbye', message('X')],
    ['a type that is none', declaring('Z', 20)],
  ];

  test('nothing is waited for, and its refusal is that of the server', async () => {
    const server = await startPostgres({ auth: 'scram' });
    onTestFinished(() => server.stop('immediate'));
    const proxy = await startProxy({ upstream: `postgres://${server.host}:${server.port}` });
    onTestFinished(() => proxy.stop());
    const startup = startupPacket({ database: 'postgres' });
    for (const [what, bytes] of refused)
      for (const isAsked of [true, false]) {
        const answers = [];
        for (const address of [server, proxy]) {
          const client = await RawClient.open(address);
          if (isAsked) client.send(startup);
          const asked = isAsked ? await client.until('R') : [];
          client.send(...(isAsked ? [bytes] : [startup, bytes]));
          answers.push(readable([...asked, ...(await client.rest())]));
        }
        const [natively, through] = answers;
        expect(natively?.at(-1)).toMatch(/S=FATAL/);
        expect([what, isAsked, through]).toEqual([what, isAsked, natively]);
      }
  });
});

/** A server that takes connections, and never says a word. */
async function startSilent(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `postgres://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

test.each([
  ['one message', Buffer.alloc(MEBIBYTE), declaring('Q', 100 * MEBIBYTE)],
  ['many', Buffer.alloc(sync.length * 200_000, sync), sync],
])('of 100 MiB that come as %s before the login most stay with the client', async (_, more, first) => {
  const proxy = await startProxy({ upstream: await startSilent(), limits: { login_timeout: '1s' } });
  onTestFinished(() => proxy.stop());
  const client = await RawClient.open(proxy);
  client.send(startupPacket({ database: 'postgres' }), first);
  let left = 0;
  const isTold = client.next().then(() => 'told');
  const sent = () => new Promise((resolve) => client.socket.write(more, resolve));
  while (left < 100 && (await Promise.race([isTold, sent()])) !== 'told') left++;
  // In MiB: what has left is in the buffers of the system.
  expect(left).toBeLessThan(30);
});

describe('on a server that asks for nothing', () => {
  const database = useDatabase(`
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1);`);
  const proxy = useProxy();

  test('what was sent with the startup packet is answered after the login, and cascades', async () => {
    const client = await RawClient.open(proxy);
    const big = query(`SELECT length('${'x'.repeat(300_000)}') AS length`);
    client.send(startupPacket({ database: database.name }), big, query('DELETE FROM parent'));
    client.send(run('SELECT count(*) AS left FROM child'), sync);
    const told = readable(await client.untilReady(4)).filter((each) => /^[CDEZ]/.test(each));
    expect(told).toEqual([
      'Z I',
      ...['D 300000', 'C SELECT 1', 'Z I'],
      ...['C DELETE 1', 'Z I'],
      ...['D 0', 'C SELECT 1', 'Z I'],
    ]);
  });
});
