import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** How pgbench is to be run. */
export interface Load {
  readonly seconds: number;
  readonly clients: number;
  /** The part of the PostgreSQL protocol that the queries go through. */
  readonly protocol: 'simple' | 'extended' | 'prepared';
}

/** Where pgbench is to connect to. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** pgbench, on one database, reached in different ways. */
export interface Pgbench {
  /** Makes its tables. */
  initialize(target: Target): Promise<void>;
  /** Runs the built-in read-only script; gives transactions a second, the time to connect not counted. */
  transactionsPerSecond(target: Target, load: Load): Promise<number>;
}

/**
 * Finds pgbench on the PATH, or where Debian keeps the programs of its servers, for the database that `url` names.
 * @throws an Error that says how to install it.
 */
export function findPgbench(url: URL): Pgbench {
  const program = locate();
  const login = [`--username=${decodeURIComponent(url.username)}`, decodeURIComponent(url.pathname.slice(1))];
  // TLS would measure OpenSSL instead of the relays.
  const secret = url.password ? { PGPASSWORD: decodeURIComponent(url.password) } : {};
  const env = { ...process.env, ...secret, PGSSLMODE: 'disable' };
  const run = async (target: Target, flags: string[]) => {
    const place = [`--host=${target.host}`, `--port=${target.port}`];
    const { stdout } = await promisify(execFile)(program, [...place, ...flags, ...login], { env });
    return stdout;
  };
  return {
    async initialize(target) {
      await run(target, ['--initialize', '--quiet', '--scale=1']);
    },
    async transactionsPerSecond(target, { seconds, clients, protocol }) {
      const work = ['--select-only', '--no-vacuum', `--time=${seconds}`, `--protocol=${protocol}`];
      const report = await run(target, [...work, `--client=${clients}`, `--jobs=${Math.min(clients, 2)}`]);
      return parseReport(report);
    },
  };
}

/** Reads the figure out of pgbench's report; up to version 13 there were two lines, and another wording. */
function parseReport(report: string): number {
  const line = /^tps = ([\d.]+) \((?:without initial connection time|excluding connections establishing)\)/m;
  const tps = Number(line.exec(report)?.[1]);
  if (!(tps > 0)) throw new Error(`pgbench reported no transactions:\n${report}`);
  return tps;
}

function locate(): string {
  const folders = [...(process.env.PATH ?? '').split(':').filter(Boolean), ...debianFolders()];
  const found = folders.map((folder) => join(folder, 'pgbench')).find(isExecutable);
  if (found) return found;
  const advice =
    'Install it (Debian: postgresql-15 or later; elsewhere: postgresql-contrib) or put it on the PATH.';
  throw new Error(`pgbench is neither on the PATH nor in /usr/lib/postgresql/*/bin. ${advice}`);
}

/** Newest version first. */
function debianFolders(): string[] {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
