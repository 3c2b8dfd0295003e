import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../test/support/postgres.js';
import { AT_MOST, number, readOptions } from './options.js';
import { table } from './statistics.js';

export const usage = `loop: how long long texts and large plans keep the event loop, and with it all other clients

  --tables N          tables that the largest DELETE reaches (3000)
  --at-most MS        exit 1 when the loop did nothing else for longer, on the processor`;

const OPTIONS = { tables: number(3000, 1), 'at-most': AT_MOST };

/** What one case took, in milliseconds. */
interface Measured {
  readonly name: string;
  readonly total: number;
  /** The longest time in which the proxy's event loop did nothing else; and how much of such a time it had a processor. */
  readonly blocked: Block;
  /** The longest that another client waited for the answer to a SELECT. */
  readonly pinged: number;
}

interface Block {
  readonly clock: number;
  /** NaN where the system does not say. */
  readonly processor: number;
}

interface Case {
  readonly name: string;
  readonly sql: string;
}

/** Sends each text, with another client asking all the while. Gives false when the loop stood still for too long. */
export async function loop(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const server = await startPostgres({ config: { max_locks_per_transaction: '2048' } });
  const upstream = `postgres://${server.host}:${server.port}`;
  const program = fileURLToPath(new URL('loop-proxy.js', import.meta.url));
  const proxy = fork(program, [upstream], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    const [address] = await once(proxy, 'message');
    const connectionString = `postgres://postgres@${address}/postgres`;
    const owner = new pg.Client({ connectionString: server.url('postgres') });
    await owner.connect();
    for (const sql of schemaOf(options.tables)) await owner.query(sql);
    await owner.end();
    const [client, other] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
    await Promise.all([client.connect(), other.connect()]);
    await client.query('DELETE FROM few WHERE id = 0');
    const measured: Measured[] = [];
    for (const each of casesOf(options.tables)) measured.push(await measure(each, client, other, proxy));
    await Promise.all([client.end(), other.end()]);
    console.log(
      table([
        ['ms', 'total', 'longest block', 'on the processor', 'longest ping'],
        ...measured.map(({ name, total, blocked, pinged }) => [
          name,
          ...[total, blocked.clock, blocked.processor, pinged].map((ms) => ms.toFixed(0)),
        ]),
      ]),
    );
    return measured.every(({ blocked }) => !(blocked.processor > options['at-most']));
  } finally {
    proxy.kill('SIGKILL');
    await server.stop('immediate');
  }
}

async function measure(
  { name, sql }: Case,
  client: pg.Client,
  other: pg.Client,
  proxy: ChildProcess,
): Promise<Measured> {
  await blockedSince(proxy);
  let done = false;
  let pinged = 0;
  const pinging = (async () => {
    while (!done) {
      const start = performance.now();
      await other.query('SELECT 1');
      pinged = Math.max(pinged, performance.now() - start);
    }
  })();
  const start = performance.now();
  const failed = await client.query(sql).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const total = performance.now() - start;
  done = true;
  await pinging;
  const blocked = await blockedSince(proxy);
  return { name: failed === undefined ? name : `${name} (${failed.slice(0, 60)})`, total, blocked, pinged };
}

async function blockedSince(proxy: ChildProcess): Promise<Block> {
  proxy.send('blocked');
  const [blocked] = await once(proxy, 'message');
  return blocked;
}

function casesOf(tables: number): readonly Case[] {
  const constants = (count: number) => Array.from({ length: count }, (_, i) => i + 1000).join(', ');
  const deletes = (count: number) =>
    Array.from({ length: count }, (_, i) => `DELETE FROM few WHERE id = ${i + 1000}`).join('; ');
  return [
    { name: 'IN with 10,000 constants', sql: `DELETE FROM few WHERE id IN (${constants(10_000)})` },
    { name: 'IN with 100,000 constants', sql: `DELETE FROM few WHERE id IN (${constants(100_000)})` },
    {
      name: 'a literal of 10 MB',
      sql: `DELETE FROM few WHERE name = '${'0123456789'.repeat(1_000_000)}'`,
    },
    {
      name: 'INSERT of a literal of 10 MB that speaks of delete',
      sql: `INSERT INTO few SELECT -1, left('${'delete it '.repeat(1_000_000)}', 4) WHERE false`,
    },
    { name: '1,000 DELETEs in a string', sql: deletes(1000) },
    { name: '10,000 DELETEs in a string', sql: deletes(10_000) },
    { name: '10,000 DELETEs after a SET', sql: `SET search_path = public; ${deletes(10_000)}` },
    { name: `DELETE that reaches ${tables} tables`, sql: 'DELETE FROM t0 WHERE id = -1' },
    { name: 'the same again', sql: 'DELETE FROM t0 WHERE id = -1' },
  ];
}

/** A table with one child; and a tree of tables, each with a key to its parent, and every second one with one more. */
function schemaOf(tables: number): readonly string[] {
  return [
    `CREATE TABLE few (id int PRIMARY KEY, name text);
     CREATE TABLE child (id int PRIMARY KEY, few int REFERENCES few ON DELETE CASCADE NOT ENFORCED)`,
    `DO $$ BEGIN FOR i IN 0 .. ${tables - 1} LOOP
       EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, p0 int, p1 int)', i);
       IF i > 0 THEN EXECUTE format(
         'ALTER TABLE t%s ADD FOREIGN KEY (p0) REFERENCES t%s ON DELETE CASCADE NOT ENFORCED', i, (i - 1) / 4); END IF;
       IF i > 1 AND i % 2 = 0 THEN EXECUTE format(
         'ALTER TABLE t%s ADD FOREIGN KEY (p1) REFERENCES t%s ON DELETE CASCADE NOT ENFORCED', i, i / 3); END IF;
     END LOOP; END $$`,
  ];
}
