/** Connections to servers: over the network, with TLS as libpq would use it, or behind a unix socket. */
import { connect, type Socket } from 'node:net';
import type { ServerTls } from '../config/server-tls.js';
import { encrypt, negotiate, ServerWithoutTls } from './server-tls.js';

/** Milliseconds in which a server has to have answered, and the TLS handshake to be over. */
const PATIENCE = 30_000;
const SILENT = 'the server has not finished the TLS handshake within 30 s';

/** Where a server answers. */
export type ServerAddress = TcpAddress | { readonly kind: 'unix'; readonly path: string };

interface TcpAddress extends ServerTls {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** @throws an Error of the system, or one that says what is the matter with TLS */
export function connectTo(address: ServerAddress): Promise<Socket> {
  return address.kind === 'unix' ? open({ path: address.path }) : connectByTcp(address);
}

/** `prefer` goes on in clear where the server does not encrypt, or the handshake fails. `allow` begins in clear. */
async function connectByTcp(address: TcpAddress): Promise<Socket> {
  const { host, port, sslmode } = address;
  const clear = () => open({ host, port });
  if (sslmode === 'disable' || sslmode === 'allow') return clear();
  const socket = await clear();
  const impatient = setTimeout(() => socket.destroy(new Error(SILENT)), PATIENCE);
  try {
    await negotiate(socket, address);
    return await encrypt(socket, host, address);
  } catch (error) {
    if (sslmode === 'prefer' && error instanceof ServerWithoutTls) return socket;
    socket.destroy();
    if (sslmode === 'prefer') return clear();
    throw error;
  } finally {
    clearTimeout(impatient);
  }
}

function open(
  address: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true, keepAlive: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
