import { availableParallelism } from 'node:os';
import pg from 'pg';
import { databaseUrl } from '../test/support/postgres.js';
import { processorTimeOf } from '../test/support/processor-time.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { AT_MOST, number, readOptions, UPSTREAM } from './options.js';
import { startPgcascade } from './relays.js';
import { summarize, table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `writes: what cascade.guard costs an INSERT or UPDATE, against the same without keys that are looked at,
and against enforced keys; among them UPDATEs of a referenced key, which its ON UPDATE CASCADE follows

  --rounds N          rounds, each with every way once, in turn (15)
  --upstream URL      a PostgreSQL 18 reached without TLS; databases are made on it (by default: one of its own)
  --at-most RATIO     exit 1 when the median of check / off, for an INSERT of one row, is above`;

const OPTIONS = { rounds: number(15, 1), upstream: UPSTREAM, 'at-most': AT_MOST };

/** `guard` undefined is straight to the server. */
interface Way {
  readonly name: string;
  readonly enforced: boolean;
  readonly guard: 'off' | 'lock' | 'check' | undefined;
  readonly locks?: 'tables';
}

const WAYS: readonly Way[] = [
  { name: 'bare', enforced: false, guard: undefined },
  { name: 'enforced', enforced: true, guard: undefined },
  { name: 'off', enforced: false, guard: 'off' },
  { name: 'lock', enforced: false, guard: 'lock' },
  { name: 'check', enforced: false, guard: 'check' },
  { name: 'check, locks: tables', enforced: false, guard: 'check', locks: 'tables' },
];

const schema = (enforced: string) => `
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced}, title text);
  CREATE INDEX ON posts (author);
  INSERT INTO users SELECT generate_series(0, 999);
  INSERT INTO posts SELECT -n, n % 1000, 'a title' FROM generate_series(1, 5000) AS n;
  CREATE TABLE teams (id int PRIMARY KEY, name text);
  CREATE TABLE members (id int PRIMARY KEY, team int REFERENCES teams ON UPDATE CASCADE ${enforced});
  CREATE INDEX ON members (team);
  INSERT INTO teams SELECT generate_series(1, 300), 'nobody';
  INSERT INTO teams SELECT generate_series(1001, 1100), 'ten';
  INSERT INTO teams SELECT generate_series(2001, 2005), 'a thousand';
  INSERT INTO members SELECT n, 1001 + n % 100 FROM generate_series(1, 1000) AS n;
  INSERT INTO members SELECT 1000 + n, 2001 + n % 5 FROM generate_series(1, 5000) AS n;`;

interface Work {
  readonly name: string;
  readonly text: string;
  values(i: number): readonly (string | number)[];
  /** How many in a round, all in one transaction. */
  readonly times: number;
}

const ROWS = 100;
const WORKS: readonly Work[] = [
  {
    name: 'INSERT of one row, prepared',
    text: 'INSERT INTO posts (id, author, title) VALUES ($1, $2, $3)',
    values: (i) => [i, i % 1000, 'a title'],
    times: 500,
  },
  {
    name: `INSERT of ${ROWS} rows, prepared`,
    text: `INSERT INTO posts (id, author, title) VALUES ${Array.from({ length: ROWS }, (_, i) => `($1::int + ${i}, ($2::int + ${i}) % 1000, $3)`).join(', ')}`,
    values: (i) => [i * ROWS, i % 1000, 'a title'],
    times: 20,
  },
  {
    name: 'UPDATE of a key, prepared',
    text: 'UPDATE posts SET author = $2 WHERE id = $1',
    values: (i) => [-1 - (i % 5000), (i + 500) % 1000],
    times: 300,
  },
  ...[
    { rows: 0, first: 1, times: 300 },
    { rows: 10, first: 1001, times: 100 },
    { rows: 1000, first: 2001, times: 5 },
  ].map(
    // Each team is changed once in a round: a row changed again would have its older versions to be passed over.
    ({ rows, first, times }): Work => ({
      name: `UPDATE of a referenced key, ${rows} rows follow`,
      text: 'UPDATE teams SET id = $2 WHERE id = $1',
      values: (i) => [first + i, first + i + 10_000],
      times,
    }),
  ),
];

/** Of one statement, in microseconds: until it is answered, and the processor's time at the server and in the proxy. */
interface Taken {
  readonly time: number;
  readonly server: number;
  readonly proxy: number;
}

interface Place {
  readonly client: pg.Client;
  readonly server: number;
  readonly proxy: number | undefined;
}

/** Runs the rounds, prints medians and ratios. Gives false when the ratio is above the one asked for. */
export async function writes(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const stops: (() => Promise<unknown>)[] = [() => upstream.close()];
  try {
    const { server } = upstream;
    const places: Place[] = [];
    for (const { guard, enforced, locks } of WAYS) {
      const database = await createDatabaseOn(server);
      stops.unshift(() => database.drop());
      const control = await database.connect();
      await control.query(schema(enforced ? '' : 'NOT ENFORCED'));
      await control.query('VACUUM ANALYZE');
      const proxy =
        guard && (await startPgcascade(upstream.url, { cascade: { guard, ...(locks ? { locks } : {}) } }));
      if (proxy) stops.unshift(() => proxy.stop());
      const port = proxy?.port ?? server.port;
      const client = new pg.Client({ connectionString: databaseUrl({ ...server, port }, database.name) });
      await client.connect();
      stops.unshift(() => client.end());
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      places.push({ client, server: rows[0].pid, proxy: proxy?.pid });
    }
    console.log(
      `PostgreSQL ${upstream.version}, Node ${process.version}, ${availableParallelism()} cores; ${options.rounds} rounds; ` +
        'microseconds a statement, the processor’s at the server and in the proxy, and the middle of the ratios\n',
    );
    let reached = 0;
    for (const work of WORKS) {
      const rounds = await run(places, work, options.rounds);
      console.log(`${tableOf(work, rounds)}\n`);
      if (work === WORKS[0]) reached = ratio(rounds, CHECK, OFF);
    }
    return reached <= options['at-most'];
  } finally {
    for (const stop of stops) await stop();
  }
}

const [BARE, ENFORCED, OFF, CHECK] = [0, 1, 2, 4];

async function run(
  places: readonly Place[],
  work: Work,
  rounds: number,
): Promise<readonly (readonly Taken[])[]> {
  const all: Taken[][] = [];
  for (let round = -1; round < rounds; round++) {
    const taken: Taken[] = [];
    for (let step = 0; step < places.length; step++) {
      const at = (round + 1 + step) % places.length;
      const place = places[at];
      if (place) taken[at] = await measured(place, work);
    }
    if (round >= 0) all.push(taken);
  }
  return all;
}

async function measured(
  { client, server, proxy }: Place,
  { name, text, values, times }: Work,
): Promise<Taken> {
  await client.query('BEGIN');
  const spent = () =>
    [server, proxy].map((pid) => (pid === undefined ? 0 : processorTimeOf(pid).worked * 1000));
  const [serverBefore = 0, proxyBefore = 0] = spent();
  const begin = performance.now();
  for (let i = 0; i < times; i++) await client.query({ name, text, values: [...values(i)] });
  const time = ((performance.now() - begin) * 1000) / times;
  const [serverAfter = 0, proxyAfter = 0] = spent();
  await client.query('ROLLBACK');
  return { time, server: (serverAfter - serverBefore) / times, proxy: (proxyAfter - proxyBefore) / times };
}

function ratio(rounds: readonly (readonly Taken[])[], one: number, other: number): number {
  return summarize(rounds.map((each) => (each[one]?.time ?? 0) / (each[other]?.time ?? 1))).median;
}

function tableOf({ name }: Work, rounds: readonly (readonly Taken[])[]): string {
  const median = (at: number, what: keyof Taken) =>
    summarize(rounds.map((each) => each[at]?.[what] ?? 0)).median.toFixed(0);
  return table([
    [name, 'time', 'server', 'proxy', '/ bare', '/ enforced', '/ off'],
    ...WAYS.map((way, at) => [
      way.name,
      ...(['time', 'server', 'proxy'] as const).map((what) => median(at, what)),
      ratio(rounds, at, BARE).toFixed(2),
      ratio(rounds, at, ENFORCED).toFixed(2),
      way.guard ? ratio(rounds, at, OFF).toFixed(2) : '',
    ]),
  ]);
}
