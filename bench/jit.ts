import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';
import { type Server, startPostgres } from '../test/support/postgres.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { AT_MOST, number, readOptions, type ValuesOf } from './options.js';
import { summarize, table } from './statistics.js';

export const usage = `jit: what a DELETE of many keys takes on a server that compiles what it deems expensive (JIT)

  --keys N            keys of a tree of tables, of which the DELETE matches nothing (472)
  --rows N            rows of each of its tables, which have no index on the key (2000)
  --large N           rows of a child without an index, beside 60 small ones of the same parent (300000)
  --rounds N          rounds, each with every way once (5)
  --at-most RATIO     exit 1 when a median of pgcascade / compiled is above

  POSTGRES_BIN        the folder of its programs (by default the newest /usr/lib/postgresql/*/bin)`;

const OPTIONS = {
  keys: number(472, 1),
  rows: number(2000, 2),
  large: number(300_000, 1),
  rounds: number(5, 1),
  'at-most': AT_MOST,
};

/** A tenth of the defaults: what tables ten times as large would cost. */
const COSTS = { jit_above_cost: '10000', jit_inline_above_cost: '50000', jit_optimize_above_cost: '50000' };

interface Case {
  readonly name: string;
  readonly keys: readonly Key[];
  /** How many rows a table has. */
  readonly rows: (table: number) => number;
  /** What is deleted. */
  readonly id: number;
}

/** `t3.ref` references `t1.id`. */
interface Key {
  readonly from: number;
  readonly to: number;
  readonly indexed: boolean;
}

