import { execFile } from 'node:child_process';
import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, runAs, serverAccount } from './account.js';
import { freePort } from './free-port.js';
import { type Binaries, postgresBinaries } from './postgres-binaries.js';
import { serverFolder } from './server-folder.js';
import { supervise } from './supervised.js';

/** Where a PostgreSQL server answers over TCP, and to whom. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The password of `user` where the server asks for one. */
  readonly password?: string;
}

/** Where a server of ours answers, as plain data. */
export interface ServerAddress extends TcpAddress {
  /** The folder of its unix socket, as libpq's `host` takes it. */
  readonly socketDir: string;
}

/** A running PostgreSQL that belongs to this process. */
export interface Server extends ServerAddress {
  /** The connection string of one of its databases, over TCP. */
  url(database: string): string;
  /** The end of the server's log. */
  log(): string;
  /** Ends it and removes its data: 'fast' tells its clients (57P01), 'immediate' waits for nobody. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

export interface ServerOptions {
  /** Another PostgreSQL than that of the tests. */
  readonly binaries?: Binaries;
  /** Another one as well: the folder `native` of its npm package. */
  readonly packaged?: string;
  /** Server settings, over the ones tests need. */
  readonly config?: Readonly<Record<string, string>>;
  /** 'scram' makes every connection give the superuser's password. */
  readonly auth?: 'trust' | 'scram';
  /** Files to put into the data directory before the start: certificates, another pg_hba.conf. */
  readonly files?: Readonly<Record<string, string>>;
  /** A folder of locales beside those of the system. */
  readonly locales?: string;
}

const user = 'postgres';
const scramPassword = 'correct horse';
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // What works in the background takes time from the tests, at moments that differ from run to run.
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  // The log may be in memory.
  max_wal_size: '256MB',
  max_connections: '200',
  max_prepared_transactions: '10',
  wal_level: 'logical',
  listen_addresses: '127.0.0.1',
};

/**
 * Starts a PostgreSQL 18 with an empty database `postgres`, in UTF8 and the C locale, on a free loopback port and on a
 * unix socket. It ends with `stop()`, and at the latest with this process.
 * @throws an Error with the end of the server's log.
 */
export async function startPostgres(options: ServerOptions = {}): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (error) {
      const portWasTaken = error instanceof Error && error.message.includes('could not bind');
      if (!portWasTaken || attempt === 5) throw error;
    }
  }
}

async function start(options: ServerOptions): Promise<Server> {
  const account = serverAccount();
  const directory = serverFolder(account);
  try {
    return await startIn(directory, account, options);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(
  directory: string,
  account: Account | undefined,
  options: ServerOptions,
): Promise<Server> {
  const binaries = options.binaries ?? postgresBinaries(account, directory, options.packaged);
  const { env, ...who } = runAs(account, directory);
  const as = { ...who, env: options.locales ? { ...env, LOCPATH: options.locales } : env };
  const data = join(directory, 'data');
  const put = (path: string, text: string) => {
    writeFileSync(path, text, { mode: 0o600 });
    if (account) chownSync(path, account.uid, account.gid);
  };
  const passwordFile = join(directory, 'password');
  put(passwordFile, scramPassword);
  await initialize(binaries, data, passwordFile, options.auth ?? 'trust', as);
  for (const [name, text] of Object.entries(options.files ?? {})) put(join(data, name), text);

  const port = await freePort();
  const config = { ...settings, ...options.config, port: String(port), unix_socket_directories: directory };
  const flags = Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = supervise([binaries.postgres, '-D', data, ...flags], directory, as);
  const stop = async (mode: 'fast' | 'immediate' = 'fast') => {
    await server.stop(mode === 'fast' ? 'INT' : 'QUIT');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    // A standby is ready for read-only connections.
    await server.hasLogged('database system is ready to accept');
  } catch (error) {
    await stop('immediate');
    throw error;
  }
  const secret = options.auth === 'scram' ? { password: scramPassword } : {};
  const address: ServerAddress = { host: '127.0.0.1', port, socketDir: directory, user, ...secret };
  return { ...address, url: (database) => databaseUrl(address, database), log: server.log, stop };
}

/** The connection string of a database at this address, over TCP. */
export function databaseUrl(address: TcpAddress, database: string): string {
  const password = address.password === undefined ? '' : `:${encodeURIComponent(address.password)}`;
  const { host, port } = address;
  return `postgres://${encodeURIComponent(address.user)}${password}@${host}:${port}/${encodeURIComponent(database)}`;
}

async function initialize(
  { initdb }: Binaries,
  data: string,
  passwordFile: string,
  auth: 'trust' | 'scram',
  as: ReturnType<typeof runAs>,
): Promise<void> {
  const method = auth === 'scram' ? 'scram-sha-256' : 'trust';
  const access = [`--auth=${method}`, `--username=${user}`, `--pwfile=${passwordFile}`];
  const form = ['--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions'];
  await promisify(execFile)(initdb, ['-D', data, ...access, ...form], as);
}
