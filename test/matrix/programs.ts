/** The five clients. Each is one process for all its rows, and answers each with a line; node-postgres is in this process. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { ClientName } from './rows.js';

/** A login that is to be tried. */
export interface Attempt {
  readonly connection: string;
  readonly wantsBinding: boolean;
}

interface Program {
  /** The statement is put after it. */
  readonly command: readonly string[];
  /** Fails where the client is not installed. */
  readonly probe: readonly string[];
}

/** Who the client is, and whether PostgreSQL's own connection is encrypted. */
export const WHO = `SELECT concat(current_user, ' ', (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()))`;
const SOURCES = fileURLToPath(new URL('clients/', import.meta.url));
// Debian's packages belong to Debian's Python.
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const DRIVER = '/usr/share/java/postgresql.jar';
// The driver's log would go to the standard error.
const QUIET = '-Djava.util.logging.config.file=/dev/null';
const JAVA = ['java', QUIET, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

const python = (module: string): Program => ({
  command: [PYTHON, `${SOURCES}by_${module}.py`],
  probe: [PYTHON, '-c', `import ${module}`],
});

/** psql ends with the first connection that it does not get, and starts in no time: a shell starts it for each row. */
const psql: Program = {
  command: [
    'sh',
    '-c',
    `set -f
    while read -r target; do
      if answer=$(psql -XAtqwc "$0" "$target" 2>&1 </dev/null); then echo "connects $answer ?"; else echo refused $answer; fi
    done`,
  ],
  probe: ['psql', '--version'],
};

const PROGRAMS: Readonly<Record<Exclude<ClientName, 'node-postgres'>, Program>> = {
  psql,
  psycopg: python('psycopg'),
  asyncpg: python('asyncpg'),
  pgjdbc: {
    command: [...JAVA, '-cp', DRIVER, `${SOURCES}ByJdbc.java`],
    probe: existsSync(DRIVER) ? ['javac', '-version'] : ['false'],
  },
};

export function isThere(client: ClientName): boolean {
  if (client === 'node-postgres') return true;
  const [program = '', ...args] = PROGRAMS[client].probe;
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/**
 * @param home an empty folder, where clients find no files of somebody's
 * @param statement has one value for an answer, and is executed in each session
 * @returns of each attempt a line: `connects`, the value, and whether the client's connection is encrypted (t, f, or ? where the
 * client does not tell); or `refused`, and why
 */
export async function logIns(
  client: ClientName,
  attempts: readonly Attempt[],
  home: string,
  statement: string,
): Promise<readonly string[]> {
  if (client === 'node-postgres') {
    const answers: string[] = [];
    for (const attempt of attempts) answers.push(await byNodePostgres(attempt, statement));
    return answers;
  }
  const input = attempts.map(({ connection }) => `${connection}\n`).join('');
  return (await run([...PROGRAMS[client].command, statement], input, home)).trimEnd().split('\n');
}

function run([program = '', ...args]: readonly string[], input: string, home: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' };
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    // A program that ends too early is seen by what it has not answered.
    child.stdin.on('error', () => {});
    child.once('error', reject).once('close', () => resolve(Buffer.concat(output).toString()));
    child.stdin.end(input);
  });
}

async function byNodePostgres({ connection, wantsBinding }: Attempt, statement: string): Promise<string> {
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({ connectionString: connection, enableChannelBinding: wantsBinding });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query({ text: statement, rowMode: 'array' });
    const stream = Reflect.get(Reflect.get(client, 'connection'), 'stream');
    return `connects ${rows[0]?.[0]} ${Reflect.has(stream, 'encrypted') ? 't' : 'f'}`;
  } catch (error) {
    return `refused ${error instanceof Error ? error.message : error}`;
  } finally {
    await client?.end().catch(() => {});
  }
}
