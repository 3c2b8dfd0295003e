import { availableParallelism } from 'node:os';
import pg from 'pg';
import { databaseUrl } from '../test/support/postgres.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { number, readOptions, UPSTREAM } from './options.js';
import { type Cost, costs } from './race-costs.js';
import { startPgcascade } from './relays.js';
import { summarize, table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `race: orphans where children are written while their parents are deleted, and what locks cost a DELETE

  --seconds N         how long writers and deleters run in each way; 0 leaves the race out (12)
  --writers N         connections that write children (4)
  --deleters N        connections that delete their parents (2)
  --rounds N          rounds of DELETEs alone, each with every way once; 0 leaves them out (9)
  --upstream URL      a PostgreSQL 18 reached without TLS; databases are made on it (by default: one of its own)`;

const OPTIONS = {
  seconds: number(12, 0),
  writers: number(4, 1),
  deleters: number(2, 1),
  rounds: number(9, 0),
  upstream: UPSTREAM,
};

/**
 * How children are written: as they come, for a parent that the same statement finds, or when their parent is locked by the
 * writer itself.
 */
type Writing = 'plain' | 'finding' | 'locking';

/** The configuration of a proxy; undefined is straight to the server, which enforces the keys. */
export interface Way {
  readonly name: string;
  readonly cascade: Readonly<Record<string, unknown>> | undefined;
}

const WAYS: readonly Way[] = [
  { name: 'enforced', cascade: undefined },
  { name: 'locks: none', cascade: { locks: 'none' } },
  { name: 'locks: rows', cascade: { locks: 'rows' } },
];
/** Those of the race alone. With `guard: lock` a parent that was gone before is none that a child has to have. */
const GUARDED: readonly Way[] = [
  { name: 'locks: rows, guard: lock', cascade: { locks: 'rows', guard: 'lock' } },
  { name: 'locks: rows, guard: check', cascade: { locks: 'rows', guard: 'check' } },
];
const RACES: Readonly<Record<Writing, readonly Way[]>> = {
  plain: [...WAYS, ...GUARDED],
  finding: [...WAYS, ...GUARDED],
  locking: WAYS,
};

const schema = (enforced: string) => `
  CREATE TABLE parents (id int PRIMARY KEY);
  CREATE TABLE children (id serial PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE ${enforced});
  CREATE TABLE grandchildren (id serial PRIMARY KEY, child int REFERENCES children ON DELETE CASCADE ${enforced});
  CREATE INDEX ON children (parent); CREATE INDEX ON grandchildren (child);
  INSERT INTO parents SELECT generate_series(1, 20)`;

const ORPHANS = `SELECT (SELECT count(*) FROM children AS c WHERE NOT EXISTS (SELECT FROM parents AS p WHERE p.id = c.parent))
  + (SELECT count(*) FROM grandchildren AS g WHERE NOT EXISTS (SELECT FROM children AS c WHERE c.id = g.child)) AS orphans`;

interface Counts {
  inserts: number;
  deletes: number;
  refused: number;
}

/** Runs every way, and prints what was written, deleted and left behind. */
export async function race(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const stops: (() => Promise<unknown>)[] = [() => upstream.close()];
  try {
    const { server } = upstream;
    const ports = new Map<Way, number>([[WAYS[0] as Way, server.port]]);
    for (const way of [...WAYS, ...GUARDED].filter(({ cascade }) => cascade)) {
      const proxy = await startPgcascade(upstream.url, { cascade: way.cascade });
      stops.unshift(() => proxy.stop());
      ports.set(way, proxy.port);
    }
    const at = (way: Way, database: string) =>
      databaseUrl({ ...server, port: ports.get(way) ?? server.port }, database);
    const made = async (way: Way, ddl: (enforced: string) => string) => {
      const database = await createDatabaseOn(server);
      stops.unshift(() => database.drop());
      const client = await database.connect();
      await client.query(ddl(way.cascade ? 'NOT ENFORCED' : ''));
      return { client, url: at(way, database.name) };
    };
    console.log(
      `PostgreSQL ${upstream.version}, Node ${process.version}, ${availableParallelism()} cores; ` +
        `${options.writers} writers, ${options.deleters} deleters, ${options.seconds} s each`,
    );
    if (options.seconds > 0) {
      const lines = [['', 'writers', 'inserts', 'refused', 'deletes', 'orphans']];
      for (const writing of Object.keys(RACES) as Writing[])
        for (const way of RACES[writing]) {
          const { client, url } = await made(way, schema);
          const { inserts, refused, deletes } = await run(url, writing, options);
          const { rows } = await client.query(ORPHANS);
          const numbers = [inserts, refused, deletes, Number(rows[0].orphans)];
          lines.push([way.name, writing, ...numbers.map((number) => number.toLocaleString('en'))]);
        }
      console.log(table(lines));
    }
    if (options.rounds > 0) {
      const measured = await costs(WAYS, made, options.rounds);
      console.log(
        `\n${options.rounds} rounds; ms, and the middle of the ratios to enforced\n${costTable(measured)}`,
      );
    }
    return true;
  } finally {
    for (const stop of stops) await stop();
  }
}

function costTable(measured: readonly Cost[]): string {
  const median = (values: readonly number[]) => summarize(values).median.toFixed(2);
  return table([
    ['DELETE of', ...WAYS.flatMap(({ name }) => [name, '/ enforced'])],
    ...measured.map(({ name, times }) => [
      name,
      ...WAYS.flatMap((_, i) => [
        median(times.map((each) => each[i] ?? 0)),
        median(times.map((each) => (each[i] ?? 0) / (each[0] ?? 1))),
      ]),
    ]),
  ]);
}

/** Lets writers and deleters at the same few parents: the oldest is deleted, and a new one made. */
async function run(
  url: string,
  writing: Writing,
  {
    seconds,
    writers,
    deleters,
  }: { readonly seconds: number; readonly writers: number; readonly deleters: number },
): Promise<Counts> {
  const counts: Counts = { inserts: 0, deletes: 0, refused: 0 };
  const end = performance.now() + seconds * 1000;
  let oldest = 1;
  const work = async (step: (client: pg.Client) => Promise<void>) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      while (performance.now() < end) await step(client);
    } finally {
      await client.end();
    }
  };
  const write = async (client: pg.Client) => {
    const parent = oldest + Math.floor(Math.random() * 4);
    const isDone = await WRITE[writing](client, parent).catch(refusedOr);
    if (isDone) counts.inserts++;
    else counts.refused++;
  };
  const deleteOldest = async (client: pg.Client) => {
    const parent = oldest++;
    await client.query('DELETE FROM parents WHERE id = $1', [parent]);
    await client.query('INSERT INTO parents VALUES ($1)', [parent + 20]);
    counts.deletes++;
  };
  await Promise.all([
    ...Array.from({ length: writers }, () => work(write)),
    ...Array.from({ length: deleters }, () => work(deleteOldest)),
  ]);
  return counts;
}

