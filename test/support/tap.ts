/** A relay in front of a server that tells what was sent to it: how many questions a statement costs is counted here. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, inject } from 'vitest';

export interface Tap {
  /** As the proxy's `upstream`. */
  readonly url: string;
  /** How often this text was sent to the server since `reset`. */
  count(text: string): number;
  reset(): void;
}

/**
 * Gives the tests of this file (or of this `describe`) one relay in front of the server that all tests share.
 * @param change what the server gets of what is sent: as many bytes
 */
export function useTap(change = (bytes: Buffer) => bytes): Tap {
  const sockets = new Set<Socket>();
  let sent = '';
  let port = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  // Half-open: a cancel request is all that its connection sends, and is heard when the server closes it.
  const relay = createServer({ allowHalfOpen: true }, (client) => {
    const { host, port } = inject('postgres');
    const server = connect({ host, port, noDelay: true });
    for (const socket of [client, server]) keep(socket);
    client.on('data', (bytes: Buffer) => {
      sent += bytes.toString('latin1');
      server.write(change(bytes));
    });
    server.on('data', (bytes: Buffer) => void client.write(bytes));
    client.on('end', () => server.end()).on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
  beforeAll(async () => {
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const address = relay.address();
    port = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    relay.close();
    await once(relay, 'close');
  });
  return {
    get url() {
      return `postgres://127.0.0.1:${port}`;
    },
    count: (text) => sent.split(text).length - 1,
    reset() {
      sent = '';
    },
  };
}
