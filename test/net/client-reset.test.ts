/** A client that is reset while the proxy connects to its server is noticed at once, however it was connected, and keeps nothing. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { type DeafPort, startDeafPort } from '../support/deaf-port.js';
import { freePort } from '../support/free-port.js';
import { query } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient, startupPacket } from '../support/raw-client.js';

const STARTUP = startupPacket({ database: 'nowhere' });
/** More than is read ahead of a client. */
const FLOOD = Buffer.concat(Array.from({ length: 4000 }, () => query(`SELECT '${'x'.repeat(100)}'`)));
/** Much less than a login may take. */
const SOON = { timeout: 10_000 };

let tls: TlsFolder;
let deaf: DeafPort;
beforeAll(async () => {
  [tls, deaf] = await Promise.all([createTlsFolder(), startDeafPort()]);
});
afterAll(async () => {
  tls?.remove();
  await deaf?.close();
});

interface Server {
  readonly hosts: string;
  /** Fulfilled when the proxy waits for it. */
  readonly isWaitedFor: () => Promise<unknown>;
  /** Fulfilled when the proxy waits no more. */
  readonly isLeft: () => Promise<unknown>;
}

/** Accepts, says what it is given to what comes first, and then nothing more. */
async function mute(answer?: string): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1').unref();
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const asked = new Promise<Socket>((resolve) =>
    listener.on('connection', (socket) => {
      onTestFinished(() => void socket.destroy());
      socket
        .on('error', () => {})
        .once('data', () => {
          if (answer === undefined) return resolve(socket);
          socket.write(answer);
          socket.once('data', () => resolve(socket));
        });
    }),
  );
  const { port } = listener.address() as { port: number };
  const left = asked.then((socket) => Promise.race([once(socket, 'end'), once(socket, 'close')]));
  return { hosts: `127.0.0.1:${port}`, isWaitedFor: () => asked, isLeft: () => left };
}

function unheard(): Server {
  return {
    hosts: `127.0.0.1:${deaf.port}`,
    isWaitedFor: () => expect.poll(() => deaf.waiting(), SOON).toBe(1),
    isLeft: () => expect.poll(() => deaf.waiting(), SOON).toBe(0),
  };
}

async function behindDead({ hosts, ...server }: Server): Promise<Server> {
  return { ...server, hosts: `127.0.0.1:${await freePort()},${hosts}` };
}

const stages: readonly (readonly [string, () => Server | Promise<Server>, string])[] = [
  ['it is connected', unheard, 'sslmode=disable'],
  ['TLS is asked for', mute, 'sslmode=require'],
  ['it has the handshake of TLS', () => mute('S'), 'sslmode=require'],
  ['it has said no to TLS', () => mute('N'), 'sslmode=prefer'],
  ['its first answer is waited for', mute, 'sslmode=disable'],
  ['it may be asked again over TLS', mute, 'sslmode=allow'],
  ['another host is connected', async () => behindDead(unheard()), 'sslmode=disable'],
  [
    'the first answer of another host is waited for',
    async () => behindDead(await mute()),
    'sslmode=disable&connect_timeout=600',
  ],
  ['another host has the handshake', async () => behindDead(await mute('S')), 'sslmode=require'],
];

const ways: readonly (readonly [string, (client: Socket) => undefined | Promise<void>])[] = [
  ['', () => {}],
  [' after more than is read ahead', (client) => void client.write(FLOOD)],
  [' when it has closed its side', (client) => new Promise<void>((resolve) => void client.end(resolve))],
];

async function start(server: Server, query: string, options: ProxyOptions) {
  const proxy = await startProxy({
    upstream: `postgres://${server.hosts}?${query}`,
    admin: { listen: '127.0.0.1:0' },
    ...options,
    limits: { connections: 1, login_timeout: '1h' },
  });
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** What a client's TLS makes of it is the same at each of them. */
const someStages = [stages[0], stages[2], stages[3]].filter((stage) => stage !== undefined);

describe.each([
  ['in clear', stages] as const,
  ['over TLS', someStages] as const,
])('a client %s', (how, stages) => {
  describe.each(stages)('while %s', (_, serve, parameters) => {
    test.each(ways)('is reset%s', async (_, prepare) => {
      const server = await serve();
      const proxy = await start(server, parameters, { tls: { mode: 'allow', ...tls.files } });
      const ca = how === 'over TLS' ? tls.authority.cert : undefined;
      const client = await RawClient.open({ ...proxy, ca });
      client.send(STARTUP);
      await server.isWaitedFor();
      await prepare(client.socket);
      client.socket.resetAndDestroy();
      await server.isLeft();
      const readiness = async () => (await fetch(`http://${proxy.app.admin}/readiness`)).status;
      await expect.poll(readiness, SOON).toBe(200);
    });
  });
});