/** Runs the rounds and prints medians. Gives false when a ratio is above the one asked for. */
export async function jit(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const folder = binaries();
  const server = await startPostgres({
    binaries: { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') },
    config: { max_locks_per_transaction: '2048', ...COSTS },
  });
  try {
    const lines = [['ms', ...WAYS, 'pgcascade / compiled']];
    const ratios: number[] = [];
    const admin = new pg.Client({ connectionString: server.url('postgres') });
    await admin.connect();
    const { rows } = await admin.query('SELECT pg_jit_available() AS jit, version()');
    await admin.end();
    if (!rows[0].jit)
      throw new Error(`the server in ${folder} has no JIT: on Debian it is in the package postgresql`);
    for (const each of casesOf(options)) {
      const times = await run(server, each, options.rounds);
      const medians = WAYS.map((way) => summarize(times[way]).median);
      const ratio = summarize(times.pgcascade.map((ms, i) => ms / (times.compiled[i] ?? Number.NaN))).median;
      ratios.push(ratio);
      lines.push([each.name, ...medians.map((ms) => ms.toFixed(1)), ratio.toFixed(2)]);
    }
    const costs = Object.entries(COSTS).map(([name, cost]) => `${name} ${cost}`);
    console.log(`${options.rounds} rounds; ${costs.join(', ')}\n${rows[0].version}\n${table(lines)}`);
    return Math.max(...ratios) <= options['at-most'];
  } finally {
    await server.stop('immediate');
  }
}

/**
 * `native`: the server's own cascade. `pgcascade`: through the proxy. `expanded`: the statement that it sends, straight to
 * the server, with JIT off; `compiled`: the same with JIT on.
 */
const WAYS = ['native', 'pgcascade', 'expanded', 'compiled'] as const;
type Way = (typeof WAYS)[number];

function casesOf({ keys, rows, large }: ValuesOf<typeof OPTIONS>): readonly Case[] {
  const tree = Array.from({ length: keys }, (_, i) => ({
    from: i + 1,
    to: Math.floor(i / 8),
    indexed: false,
  }));
  const star = Array.from({ length: 61 }, (_, i) => ({ from: i + 1, to: 0, indexed: i > 0 }));
  return [
    { name: `${keys} keys, nothing to delete`, keys: tree, rows: () => rows, id: -1 },
    {
      name: `61 keys, ${large} rows without an index`,
      keys: star,
      rows: (table) => (table === 1 ? large : table === 0 ? 2 : 0),
      id: 1,
    },
  ];
}

async function run(server: Server, each: Case, rounds: number): Promise<Readonly<Record<Way, number[]>>> {
  const [native, emulated] = [await createDatabaseOn(server), await createDatabaseOn(server)];
  const relations = each.keys.map(({ from, to }) => ({
    name: `k${from}`,
    from: `public.t${from}(ref)`,
    to: `public.t${to}(id)`,
    on_delete: 'cascade' as const,
  }));
  const config = configSchema.parse({
    listen: '127.0.0.1:0',
    upstream: `postgres://${server.host}:${server.port}`,
    admin: null,
    cascade: { relations },
  });
  const log = createLogger(
    { level: 'error', format: 'json' },
    { write: (line) => process.stderr.write(line) },
  );
  const app = await startApp(config, log);
  const url = `postgres://${server.user}@${app.addresses[0]}/${emulated.name}`;
  const proxied = new pg.Client({ connectionString: url });
  try {
    const [owner, direct] = [await native.connect(), await emulated.connect()];
    for (const sql of schemaOf(each, true)) await owner.query(sql);
    for (const sql of schemaOf(each, false)) await direct.query(sql);
    await proxied.connect();
    // What is sent for it stands among the prepared statements.
    await proxied.query(`PREPARE d AS DELETE FROM t0 WHERE id = ${each.id}`);
    const { rows } = await proxied.query('SELECT statement FROM pg_prepared_statements');
    const expanded = String(rows[0]?.statement).replace(/^PREPARE d AS/, '');
    const statement = `DELETE FROM t0 WHERE id = ${each.id}`;
    const ways: Readonly<Record<Way, [pg.Client, string, string]>> = {
      native: [owner, 'SET jit = on', statement],
      pgcascade: [proxied, 'SET jit = on', statement],
      expanded: [direct, 'SET jit = off', expanded],
      compiled: [direct, 'SET jit = on', expanded],
    };
    const times: Record<Way, number[]> = { native: [], pgcascade: [], expanded: [], compiled: [] };
    for (let round = -1; round < rounds; round++)
      for (const way of WAYS) {
        const [client, set, sql] = ways[way];
        await client.query(`BEGIN; ${set}`);
        const start = performance.now();
        await client.query(sql);
        if (round >= 0) times[way].push(performance.now() - start);
        await client.query('ROLLBACK');
      }
    return times;
  } finally {
    await proxied.end();
    await app.drain();
    await Promise.all([native.drop(), emulated.drop()]);
  }
}

function schemaOf({ keys, rows }: Case, enforced: boolean): readonly string[] {
  const tables = keys.flatMap(({ from, to, indexed }) => [
    `CREATE TABLE t${from} (id int PRIMARY KEY, ref int${enforced ? ` REFERENCES t${to} ON DELETE CASCADE` : ''})`,
    ...(indexed ? [`CREATE INDEX ON t${from} (ref)`] : []),
  ]);
  const filled = [{ from: 0 }, ...keys].flatMap(({ from }) => {
    const columns = from === 0 ? 'i' : 'i, 2';
    const insert = `INSERT INTO t${from} SELECT ${columns} FROM generate_series(1, ${rows(from)}) AS i`;
    return rows(from) > 0 ? [insert] : [];
  });
  return ['CREATE TABLE t0 (id int PRIMARY KEY)', ...tables, ...filled, 'ANALYZE'];
}

const DEBIAN = '/usr/lib/postgresql';

/** @throws an Error that says what is missing */
function binaries(): string {
  const given = process.env.POSTGRES_BIN;
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = given ? [given] : versions.map((version) => join(DEBIAN, version, 'bin'));
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')));
  if (found !== undefined) return found;
  const place = given ?? `${DEBIAN}/*/bin`;
  throw new Error(`${place} has no initdb: set POSTGRES_BIN to the programs of a PostgreSQL with JIT`);
}
