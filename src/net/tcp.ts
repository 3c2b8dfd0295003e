import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerTls } from '../config/server-tls.js';
import { encrypt, negotiate, ServerWithoutTls } from './server-tls.js';
import type { Upstream } from './upstream.js';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** A server behind a unix socket. */
export function unixUpstream(name: string, path: string): Upstream {
  return { name, connect: () => open({ path }), close: async () => {} };
}

/** A server on the network, with TLS as the upstream's URL wants it. */
export function tcpUpstream(name: string, address: TcpAddress, tls: ServerTls): Upstream {
  return { name, connect: () => connectTo(address, tls), close: async () => {} };
}

/**
 * `prefer` goes on in clear where the server does not encrypt, or the handshake fails. `allow` begins in clear.
 * @throws an Error of the system, or one that says what is the matter with TLS
 */
async function connectTo(address: TcpAddress, tls: ServerTls): Promise<Duplex> {
  const { sslmode } = tls;
  if (sslmode === 'disable' || sslmode === 'allow') return open(address);
  const socket = await open(address);
  try {
    await negotiate(socket, tls);
    return await encrypt(socket, address.host, tls);
  } catch (error) {
    if (sslmode === 'prefer' && error instanceof ServerWithoutTls) return socket;
    socket.destroy();
    if (sslmode === 'prefer') return open(address);
    throw error;
  }
}

function open(address: TcpAddress | { readonly path: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true, keepAlive: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
