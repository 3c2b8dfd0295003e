/** Connections to servers: over the network, with TLS as libpq would use it, or behind a unix socket. */
import { connect, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { KeepAlive, ServerConfig } from '../config/upstream.js';
import { firstAnswer, isRefusal, withHint } from './first-answer.js';
import { encrypt, readTlsFiles, requestTls, ServerWithoutTls } from './server-tls.js';

/** Milliseconds in which a server has to have answered, and the TLS handshake to be over. */
const PATIENCE = 30_000;
const SILENT = 'the server has not finished the TLS handshake within 30 s';
const UNWANTED = 'nobody waits for the connection any more';
const FORBIDDEN =
  'The URL of the upstream server says sslmode=disable. If pg_hba.conf has it by hostssl only, take sslmode=require or verify-full.';

/** Where a server answers. `ip` is the address that is meant of several that the host has. */
export type ServerAddress = TcpAddress | Extract<ServerConfig, { readonly kind: 'unix' }>;

type TcpAddress = Extract<ServerConfig, { readonly kind: 'tcp' }> & { readonly ip?: string };

/**
 * @param signal ends the attempt, and not the connection that it has led to
 * @throws an Error of the system, or one that says what is the matter with TLS
 */
export function connectTo(address: ServerAddress, signal?: AbortSignal): Promise<Socket> {
  return address.kind === 'unix' ? open({ path: address.path }, signal) : connectByTcp(address, signal);
}

/**
 * A connection on which the startup packet was sent. Where the server's first answer is a refusal, `prefer` goes on in clear
 * and `allow` over TLS, once: so does libpq. (It does so after a password too, which is the client's here.)
 * @throws as {@link connectTo}
 */
export async function startOn(
  address: ServerAddress,
  startup: Buffer,
  signal?: AbortSignal,
): Promise<Socket> {
  const socket = await connectTo(address, signal);
  socket.write(startup);
  if (address.kind === 'unix') return socket;
  const other = otherWay(address, socket);
  const isForbidden = address.sslmode === 'disable';
  if (!other && !isForbidden) return socket;
  const answer = await abortable(socket, signal, () => firstAnswer(socket));
  if (answer.length === 0) {
    socket.destroy();
    throw new Error('the server closed the connection unexpectedly');
  }
  if (other && isRefusal(answer)) {
    socket.destroy();
    const second = await connectTo(other, signal);
    second.write(startup);
    return second;
  }
  socket.unshift(isForbidden ? withHint(answer, FORBIDDEN) : answer);
  return socket;
}

/** The second way of `prefer` and `allow`. */
function otherWay(address: TcpAddress, socket: Socket): TcpAddress | undefined {
  const isEncrypted = socket instanceof TLSSocket;
  if (address.sslmode === 'prefer' && isEncrypted) return { ...address, sslmode: 'disable' };
  if (address.sslmode === 'allow') return { ...address, sslmode: 'prefer' };
  return undefined;
}

/** `prefer` goes on in clear where the server does not encrypt, or the handshake fails. `allow` begins in clear. */
async function connectByTcp(address: TcpAddress, signal: AbortSignal | undefined): Promise<Socket> {
  const { host, ip, port, sslmode, keepAlive } = address;
  const clear = () => open({ host: ip ?? host, port }, signal, keepAlive);
  if (sslmode === 'disable' || sslmode === 'allow') return clear();
  // Meanwhile. What is wrong with them is said where they are needed.
  const files = readTlsFiles(address);
  files.catch(() => {});
  const socket = await clear();
  const impatient = setTimeout(() => socket.destroy(new Error(SILENT)), PATIENCE);
  try {
    return await abortable(socket, signal, async () => {
      await requestTls(socket, address);
      return encrypt(socket, host, address, files);
    });
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
  signal: AbortSignal | undefined,
  { enabled, idle }: KeepAlive = { enabled: true, idle: 0 },
): Promise<Socket> {
  const keepAlive = { keepAlive: enabled, keepAliveInitialDelay: idle * 1000 };
  const socket = connect({ ...address, noDelay: true, ...keepAlive });
  // Between two who listen to its errors there is a moment in which nobody does.
  socket.on('error', () => {});
  return abortable(
    socket,
    signal,
    () =>
      new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.off('error', reject);
          resolve(socket);
        });
      }),
  );
}

/** Does the work; when it is aborted, the socket is destroyed, which ends the work. */
export async function abortable<T>(
  socket: Socket,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const abort = () => void socket.destroy(new Error(UNWANTED));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    return await work();
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
