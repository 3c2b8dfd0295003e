import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '../test/support/certificates.js';
import { type Server, startPostgres } from '../test/support/postgres.js';
import { LOOKED_AT, type Memory } from '../test/support/settled-memory.js';
import { AT_MOST, number, readOptions } from './options.js';
import { table } from './statistics.js';

export const usage = `idle: the memory that an idle connection takes in the proxy, and in a relay that only pipes, in clear and over TLS on both sides

  --connections N     that are open at a time (300)
  --at-most KB        exit 1 when one in clear takes more, resident
  --at-most-tls KB    the same over TLS`;

const OPTIONS = { connections: number(300, 1), 'at-most': AT_MOST, 'at-most-tls': AT_MOST };

/** These are open before the first look: code is compiled, and buffers that all share are there. */
const WARM_UP = 50;

/** A program that is measured, with its arguments. */
interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly isEncrypted: boolean;
}

/** Opens connections, asks one question on each, and looks. Gives false when a goal that was asked for is missed. */
export async function idle(args: string[]): Promise<boolean> {
  const { connections, 'at-most': clear, 'at-most-tls': tls } = readOptions(args, OPTIONS);
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-bench-'));
  const authority = await createAuthority('bench');
  const { cert, key } = await authority.server([{ type: 'ip', value: '127.0.0.1' }]);
  const files = { 'server.crt': cert, 'server.key': key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const server = await startPostgres({
    files,
    config: {
      max_connections: String(connections + WARM_UP + 10),
      ssl: 'on',
      ssl_cert_file: 'server.crt',
      ssl_key_file: 'server.key',
    },
  });
  try {
    const paths = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
    const rows: string[][] = [];
    const measured = async (name: string, program: Program) => {
      const each = await measure(program, connections);
      rows.push([name, kilobytes(each.resident), kilobytes(each.used)]);
      return each.resident / 1024;
    };
    await measured('in clear, a relay that only pipes', relay(server, []));
    const inClear = await measured('in clear, pgcascade', pgcascade(server, {}, connections));
    await measured('over TLS, a relay that only pipes', relay(server, [paths.cert, paths.key]));
    const byTls = await measured(
      'over TLS, pgcascade',
      pgcascade(server, { mode: 'require', ...paths }, connections),
    );
    console.log(table([['KB for each connection', 'resident', 'used'], ...rows]));
    return !(inClear > clear || byTls > tls);
  } finally {
    await server.stop('immediate');
    rmSync(folder, { recursive: true });
  }
}

function relay(server: Server, files: readonly string[]): Program {
  return { file: 'idle-relay.js', args: [String(server.port), ...files], isEncrypted: files.length > 0 };
}

function pgcascade(server: Server, tls: object, connections: number): Program {
  const isEncrypted = 'mode' in tls;
  const config = {
    listen: '127.0.0.1:0',
    upstream: `postgres://127.0.0.1:${server.port}?sslmode=${isEncrypted ? 'require' : 'disable'}`,
    admin: null,
    tls,
    limits: { connections: connections + WARM_UP },
  };
  return { file: 'idle-proxy.js', args: [JSON.stringify(config)], isEncrypted };
}

/** @returns bytes for each connection */
async function measure({ file, args, isEncrypted }: Program, connections: number): Promise<Memory> {
  const proxy = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: [...LOOKED_AT],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const address = await told<string>(proxy);
    const port = Number(address.split(':').at(-1));
    const open: Socket[] = [];
    for (let i = 0; i < WARM_UP; i++) open.push(await logIn(port, isEncrypted));
    const before = await memoryOf(proxy);
    for (let i = 0; i < connections; i++) open.push(await logIn(port, isEncrypted));
    const after = await memoryOf(proxy);
    for (const socket of open) socket.destroy();
    const each = (of: keyof Memory) => (after[of] - before[of]) / connections;
    return { resident: each('resident'), used: each('used') };
  } finally {
    if (proxy.kill('SIGKILL')) await once(proxy, 'exit');
  }
}

async function memoryOf(proxy: ChildProcess): Promise<Memory> {
  proxy.send('memory');
  return told<Memory>(proxy);
}

/** @throws where the proxy has ended */
function told<T>(proxy: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the proxy has ended'));
    proxy.once('exit', ended);
    proxy.once('message', (message) => {
      proxy.off('exit', ended);
      resolve(message as T);
    });
  });
}

/** Logs in, and asks a question: a session that has done nothing takes less. */
async function logIn(port: number, isEncrypted: boolean): Promise<Socket> {
  const host = '127.0.0.1';
  // The proxy's first bytes are TLS already (sslnegotiation=direct).
  const socket = isEncrypted
    ? connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] })
    : connect({ host, port });
  await once(socket, isEncrypted ? 'secureConnect' : 'connect');
  socket.write(startup());
  await ready(socket);
  socket.write(query('SELECT 1'));
  await ready(socket);
  return socket;
}

const READY = 'Z\0\0\0\x05I';

/** Until the last message that has come is a ReadyForQuery. */
function ready(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = '';
    const came = (chunk: Buffer) => {
      last = (last + chunk.toString('latin1')).slice(-READY.length);
      if (last !== READY) return;
      socket.off('data', came).off('close', closed);
      resolve();
    };
    const closed = () => reject(new Error('the proxy has closed a connection'));
    socket.on('data', came).once('close', closed);
  });
}

function startup(): Buffer {
  const body = Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0');
  return Buffer.concat([length(body), body]);
}

function query(sql: string): Buffer {
  const body = Buffer.from(`${sql}\0`);
  return Buffer.concat([Buffer.from('Q'), length(body), body]);
}

function length(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(body.length + 4);
  return bytes;
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}
