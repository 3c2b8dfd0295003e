/** Clients that go away before a silent server has logged them in: they keep neither their place nor a connection for long. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { terminate } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, readable, startupPacket } from '../support/raw-client.js';

const STARTUP = startupPacket({ database: 'nowhere' });

/** A server that takes connections, and says nothing; and one place behind it. */
async function start(sslmode: string, loginTimeout: string) {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const sockets: Socket[] = [];
  listener.on('connection', (socket) => sockets.push(socket.on('error', () => {}).resume()));
  const { port } = listener.address() as { port: number };
  const proxy = await startProxy({
    upstream: `postgres://127.0.0.1:${port}?sslmode=${sslmode}`,
    limits: { connections: 1, login_timeout: loginTimeout },
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await proxy.stop();
  });
  const open = async (...bytes: readonly Buffer[]) => {
    const connected = once(listener, 'connection');
    const client = await RawClient.open(proxy);
    client.send(STARTUP, ...bytes);
    const [server] = (await connected) as [Socket];
    const data = once(server, 'data');
    // The login may have to be over before the test goes on.
    const ended = once(server, 'end');
    await data;
    return { client, ended };
  };
  return { proxy, open };
}

const goes: readonly (readonly [string, (client: RawClient) => void])[] = [
  ['closes its connection', (client) => client.socket.destroySoon()],
  ['closes its side', (client) => client.socket.end()],
  ['is reset', (client) => client.socket.resetAndDestroy()],
];

test.each(
  ['disable', 'allow', 'prefer', 'require'].flatMap((sslmode) =>
    goes.map((way) => [sslmode, ...way] as const),
  ),
)('with sslmode=%s a client that says goodbye and %s makes room at the latest when its login has to be over', async (sslmode, _, go) => {
  const { proxy, open } = await start(sslmode, '200ms');
  const { client, ended } = await open(terminate);
  go(client);
  await ended;
  const told = async () => {
    const next = await RawClient.open(proxy);
    next.send(STARTUP);
    return readable(await next.rest()).join();
  };
  // It waits for the silent server as well, and is not told that there is no room.
  await expect.poll(told, { timeout: 5000 }).toContain('C=08006');
});

test.each([
  'prefer',
  'require',
])('with sslmode=%s a client that is reset takes along the connection on which TLS is asked for', async (sslmode) => {
  const { open } = await start(sslmode, '1h');
  const { client, ended } = await open();
  client.socket.resetAndDestroy();
  await ended;
});
