import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import pg from 'pg';
import { databaseUrl } from '../test/support/postgres.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { number, readOptions, UPSTREAM } from './options.js';
import { startPgcascade } from './relays.js';
import { table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `pages: a large cascade in batches, against enforced keys: time, the proxy's memory, and how long another session waits meanwhile

  --rows N            rows that go (1000000)
  --batch-rows N      rows of a batch (2500)
  --rounds N          how often each is done (3)
  --upstream URL      a PostgreSQL 18 reached without TLS; databases are made on it (by default: one of its own)`;

const OPTIONS = {
  rows: number(1_000_000, 1000),
  'batch-rows': number(2500, 1),
  rounds: number(3, 1),
  upstream: UPSTREAM,
};

/** Users of one row in a hundred, posts of all others; the rows of org 2 stay. */
const schema = (enforced: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE ${enforced});
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced}, note text);
  CREATE INDEX ON users (org); CREATE INDEX ON posts (author)`;

const fill = (rows: number) => {
  const users = Math.ceil(rows / 100);
  return `TRUNCATE orgs, users, posts; INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (0, 2);
    INSERT INTO users SELECT i, 1 FROM generate_series(1, ${users}) AS i;
    INSERT INTO posts VALUES (0, 0, '');
    INSERT INTO posts SELECT i, 1 + i % ${users} FROM generate_series(1, ${rows - users - 1}) AS i; ANALYZE orgs, users, posts`;
};

/** What was seen of one cascade; milliseconds. */
interface Seen {
  readonly took: number;
  readonly longestBatch: number;
  readonly longestWait: number;
  readonly memory: { readonly before: number; readonly most: number } | undefined;
}

/** Runs each way, one after the other in rounds, and prints what was seen. */
export async function pages(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const stops: (() => Promise<unknown>)[] = [() => upstream.close()];
  try {
    const { server } = upstream;
    const proxy = await startPgcascade(upstream.url, { cascade: { batch_rows: options['batch-rows'] } });
    stops.unshift(() => proxy.stop());
    const [native, emulated] = [await createDatabaseOn(server), await createDatabaseOn(server)];
    stops.unshift(
      () => native.drop(),
      () => emulated.drop(),
    );
    const ways = [
      { name: 'enforced', database: native, enforced: '', port: server.port, pid: undefined },
      { name: 'in batches', database: emulated, enforced: 'NOT ENFORCED', port: proxy.port, pid: proxy.pid },
    ];
    for (const { database, enforced } of ways) await (await database.connect()).query(schema(enforced));
    console.log(
      `PostgreSQL ${upstream.version}, Node ${process.version}, ${availableParallelism()} cores; ` +
        `${options.rows.toLocaleString('en')} rows, batches of ${options['batch-rows'].toLocaleString('en')}; ms`,
    );
    const lines = [['', 'took', '/ enforced', 'longest batch', 'longest wait', 'MiB before', 'MiB at most']];
    for (let round = 0; round < options.rounds; round++) {
      let enforced = Number.NaN;
      for (const { name, database, port, pid } of ways) {
        const direct = await database.connect();
        await direct.query(fill(options.rows));
        const seen = await cascade(databaseUrl({ ...server, port }, database.name), direct, pid);
        if (pid === undefined) enforced = seen.took;
        const mib = (bytes: number | undefined) => (bytes === undefined ? '' : (bytes / 2 ** 20).toFixed(0));
        lines.push([
          name,
          seen.took.toFixed(0),
          (seen.took / enforced).toFixed(2),
          pid === undefined ? '' : seen.longestBatch.toFixed(0),
          seen.longestWait.toFixed(0),
          mib(seen.memory?.before),
          mib(seen.memory?.most),
        ]);
        await direct.end();
      }
    }
    console.log(table(lines));
    return true;
  } finally {
    for (const stop of stops) await stop();
  }
}

/**
 * The cascade, while another session changes one after the other rows of the same tables: those that go, and one that stays.
 * @param direct a connection straight to the database
 * @param pid the proxy's process
 */
async function cascade(url: string, direct: pg.Client, pid: number | undefined): Promise<Seen> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const before = pid === undefined ? undefined : residentBytes(pid);
    let [most, longestBatch, longestWait, isOver] = [0, 0, 0, false];
    const begin = performance.now();
    let batchBegan = begin;
    client.on('notice', () => {
      const now = performance.now();
      longestBatch = Math.max(longestBatch, now - batchBegan);
      batchBegan = now;
      if (pid !== undefined) most = Math.max(most, residentBytes(pid));
    });
    const deleted = client.query('DELETE FROM orgs WHERE id = 1').finally(() => {
      isOver = true;
    });
    for (let i = 0; !isOver; i++) {
      const asked = performance.now();
      // Every other one is of a row that goes, and that a batch may have locked.
      await direct.query('UPDATE posts SET note = $1 WHERE id = $2', [
        `${i}`,
        i % 2 === 0 ? 0 : (i * 7919) % 1_000_000,
      ]);
      longestWait = Math.max(longestWait, performance.now() - asked);
    }
    await deleted;
    const took = performance.now() - begin;
    return { took, longestBatch, longestWait, memory: before === undefined ? undefined : { before, most } };
  } finally {
    await client.end();
  }
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1024;
}
