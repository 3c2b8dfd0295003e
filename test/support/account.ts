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

/** The options of `spawn` that start a program as this account, in a folder that it can read. */
export function runAs(account: Account | undefined, cwd: string) {
  // The variables of libpq (PGPORT, PGDATA, …) and the locale of whoever runs the tests must not reach the server.
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
  return account ? { cwd, env, uid: account.uid, gid: account.gid } : { cwd, env };
}

function parseAccount(line: string): Account {
  const [name = '', , uid, gid] = line.split(':');
  return { name, uid: Number(uid), gid: Number(gid) };
}
