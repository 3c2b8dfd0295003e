/** What a client may send: packets that open a connection, messages, and what is neither. */
import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  message,
  parse,
  query,
  run,
  sync,
  terminate,
} from '../support/frontend-messages.js';
import { packet, startupPacket } from '../support/raw-client.js';
import type { Departure } from './client.js';
import { corrupted } from './faults.js';
import type { Random } from './random.js';

export interface FrontendCase {
  readonly bytes: Buffer;
  /** Where it is cut into packets. */
  readonly cuts: readonly number[];
  readonly departure: Departure;
}

const SSL_REQUEST = packet(80877103);
const GSSENC_REQUEST = packet(80877104);
const CANCEL_REQUEST = 80877102;

/** Rows that are there at the beginning have ids up to this one. */
export const FAMILIES = 12;

export function frontendCase(random: Random, database: string): FrontendCase {
  const startup = random.once(5) ? anyStartup(random, database) : startupPacket({ database });
  const messages = Array.from({ length: random.below(9) }, () => anyMessage(random));
  const given = random.once(3) ? messages : disturbed(messages, random);
  // Most clients wait for their answers: without a Sync at the end there may be none.
  const bytes = Buffer.concat([startup, ...given, ...(random.once(3) ? [] : [sync])]);
  return {
    bytes,
    cuts: Array.from({ length: random.below(4) }, () => random.below(bytes.length)).sort((a, b) => a - b),
    departure: random.pick(['halfClose', 'halfClose', 'halfClose', 'goodbye', 'close', 'reset']),
  };
}

function anyStartup(random: Random, database: string): Buffer {
  const plain = startupPacket({ database });
  const parameters = { application_name: 'chaos', [`_pq_.${random.below(9)}`]: 'x' };
  switch (random.below(12)) {
    case 0:
      return Buffer.concat([random.pick([SSL_REQUEST, GSSENC_REQUEST]), plain]);
    case 1:
      return Buffer.concat([SSL_REQUEST, SSL_REQUEST, plain]);
    case 2:
      return packet(CANCEL_REQUEST, random.bytes(random.pick([0, 4, 8, 36, 260, 400])));
    case 3:
      return startupPacket({
        database,
        version: random.pick([0, 0x20000, 0x30002, 0x30063, 0x40000]),
        parameters,
      });
    case 4:
      return startupPacket({
        database,
        parameters: { options: random.pick(['-c work_mem=4MB', '-c', '-z', '-c x.y=\xff']) },
      });
    case 5:
      return startupPacket({ database: random.pick(['', 'postgres', 'no_such', 'x'.repeat(9000)]) });
    case 6:
      return plain.subarray(0, random.below(plain.length));
    case 7:
      return withLength(
        plain,
        random.pick([0, 4, 7, 8, plain.length - 1, plain.length + 9, 10_005, 0xffffffff]),
      );
    case 8:
      return corrupted(plain, 1 + random.below(5), random);
    case 9:
      return random.bytes(1 + random.below(64));
    case 10:
      return Buffer.concat([plain, plain]);
    default:
      return Buffer.from(
        random.pick(['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\0\x01', 'SSH-2.0-x\r\n']),
        'latin1',
      );
  }
}

function withLength(startup: Buffer, length: number): Buffer {
  const lying = Buffer.from(startup);
  lying.writeUInt32BE(length, 0);
  return lying;
}

function anyMessage(random: Random): Buffer {
  const text = anyText(random);
  const statement = random.pick(['', '', 's', 't']);
  const portal = random.pick(['', '', 'p']);
  const values = random.pick([[], [], [String(1 + random.below(FAMILIES))], [null], ['x'], ['1', '2']]);
  switch (random.below(20)) {
    case 0:
      return parse(text, statement);
    case 1:
      return bind({ statement, portal, values, binary: random.once(3) });
    case 2:
      return execute(portal, random.pick([0, 0, 1, 0x7fffffff]));
    case 3:
      return random.pick([describeStatement(statement), describePortal(portal)]);
    case 4:
      return random.pick([closeStatement(statement), closePortal(portal)]);
    case 5:
      return flush;
    case 6:
      return copyData(random.pick(['a\n', '\\.\n', '', 'x\ty\n', 'z'.repeat(20_000)]));
    case 7:
      return random.pick([copyDone, copyFail('why not')]);
    case 8:
      return message(
        'F',
        random.pick([Buffer.alloc(0), Buffer.from([0, 0, 0, 65, 0, 0, 0, 0, 0, 0]), random.bytes(12)]),
      );
    case 9:
      return random.pick([message('p', Buffer.from('secret\0')), terminate, sync]);
    case 10:
    case 11:
    case 12:
      return Buffer.concat([run(text, values), random.once(3) ? flush : sync]);
    case 13:
      return sync;
    default:
      return query(text);
  }
}

