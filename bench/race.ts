import { availableParallelism } from 'node:os';
import pg from 'pg';
import { databaseUrl } from '../test/support/postgres.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { number, readOptions, SWITCH, UPSTREAM } from './options.js';
import { type Cost, costs } from './race-costs.js';
import { startPgcascade } from './relays.js';
import { summarize, table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `race: orphans where children are written while their parents are deleted, and what locks cost a DELETE

  --seconds N         how long writers and deleters run in each way; 0 leaves the race out (12)
  --inserts N         they run until so many children are written, in place of that; 0 is by time (0)
  --rows N            children of a statement: VALUES, or of a SELECT (1)
  --guarded           only the ways with cascade.guard
  --writers N         connections that write children (4)
  --deleters N        connections that delete their parents (2)
  --rounds N          rounds of DELETEs alone, each with every way once; 0 leaves them out (9)
  --upstream URL      a PostgreSQL 18 reached without TLS; databases are made on it (by default: one of its own)`;

const OPTIONS = {
  seconds: number(12, 0),
  inserts: number(0, 0),
  rows: number(1, 1),
  guarded: SWITCH,
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
  { name: 'locks: tables', cascade: { locks: 'tables' } },
];
/** Those of the race alone. With `guard: lock` a parent that was gone before is none that a child has to have. */
const GUARDED: readonly Way[] = [
  { name: 'locks: rows, guard: lock', cascade: { locks: 'rows', guard: 'lock' } },
  { name: 'locks: rows, guard: check', cascade: { locks: 'rows', guard: 'check' } },
];
const RACES: Readonly<Record<Writing, readonly Way[]>> = {
  plain: [...WAYS, ...GUARDED],
  finding: [...WAYS, ...GUARDED],
  // Who locks a parent, and then waits for a table, makes a deadlock with one that has locked that.
  locking: WAYS.filter(({ cascade }) => cascade?.locks !== 'tables'),
};

/** Each child tells what its INSERT could see, and each parent that is gone who has deleted it. */
const schema = (enforced: string) => `
  CREATE TABLE parents (id int PRIMARY KEY);
  CREATE TABLE gone (parent int PRIMARY KEY, deleter xid8);
  CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO gone VALUES (OLD.id, pg_current_xact_id()); RETURN NULL; END $$;
  CREATE TRIGGER gone AFTER DELETE ON parents FOR EACH ROW EXECUTE FUNCTION gone();
  CREATE TABLE children (id serial PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE ${enforced},
    saw pg_snapshot DEFAULT pg_current_snapshot());
  CREATE TABLE grandchildren (id serial PRIMARY KEY, child int REFERENCES children ON DELETE CASCADE ${enforced});
  CREATE INDEX ON children (parent); CREATE INDEX ON grandchildren (child);
  INSERT INTO parents SELECT generate_series(1, 20)`;

/**
 * `raced`: those whose parent was there when their INSERT began. The others name a parent that was gone already, which is no race: where
 * nobody looks whether a key names something, such a child is written by day and night. A grandchild's INSERT has found its parent.
 */
const ORPHANS = `WITH c AS (SELECT count(*) AS orphans, count(*) FILTER (WHERE NOT pg_visible_in_snapshot(g.deleter, c.saw)) AS raced
    FROM children AS c JOIN gone AS g ON g.parent = c.parent),
  g AS (SELECT count(*) AS orphans FROM grandchildren AS g WHERE NOT EXISTS (SELECT FROM children AS c WHERE c.id = g.child))
  SELECT c.orphans + g.orphans AS orphans, c.raced + g.orphans AS raced FROM c, g`;

/** Who writes and deletes, and for how long. */
interface Effort {
  readonly seconds: number;
  readonly inserts: number;
  readonly rows: number;
  readonly writers: number;
  readonly deleters: number;
}

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
        `${options.writers} writers, ${options.deleters} deleters, ` +
        `${options.inserts > 0 ? `${options.inserts.toLocaleString('en')} inserts` : `${options.seconds} s`} each, ${options.rows} rows a statement`,
    );
    if (options.seconds > 0 || options.inserts > 0) {
      const lines = [['', 'writers', 'inserts', 'refused', 'deletes', 'orphans', 'raced']];
      for (const writing of Object.keys(RACES) as Writing[])
        for (const way of RACES[writing].filter((each) => !options.guarded || GUARDED.includes(each))) {
          const { client, url } = await made(way, schema);
          const { inserts, refused, deletes } = await run(url, writing, options);
          const { rows } = await client.query(ORPHANS);
          const numbers = [inserts, refused, deletes, Number(rows[0].orphans), Number(rows[0].raced)];
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
  { seconds, inserts, rows, writers, deleters }: Effort,
): Promise<Counts> {
  const counts: Counts = { inserts: 0, deletes: 0, refused: 0 };
  const end = performance.now() + seconds * 1000;
  const goesOn = () => (inserts > 0 ? counts.inserts < inserts : performance.now() < end);
  let oldest = 1;
  const work = async (step: (client: pg.Client) => Promise<void>) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      while (goesOn()) await step(client);
    } finally {
      await client.end();
    }
  };
  const write = async (client: pg.Client) => {
    const parent = oldest + Math.floor(Math.random() * 4);
    const written = await WRITE[writing](client, parent, rows).catch(refusedOr);
    counts.inserts += written;
    if (written === 0) counts.refused++;
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

type Write = (client: pg.Client, parent: number, rows: number) => Promise<number>;

/** @returns how many rows were written */
const WRITE: Readonly<Record<Writing, Write>> = {
  async plain(client, parent, rows) {
    return Math.random() < 0.5
      ? inserted(client, `INSERT INTO children (parent) VALUES ${Array(rows).fill('($1)').join(', ')}`, [
          parent,
        ])
      : inserted(client, GRANDCHILDREN, [parent, rows]);
  },
  async finding(client, parent, rows) {
    const children =
      'INSERT INTO children (parent) SELECT id FROM parents, generate_series(1, $2::int) WHERE id = $1';
    return inserted(client, Math.random() < 0.5 ? children : GRANDCHILDREN, [parent, rows]);
  },
  async locking(client, parent, rows) {
    const [lock, insert] =
      Math.random() < 0.5
        ? [
            'SELECT id FROM parents WHERE id = $1 FOR KEY SHARE',
            'INSERT INTO children (parent) SELECT $1 FROM generate_series(1, $2::int)',
          ]
        : [
            'SELECT id FROM children WHERE parent = $1 LIMIT 1 FOR KEY SHARE',
            'INSERT INTO grandchildren (child) SELECT $1 FROM generate_series(1, $2::int)',
          ];
    await client.query('BEGIN');
    try {
      const { rows: locked } = await client.query(lock, [parent]);
      return locked.length > 0 ? await inserted(client, insert, [locked[0].id, rows]) : 0;
    } finally {
      await client.query('COMMIT');
    }
  },
};

const GRANDCHILDREN = `INSERT INTO grandchildren (child)
  SELECT id FROM (SELECT id FROM children WHERE parent = $1 LIMIT 1) AS c, generate_series(1, $2::int)`;

async function inserted(client: pg.Client, text: string, values: readonly number[]): Promise<number> {
  return (await client.query(text, [...values])).rowCount ?? 0;
}

/** foreign_key_violation is how the server refuses a child whose parent is gone. @throws any other error */
function refusedOr(error: unknown): 0 {
  if (error instanceof pg.DatabaseError && error.code === '23503') return 0;
  throw error;
}
