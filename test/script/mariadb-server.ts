/** A MariaDB of the tests' own: in a folder of its own, and reached by a socket in it alone. */
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runAs } from '../support/account.js';
import { isInstalled } from '../support/programs.js';
import { serverFolder } from '../support/server-folder.js';
import { supervise } from '../support/supervised.js';
import { output, type Ran, ran } from './runs.js';

const PROGRAMS = ['mariadbd', 'mariadb-install-db', 'mariadb', 'mariadb-dump'];
/** What a server needs little of. */
const SETTINGS = [
  '--skip-networking',
  '--skip-log-bin',
  '--innodb-buffer-pool-size=16M',
  '--innodb-flush-log-at-trx-commit=0',
  '--character-set-server=utf8mb4',
];

export interface MariaDb {
  /** Runs the program mariadb on a database. */
  run(database: string, sql: string, ...options: readonly string[]): Promise<Ran>;
  /** As `run`, where it has to go well. */
  execute(database: string, sql: string): Promise<string>;
  /** CREATE statements, as a dump has them. */
  schema(database: string): Promise<string>;
  /** All of it, as mariadb-dump writes it unless it is told otherwise. */
  dump(database: string): Promise<string>;
  /** The rows of all tables, in the order of their primary keys. */
  rows(database: string): Promise<string>;
  stop(): Promise<void>;
}

/** The first of its programs that is not installed. */
export function missingProgram(): string | undefined {
  return PROGRAMS.find((program) => !isInstalled(program) && !isInstalled(`/usr/sbin/${program}`));
}

/** Starts a server, which ends with this process at the latest. */
export async function startMariaDb(): Promise<MariaDb> {
  const folder = serverFolder(undefined);
  const [data, socket] = [join(folder, 'data'), join(folder, 's')];
  const { username } = userInfo();
  const install = ['--no-defaults', `--datadir=${data}`, `--user=${username}`, '--skip-test-db'];
  await promisify(execFile)('mariadb-install-db', [...install, '--auth-root-authentication-method=normal']);
  const program = isInstalled('mariadbd') ? 'mariadbd' : '/usr/sbin/mariadbd';
  const start = [program, '--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--user=${username}`];
  const pid = `--pid-file=${join(folder, 'pid')}`;
  const server = supervise([...start, pid, ...SETTINGS], folder, runAs(undefined, '/'));
  await server.hasLogged('ready for connections');
  const connect = ['--no-defaults', `--socket=${socket}`, '--user=root'];
  const client = [...connect, '--default-character-set=utf8mb4'];
  const dump = (database: string, ...options: readonly string[]) =>
    output('mariadb-dump', [...client, '--compact', ...options, database], '');
  return {
    run: (database, sql, ...options) => ran('mariadb', [...client, ...options, database], sql),
    execute: (database, sql) => output('mariadb', [...client, database], sql),
    schema: (database) => dump(database, '--no-data'),
    dump: (database) => output('mariadb-dump', [...client, '--routines', database], ''),
    rows: (database) => dump(database, '--no-create-info', '--skip-extended-insert', '--order-by-primary'),
    stop: () => server.stop('QUIT'),
  };
}