function anyText(random: Random): string {
  const id = 1 + random.below(FAMILIES);
  const texts = [
    `DELETE FROM org WHERE id = ${id}`,
    `DELETE FROM org WHERE id = ${id} RETURNING *, name || 'x'`,
    'DELETE FROM org WHERE id = $1',
    'DELETE FROM org AS o USING team AS t WHERE t.org_id = o.id AND t.id = $1 RETURNING o.*',
    `WITH gone AS (DELETE FROM team WHERE org_id = ${id} RETURNING id) SELECT count(*) FROM gone`,
    `MERGE INTO org USING (SELECT ${id} AS id) AS x ON org.id = x.id WHEN MATCHED THEN DELETE`,
    `EXPLAIN DELETE FROM team WHERE id = ${id}`,
    `DELETE FROM ONLY org WHERE id = ${id}; SELECT 2; DELETE FROM team WHERE org_id = ${id}`,
    'TRUNCATE org CASCADE',
    `PREPARE d AS DELETE FROM org WHERE id = $1`,
    `EXECUTE d(${id})`,
    'DEALLOCATE ALL',
    'DECLARE c CURSOR FOR SELECT * FROM org FOR UPDATE',
    'FETCH c',
    'DELETE FROM org WHERE CURRENT OF c',
    `SELECT found(${id}, ${id})`,
    'SELECT * FROM org JOIN team ON org_id = org.id',
    'SELECT $1::int',
    'BEGIN',
    'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT s',
    'ROLLBACK TO s',
    'COPY log FROM STDIN',
    'COPY org TO STDOUT',
    `BEGIN; DELETE FROM org WHERE id = ${id}; COMMIT`,
    'COPY log FROM STDIN; DELETE FROM log',
    'SET search_path = pg_temp, public',
    'SET standard_conforming_strings = off',
    "SET client_encoding = 'SQL_ASCII'",
    'CREATE TEMP TABLE org (id int PRIMARY KEY)',
    'CREATE TEMP TABLE IF NOT EXISTS extra (org_id int REFERENCES pg_temp.org)',
    'DISCARD ALL',
    'LISTEN here; NOTIFY here',
    "DO $$ BEGIN RAISE NOTICE 'here'; END $$",
    'SELECT 1/0',
    'DELETE FROM nowhere',
    'DELETE FROM',
    '',
    ';;',
    `DELETE FROM org WHERE name = 'it''s' OR id IN (${Array.from({ length: 300 }, (_, i) => 100 + i)})`,
  ];
  return random.pick(texts);
}

/** Messages as they should not be: doubled, reordered, cut short, with lengths that lie, with other bytes, among garbage. */
function disturbed(messages: readonly Buffer[], random: Random): readonly Buffer[] {
  const at = random.below(messages.length + 1);
  const one = messages[at] ?? sync;
  const around = (...middle: readonly Buffer[]) => [
    ...messages.slice(0, at),
    ...middle,
    ...messages.slice(at + 1),
  ];
  switch (random.below(8)) {
    case 0:
      return around(one, one);
    case 1:
      return [...messages].reverse();
    case 2:
      return around(one.subarray(0, random.below(one.length)));
    case 3: {
      const lying = Buffer.from(one);
      lying.writeUInt32BE(random.pick([0, 3, 4, 5, one.length, one.length + 7, 0x3fffffff, 0xffffffff]), 1);
      return around(lying);
    }
    case 4:
      return around(corrupted(one, 1 + random.below(4), random));
    case 5:
      return around(random.bytes(1 + random.below(40)), one);
    case 6:
      return around(message(random.pick([...'QPBDECHSXFpdcfAZ\0\xff']), random.bytes(random.below(30))));
    default:
      return [...messages, one.subarray(0, random.below(one.length))];
  }
}
