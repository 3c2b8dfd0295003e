import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A server, and the programs of its own version: pg_dump refuses a newer server. */
export interface DumpPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgDump: string;
  readonly pgRestore: string;
}

/**
 * Finds them where Debian keeps the programs of its servers, or in a folder of the PATH that has all of them.
 * @throws an Error that says how to install them
 */
export function findDumpPrograms(): DumpPrograms {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(root, version, 'bin')),
    ...(process.env.PATH ?? '').split(':').filter(Boolean),
  ];
  const names = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];
  const folder = folders.find((each) => names.every((name) => existsSync(join(each, name))));
  if (folder === undefined)
    throw new Error(
      `${names.join(', ')} are not in one folder of /usr/lib/postgresql/*/bin or the PATH. Install a server with its clients (Debian: postgresql-15 or later)`,
    );
  const program = (name: string) => join(folder, name);
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgDump: program('pg_dump'),
    pgRestore: program('pg_restore'),
  };
}
