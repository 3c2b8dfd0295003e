import { connect, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { write } from '../src/wire/frontend.js';
import { createDatabaseOn } from '../test/support/scratch-database.js';
import { AT_MOST, number, readOptions, UPSTREAM } from './options.js';
import { startBareRelay, startPgcascade } from './relays.js';
import { summarize, table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `series: what DELETEs that are sent in one go take through pgcascade, against those of enforced keys

  --executions N      DELETEs in a series (1000)
  --rounds N          rounds, each with every way once, in another order (5)
  --upstream URL      a PostgreSQL reached without TLS; databases are made on it (by default: one of its own)
  --at-most RATIO     exit 1 when a median of pgcascade / enforced is above`;

const OPTIONS = {
  executions: number(1000, 1),
  rounds: number(5, 1),
  upstream: UPSTREAM,
  'at-most': AT_MOST,
};

type Way = 'enforced' | 'relayed' | 'pgcascade';
type Times = Readonly<Record<Way, number>>;
const WAYS: readonly Way[] = ['enforced', 'relayed', 'pgcascade'];

const SQL = 'DELETE FROM orgs WHERE id = $1';
/** Of a series, by the ids: what drivers send. A ReadyForQuery ends the answer to each. */
const SERIES: Readonly<Record<string, (ids: readonly number[]) => Buffer>> = {
  'Parse, Bind, Execute each': (ids) =>
    pipeline(ids, (id) => [write.parse('', SQL), bind('', id), write.execute('')]),
  'Parse, Bind, Describe, Execute each': (ids) =>
    pipeline(ids, (id) => [write.parse('', SQL), bind('', id), write.describePortal(''), write.execute('')]),
  'Parse once, Bind, Execute each': (ids) =>
    Buffer.concat([write.parse('s', SQL), pipeline(ids, (id) => [bind('s', id), write.execute('')])]),
  // Another text each time, as its values would be.
  'a string': (ids) =>
    write.query(`${ids.map((id) => SQL.replace('$1', String(id))).join('; ')} -- ${performance.now()}`),
};

/** What the last key of the schema does: where it only cascades there is nothing to find out. */
const ACTIONS = ['CASCADE', 'RESTRICT'];

const schema = (action: string, enforced: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE ${enforced});
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced});
  CREATE TABLE badges (id int PRIMARY KEY, bearer int REFERENCES users ON DELETE ${action} ${enforced});
  CREATE INDEX ON users (org); CREATE INDEX ON posts (author); CREATE INDEX ON badges (bearer)`;

/** Two users each, with two posts each. */
const rows = (orgs: number) => [
  'TRUNCATE orgs, users, posts, badges',
  `INSERT INTO orgs SELECT generate_series(1, ${orgs})`,
  'INSERT INTO users SELECT 2 * id + j, id FROM orgs, generate_series(0, 1) AS j',
  'INSERT INTO posts SELECT 2 * id + j, id FROM users, generate_series(0, 1) AS j',
  'VACUUM ANALYZE orgs, users, posts, badges',
];

/** Runs the rounds, prints medians and ratios. Gives false when a ratio is above the one asked for. */
export async function series(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const stops: (() => Promise<void>)[] = [() => upstream.close()];
  const kept = <T extends { stop(): Promise<void> }>(started: T): T => {
    stops.unshift(started.stop);
    return started;
  };
  try {
    const { server } = upstream;
    const bare = kept(await startBareRelay(upstream.url));
    const subject = kept(await startPgcascade(upstream.url));
    const lines = [['ms', ...WAYS, 'pgcascade / enforced', 'pgcascade / relayed']];
    const ratios: number[] = [];
    for (const action of ACTIONS) {
      const made = async (enforced: string) => {
        const database = await createDatabaseOn(server);
        kept({ stop: () => database.drop() });
        const client = await database.connect();
        await client.query(schema(action, enforced));
        return { name: database.name, client };
      };
      const [native, emulated] = [await made(''), await made('NOT ENFORCED')];
      const places: Readonly<Record<Way, Place>> = {
        enforced: { ...native, ...server },
        relayed: { ...native, ...server, host: '127.0.0.1', port: bare.port },
        pgcascade: { ...emulated, ...server, host: '127.0.0.1', port: subject.port },
      };
      for (const [name, make] of Object.entries(SERIES)) {
        const times = await run(places, make, options);
        const ratio = median(times, (each) => each.pgcascade / each.enforced);
        ratios.push(ratio);
        lines.push([
          `${action}: ${name}`,
          ...WAYS.map((way) => median(times, (each) => each[way]).toFixed(0)),
          ratio.toFixed(2),
          median(times, (each) => each.pgcascade / each.relayed).toFixed(2),
        ]);
      }
    }
    const work = `${options.executions} cascading DELETEs in one go, ${options.rounds} rounds`;
    const machine = `PostgreSQL ${upstream.version}, Node ${process.version}, ${availableParallelism()} cores`;
    console.log(`${work}; ${machine}\n${table(lines)}`);
    return Math.max(...ratios) <= options['at-most'];
  } finally {
    for (const stop of stops) await stop();
  }
}

/** Where a series is sent to, and a connection straight to the database. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly name: string;
  readonly client: pg.Client;
}

/** Each round starts with another way, so that none always profits from what was before; the first ones warm up. */
async function run(
  places: Readonly<Record<Way, Place>>,
  make: (ids: readonly number[]) => Buffer,
  { rounds, executions }: { readonly rounds: number; readonly executions: number },
): Promise<readonly Times[]> {
  const ids = Array.from({ length: executions }, (_, i) => i + 1);
  const times: Times[] = [];
  for (let round = -WARMING; round < rounds; round++) {
    const time = { enforced: 0, relayed: 0, pgcascade: 0 };
    for (let step = 0; step < WAYS.length; step++) {
      const way = WAYS[(round + WARMING + step) % WAYS.length] ?? 'enforced';
      const { client } = places[way];
      for (const sql of rows(executions)) await client.query(sql);
      time[way] = await timed(places[way], make(ids));
      const { rows: left } = await client.query('TABLE orgs UNION ALL SELECT id FROM posts');
      if (left.length > 0) throw new Error(`${way} has left ${left.length} rows`);
    }
    if (round >= 0) times.push(time);
  }
  return times;
}

const WARMING = 3;

function median(times: readonly Times[], of: (each: Times) => number): number {
  return summarize(times.map(of)).median;
}

/** What a series takes on a connection that has deleted before, in milliseconds. */
async function timed({ host, port, user, name }: Place, bytes: Buffer): Promise<number> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await answered(socket, packet('', `\0\x03\0\0user\0${user}\0database\0${name}\0\0`));
    await answered(socket, write.query('DELETE FROM orgs WHERE id = 0'));
    const start = performance.now();
    await answered(socket, bytes);
    return performance.now() - start;
  } finally {
    socket.destroy();
  }
}

/** Sends, and reads until a ReadyForQuery outside of a transaction is the end of what came. */
function answered(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let end = Buffer.alloc(0);
    const over = (done: () => void) => {
      socket.off('data', heard).off('close', broken);
      done();
    };
    const heard = (chunk: Buffer) => {
      end = Buffer.concat([end, chunk]).subarray(-READY.length);
      if (end.equals(READY)) over(resolve);
    };
    const broken = () => over(() => reject(new Error('the connection ended')));
    socket.on('data', heard).on('close', broken).on('error', broken);
    socket.write(bytes);
  });
}

const READY = Buffer.from('Z\0\0\0\x05I');

function pipeline(ids: readonly number[], messages: (id: number) => readonly Buffer[]): Buffer {
  return Buffer.concat([...ids.flatMap(messages), write.sync()]);
}

/** Of one value in text. */
function bind(statement: string, id: number): Buffer {
  const value = String(id);
  return packet('B', `\0${statement}\0\0\0\0\x01\0\0\0${String.fromCharCode(value.length)}${value}\0\0`);
}

function packet(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, 'latin1');
  bytes.writeUInt32BE(bytes.length - type.length, type.length);
  return bytes;
}