/** @returns whether a row was written */
const WRITE: Readonly<Record<Writing, (client: pg.Client, parent: number) => Promise<boolean>>> = {
  async plain(client, parent) {
    const sql =
      Math.random() < 0.5
        ? 'INSERT INTO children (parent) VALUES ($1)'
        : 'INSERT INTO grandchildren (child) SELECT id FROM children WHERE parent = $1 LIMIT 1';
    return (await client.query(sql, [parent])).rowCount === 1;
  },
  async finding(client, parent) {
    const sql =
      Math.random() < 0.5
        ? 'INSERT INTO children (parent) SELECT id FROM parents WHERE id = $1'
        : 'INSERT INTO grandchildren (child) SELECT id FROM children WHERE parent = $1 LIMIT 1';
    return (await client.query(sql, [parent])).rowCount === 1;
  },
  async locking(client, parent) {
    const [lock, insert] =
      Math.random() < 0.5
        ? ['SELECT id FROM parents WHERE id = $1 FOR KEY SHARE', 'INSERT INTO children (parent) VALUES ($1)']
        : [
            'SELECT id FROM children WHERE parent = $1 LIMIT 1 FOR KEY SHARE',
            'INSERT INTO grandchildren (child) VALUES ($1)',
          ];
    await client.query('BEGIN');
    try {
      const { rows } = await client.query(lock, [parent]);
      if (rows.length > 0) await client.query(insert, [rows[0].id]);
      return rows.length > 0;
    } finally {
      await client.query('COMMIT');
    }
  },
};

/** foreign_key_violation is how the server refuses a child whose parent is gone. @throws any other error */
function refusedOr(error: unknown): false {
  if (error instanceof pg.DatabaseError && error.code === '23503') return false;
  throw error;
}
