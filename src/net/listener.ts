import { chmod, lstat, mkdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type Address, formatAddress, listenOptions, parseAddress, socketIn } from '../config/address.js';

/** Where clients come in: a port, or a socket in a directory, named as libpq looks for it. */
export type ListenAddress =
  | (Address & { readonly kind: 'tcp' })
  | { readonly kind: 'unix'; readonly directory: string };

/** @param text as `listen` of the configuration has it */
export function listenAddress(text: string): ListenAddress {
  return text.startsWith('/') ? { kind: 'unix', directory: text } : { kind: 'tcp', ...parseAddress(text) };
}

export interface Listener {
  /** As a client would say it: `127.0.0.1:6432`, or the directory. */
  readonly address: string;
  /** Accepts no more clients. Connections that are open stay open. */
  close(): Promise<void>;
}

/**
 * @param keepAliveIdle milliseconds for which a client sends nothing until the system asks whether it is there; 0: as the system
 * has it. How often it is asked, Node.js leaves to the system.
 * @throws the system's error (EADDRINUSE, EACCES, …)
 */
export async function listen(
  address: ListenAddress,
  onClient: (client: Socket) => void,
  keepAliveIdle = 0,
): Promise<Listener> {
  // Half-open: a client that has closed its side for writing still gets its answer.
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveIdle };
  const server = createServer({ noDelay: true, ...keepAlive, allowHalfOpen: true }, onClient);
  if (address.kind === 'unix') {
    await makeDirectory(address.directory);
    const path = socketIn(address.directory);
    await removeStale(path);
    await started(server, { path });
    // The mode of PostgreSQL's own sockets (unix_socket_permissions): the login decides who may connect.
    await chmod(path, 0o777);
    return { address: address.directory, close: () => closed(server) };
  }
  await started(server, listenOptions(address));
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  return { address: formatAddress({ host: address.host, port }), close: () => closed(server) };
}

function started(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** As `mkdir -p`: with `recursive`, Node.js tries for ever below /proc, which answers that a new directory is not there. */
async function makeDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectory(parent);
  await mkdir(path).catch(async (error: unknown) => {
    // Another program may have made it meanwhile.
    if (!(await isDirectory(path))) throw error;
  });
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Removes a socket on which no process answers: a process that is gone has left it. A file that is no socket stays. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) return;
  await new Promise<void>((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') unlink(path).then(resolve, reject);
      else resolve();
    });
  });
}
