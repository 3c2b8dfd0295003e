import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../test/support/postgres.js';
import { type DumpPrograms, findDumpPrograms } from './dump-programs.js';
import { AT_MOST, number, readOptions, type ValuesOf } from './options.js';
import { type Relay, startBareRelay, startPgcascade } from './relays.js';
import { summarize, table } from './statistics.js';

export const usage = `programs: what programs and applications pay that hardly delete, against a relay that only pipes; needs a
          server with pg_dump and pg_restore of its version (Debian: postgresql-15 or later)

  --tables N          tables of the database (600)
  --keys N            foreign keys among them (900)
  --turns N           transactions of each loop (200)
  --rounds N          rounds, each with both ways, in turn the one and the other first (5)
  --at-most RATIO     exit 1 when the median of pgcascade / bare is above, of any of them`;

const OPTIONS = {
  tables: number(600, 3),
  keys: number(900, 0),
  turns: number(200, 1),
  rounds: number(5, 1),
  'at-most': AT_MOST,
};

type Options = ValuesOf<typeof OPTIONS>;

/** What is measured: it is given a port, and the number of its run. */
interface Work {
  readonly name: string;
  run(port: number, number: number): Promise<void>;
}

const USER = 'postgres';
/** How often each way goes before the rounds that count. */
const WARMING = 4;
const LOOPS: Readonly<Record<string, readonly string[]>> = {
  TRUNCATE: ['TRUNCATE t1'],
  'a temporary table and a DELETE': [
    'BEGIN',
    'CREATE TEMP TABLE scratch (id int PRIMARY KEY, name text) ON COMMIT DROP',
    'INSERT INTO scratch VALUES (1)',
    'DELETE FROM t2 WHERE id = -1',
    'COMMIT',
  ],
  'a request: set_config, SELECT, DELETE': [
    'BEGIN',
    `SELECT set_config('request.jwt.claims', '{"role": "reader"}', true)`,
    'SELECT * FROM t2 WHERE id = 1',
    'DELETE FROM t2 WHERE id = -1',
    'COMMIT',
  ],
};

/** Runs the rounds, prints seconds and ratios. Gives false when a ratio is above the one asked for. */
export async function programs(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const found = findDumpPrograms();
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-dump-'));
  const server = await startPostgres({ binaries: found });
  const stops: (() => Promise<void>)[] = [() => server.stop('immediate')];
  try {
    const url = new URL(server.url('dumped'));
    await query(server.url('postgres'), ['CREATE DATABASE dumped']);
    await query(url.href, schemaOf(options));
    const bare = await startBareRelay(url);
    stops.unshift(bare.stop);
    const subject = await startPgcascade(url);
    stops.unshift(subject.stop);
    const works = [...dumpAndRestore(found, join(folder, 'dump'), server.url('postgres')), ...loops(options)];
    const ratios: number[] = [];
    const rows = [['', 'bare, s', 'pgcascade, s', 'ratio', 'min', 'max']];
    for (const work of works) {
      const { seconds, ratio } = await compare(work, bare, subject, options.rounds);
      ratios.push(ratio.median);
      rows.push([
        work.name,
        ...[seconds.bare, seconds.subject].map((each) => each.toFixed(3)),
        ...[ratio.median, ratio.min, ratio.max].map((each) => each.toFixed(2)),
      ]);
    }
    console.log(`${options.tables} tables, ${options.keys} keys, ${options.turns} transactions a loop`);
    console.log(table(rows));
    return ratios.every((ratio) => ratio <= options['at-most']);
  } finally {
    for (const stop of stops) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(work: Work, bare: Relay, subject: Relay, rounds: number) {
  const pairs: { readonly bare: number; readonly subject: number }[] = [];
  let number = 0;
  const time = async (port: number) => {
    const start = performance.now();
    await work.run(port, number++);
    return (performance.now() - start) / 1000;
  };
  // The first are for the caches of all, and for V8, which compiles what a program that runs for days has long compiled.
  for (let turn = 0; turn < WARMING; turn++) for (const port of [bare.port, subject.port]) await time(port);
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0;
    const [one, other] = first ? [bare.port, subject.port] : [subject.port, bare.port];
    const [a, b] = [await time(one), await time(other)];
    pairs.push(first ? { bare: a, subject: b } : { bare: b, subject: a });
  }
  const median = (way: 'bare' | 'subject') => summarize(pairs.map((pair) => pair[way])).median;
  return {
    seconds: { bare: median('bare'), subject: median('subject') },
    ratio: summarize(pairs.map((pair) => pair.subject / pair.bare)),
  };
}

function dumpAndRestore({ pgDump, pgRestore }: DumpPrograms, file: string, server: string): readonly Work[] {
  const run = (program: string, port: number, flags: readonly string[]) =>
    promisify(execFile)(program, ['--host=127.0.0.1', `--port=${port}`, `--username=${USER}`, ...flags], {
      env: { ...process.env, PGSSLMODE: 'disable' },
    });
  return [
    {
      name: 'pg_dump',
      run: async (port) => void (await run(pgDump, port, ['--format=custom', `--file=${file}`, 'dumped'])),
    },
    {
      name: 'pg_restore -j 3',
      run: async (port, number) => {
        await query(server, [`CREATE DATABASE restored_${number}`]);
        await run(pgRestore, port, ['--jobs=3', `--dbname=restored_${number}`, file]);
      },
    },
  ];
}

function loops({ turns }: Options): readonly Work[] {
  return Object.entries(LOOPS).map(([name, statements]) => ({
    name,
    run: (port) => query(`postgres://${USER}@127.0.0.1:${port}/dumped`, Array(turns).fill(statements).flat()),
  }));
}

async function query(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  for (const sql of statements) await client.query(sql);
  await client.end();
}

function schemaOf({ tables, keys }: Options): readonly string[] {
  const loop = (count: number, format: string, values: string) => `DO $$ BEGIN
    FOR i IN 0 .. ${count - 1} LOOP EXECUTE format('${format}', ${values}); END LOOP; END $$`;
  return [
    loop(tables, 'CREATE TABLE t%s (id int PRIMARY KEY, p0 int, p1 int, p2 int, p3 int, name text)', 'i'),
    loop(tables, 'INSERT INTO t%s (id) SELECT generate_series(1, 20)', 'i'),
    loop(
      keys,
      'ALTER TABLE t%s ADD FOREIGN KEY (p%s) REFERENCES t%s',
      // t1 is referenced by none, so that it can be truncated.
      `i % ${tables}, (i / ${tables}) % 4, 2 + (i * 7) % ${Math.max(tables - 2, 1)}`,
    ),
    'VACUUM ANALYZE',
  ];
}
