import { connect, type Socket } from 'node:net';
import type { Upstream } from './upstream.js';

/** A server on the network or behind a unix socket. */
export function socketUpstream(
  name: string,
  address: { readonly host: string; readonly port: number } | { readonly path: string },
): Upstream {
  return {
    name,
    connect: () =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect({ ...address, noDelay: true, keepAlive: true });
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(socket);
        });
      }),
    close: async () => {},
  };
}
