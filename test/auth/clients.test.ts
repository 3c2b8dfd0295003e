/** Logins of real clients at a proxy that verifies them itself: with the right password, with a wrong one, and of nobody. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMissing, isInstalled } from '../support/programs.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();
let proxy: RunningProxy;
beforeAll(async () => {
  proxy = await startProxy({
    upstream: `postgres://127.0.0.1:${sample.server.port}?sslmode=require`,
    auth: { mode: 'proxy', users: sample.users },
  });
});
afterAll(() => proxy?.stop());

// Debian's packages belong to Debian's Python.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** User, password, and what comes of it. */
const ATTEMPTS = [
  ['kept', 'wrong', /password authentication failed for user "kept"/],
  ['kept', passwordOf('kept'), /^kept$/],
  ['unicode', passwordOf('unicode'), /^unicode$/],
  ['nobody', 'x', /password authentication failed for user "nobody"/],
  ['stale', passwordOf('stale'), /its SCRAM secret of this user is another/],
] as const;

interface Client {
  readonly program: string;
  /** The program that is started, where another one has to be installed. */
  readonly starts?: string;
  /** How many of the attempts are made, where it takes long to start. */
  readonly attempts?: number;
  /** What has to be there beside the program; it fails where it is not. */
  readonly needs?: readonly string[];
  /** Prints the current user; takes libpq's variables. */
  readonly args: readonly string[];
}

const PSYCOPG = `import psycopg
with psycopg.connect('') as client:
    print(client.execute('SELECT current_user').fetchone()[0])`;
const ASYNCPG = `import asyncio, asyncpg
async def main():
    client = await asyncpg.connect()
    print(await client.fetchval('SELECT current_user'))
    await client.close()
asyncio.run(main())`;

// Debian's; without a compiler the program is not there.
const DRIVER = '/usr/share/java/postgresql.jar';
const LOGIN = fileURLToPath(new URL('Login.java', import.meta.url));

const CLIENTS: Readonly<Record<string, Client>> = {
  psql: { program: 'psql', args: ['-XAtc', 'SELECT current_user'] },
  psycopg: { program: python, needs: ['-c', 'import psycopg'], args: ['-c', PSYCOPG] },
  pgjdbc: {
    program: existsSync(DRIVER) ? 'javac' : 'no driver',
    starts: 'java',
    attempts: 2,
    args: ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', DRIVER, LOGIN],
  },
  asyncpg: { program: python, needs: ['-c', 'import asyncpg'], args: ['-c', ASYNCPG] },
};

for (const [name, client] of Object.entries(CLIENTS)) {
  if (!isThere(client)) {
    describeMissing(name, 'it is not installed');
    continue;
  }
  describe(name, () => {
    test('logs in with its password and no other, and is told of a stale secret', async () => {
      const tried = ATTEMPTS.slice(0, client.attempts);
      const told = await Promise.all(tried.map(([user, password]) => logIn(client, user, password)));
      expect(told).toEqual(tried.map(([, , expected]) => expect.stringMatching(expected)));
    });
  });
}

function isThere({ program, needs }: Client): boolean {
  if (!isInstalled(program)) return false;
  try {
    if (needs) execFileSync(program, needs, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whom the client has logged in as, or what it says. */
async function logIn(
  { program, starts = program, args }: Client,
  user: string,
  password: string,
): Promise<string> {
  const env = {
    ...process.env,
    PGHOST: proxy.host,
    PGPORT: String(proxy.port),
    PGDATABASE: 'postgres',
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: 'disable',
  };
  try {
    return (await promisify(execFile)(starts, args, { env })).stdout.trim();
  } catch (error) {
    return (error as { readonly stderr: string }).stderr;
  }
}
