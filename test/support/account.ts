import { readFileSync } from 'node:fs';

/** A user of this machine that programs can be started as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom to run PostgreSQL as: it refuses root, so root's place is taken by an account every Linux has.
 * Gives undefined where this process is not root and can run it as itself.
 * @throws where this is root and there is nobody to step down to.
 */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').map(parseAccount);
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((candidate) => candidate.name === name);
    if (account && account.uid > 0) return account;
  }
  throw new Error('PostgreSQL refuses to run as root, and /etc/passwd has neither postgres nor nobody');
}

/**
 * How glibc's malloc serves the processes of a server: it keeps what is freed, and takes memory by the megabyte. To plan a
 * question to the catalog takes megabytes, which would go back to the system after each, a page at a time.
 */
const MALLOC = ['hugetlb=1', 'top_pad=16777216', 'trim_threshold=268435456', 'mmap_threshold=268435456']
  .map((each) => `glibc.malloc.${each}`)
  .join(':');

/** The options of `spawn` that start a program as this account, in a folder that it can read. */
export function runAs(account: Account | undefined, cwd: string) {
  // The variables of libpq (PGPORT, PGDATA, …) and the locale of whoever runs the tests must not reach the server.
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    GLIBC_TUNABLES: MALLOC,
  };
  return account ? { cwd, env, uid: account.uid, gid: account.gid } : { cwd, env };
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}
