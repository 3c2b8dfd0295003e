/**
 * A schema made three times, and asked the same: with enforced keys, directly; with NOT ENFORCED keys through the proxy; and
 * through it with enforced NO ACTION keys to which overrides give the actions. The first is the oracle for the others.
 */
import type pg from 'pg';
import { expect, inject } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { type Login, RawClient, type RawMessage, readable } from '../support/raw-client.js';

export type Kind = 'native' | 'emulated' | 'overridden';

export interface Side {
  readonly kind: Kind;
  /** The name of its database. */
  readonly database: string;
  /** The client that has made the schema. */
  readonly client: RawClient;
  /** Another one, as this user. */
  connect(user?: string): Promise<RawClient>;
  /** One that goes straight to the database, to look and to wait. */
  direct(): Promise<pg.Client>;
  /** Text of the test's schema as it is on this side. */
  ddl(text: string): string;
}

/** What is done on each side: SQL texts, one after the other, or more than SQL alone. */
export type Steps = readonly string[] | ((side: Side) => Promise<readonly RawMessage[]>);

export interface Sides {
  readonly proxy: RunningProxy;
  /** All that is answered, and all rows that are left in all tables, are the same on the three sides. */
  same(schema: string, ...texts: readonly string[]): Promise<void>;
  /** As `same`, on the sides named. */
  sameOn(kinds: readonly Kind[], schema: string, steps: Steps): Promise<void>;
  /** Makes the schema on one side, and lets the test see for itself. */
  on(kind: Kind, schema: string): Promise<Side>;
}

export const ALL: readonly Kind[] = ['native', 'emulated', 'overridden'];
/** For what an override of an enforced key cannot say. */
export const UNENFORCED: readonly Kind[] = ['native', 'emulated'];

const ACTIONS = ['cascade', 'set null', 'set default', 'restrict', 'no action'] as const;
const overrides = ACTIONS.map((on_delete) => ({ match: `*.*.*_${on_delete.replace(' ', '_')}`, on_delete }));

/** Tables are in s; a test may make a and b. */
const START = 'DROP SCHEMA IF EXISTS s, a, b CASCADE; CREATE SCHEMA s';

export function useSides(options: Pick<ProxyOptions, 'graph'> = {}): Sides {
  const databases = { native: useDatabase(), emulated: useDatabase(), overridden: useDatabase() };
  // One connection a database looks at what is left, for all tests.
  const lookers = {
    native: once(databases.native.connect),
    emulated: once(databases.emulated.connect),
    overridden: once(databases.overridden.connect),
  };
  const plain = useProxy(options);
  const overriding = useProxy({ ...options, cascade: { overrides } });
  const addressOf = (kind: Kind) =>
    kind === 'native' ? inject('postgres') : kind === 'emulated' ? plain : overriding;

  const on = async (kind: Kind, schema: string): Promise<Side> => {
    const database = databases[kind];
    const connect = (user?: string) => RawClient.login(addressOf(kind), login(database, user));
    const client = await connect();
    const ddl = (text: string) => withKeys(text, kind);
    const made = await client.told(query(`${START}; ${ddl(schema)}`));
    expect(made.filter((each) => each.startsWith('E'))).toEqual([]);
    return { kind, database: database.name, client, connect, direct: () => database.connect(), ddl };
  };
  const outcome = async (kind: Kind, schema: string, steps: Steps) => {
    const side = await on(kind, schema);
    const answers =
      typeof steps === 'function' ? await steps(side) : await askAll(side.client, steps.map(side.ddl));
    const looker = await lookers[kind]();
    const told = readable(answers.map(withoutContext), await names(looker));
    const left = await contents(looker);
    return { told, left };
  };
  const sameOn: Sides['sameOn'] = async (kinds, schema, steps) => {
    const outcomes = await Promise.all(
      kinds.map(async (kind) => ({ kind, ...(await outcome(kind, schema, steps)) })),
    );
    for (const each of outcomes) expect(each).toEqual({ ...outcomes[0], kind: each.kind });
  };
  return { proxy: plain, on, sameOn, same: (schema, ...texts) => sameOn(ALL, schema, texts) };
}

/** All answers to the texts, sent one after the other. */
export async function askAll(client: RawClient, texts: readonly string[]): Promise<RawMessage[]> {
  const answers: RawMessage[] = [];
  for (const text of texts) answers.push(...(await client.ask(query(text))));
  return answers;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function login({ name }: Database, user?: string): Login {
  const parameters = { options: '-c search_path=s' };
  return user === undefined ? { database: name, parameters } : { database: name, user, parameters };
}

/** `[CONSTRAINT name] [FOREIGN KEY (…)] REFERENCES … [ON DELETE …] KEYS`, as a side has it. */
const KEY =
  /(CONSTRAINT (?:"(?:[^"]|"")+"|\S+) )?((?:FOREIGN KEY \([^)]*\) )?REFERENCES [^,;()]+?(?: \([^)]*\))?(?: MATCH FULL)?)(?: +ON DELETE (CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)( \([^)]*\))?)?( DEFERRABLE.*?)? KEYS/g;

function withKeys(text: string, kind: Kind): string {
  let count = 0;
  return text.replace(KEY, (...found: readonly (string | undefined)[]) => {
    const [, given, references, action = 'NO ACTION', columns = '', deferrable = ''] = found;
    count++;
    const name = given ?? `CONSTRAINT k${count}_${action.toLowerCase().replace(' ', '_')} `;
    const does = kind === 'overridden' ? '' : ` ON DELETE ${action}${columns}`;
    return `${name}${references}${does}${deferrable}${kind === 'emulated' ? ' NOT ENFORCED' : ''}`;
  });
}

/** An error's context names the queries by which PostgreSQL cascades: the proxy has others. */
function withoutContext({ type, body }: RawMessage): RawMessage {
  if (type !== 'E') return { type, body };
  const fields = body.toString('latin1').split('\0');
  return { type, body: Buffer.from(fields.filter((field) => !field.startsWith('W')).join('\0'), 'latin1') };
}

/** Of relations, and of types. */
async function names(client: pg.Client): Promise<ReadonlyMap<number, string>> {
  const { rows } = await client.query(`SELECT oid::int, relname AS name FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT oid::int, typname FROM pg_type WHERE oid >= 16384`);
  return new Map(rows.map(({ oid, name }) => [oid, name]));
}

/**
 * The rows of each table outside of the catalogs; of large ones their number, and a digest. All tables are asked at once:
 *
 *     SELECT 16385::regclass::text AS name, (SELECT CASE WHEN count(*) < 100 … END FROM ONLY s.p AS t) AS rows
 *     UNION ALL SELECT 16390::regclass::text, (SELECT … FROM ONLY s.c AS t)
 */
async function contents(client: pg.Client): Promise<Readonly<Record<string, unknown>>> {
  const { rows: tables } = await client.query(
    `SELECT oid, oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND relpersistence <> 't'`,
  );
  if (tables.length === 0) return {};
  const row = "string_agg(t::text, E'\\n' ORDER BY t::text)";
  const rowsOf = `CASE WHEN count(*) < 100 THEN ${row} ELSE concat(count(*), ' ', md5(${row})) END`;
  const each = tables.map(
    ({ oid, name }) =>
      `SELECT ${oid}::regclass::text AS name, (SELECT ${rowsOf} FROM ONLY ${name} AS t) AS rows`,
  );
  const { rows: left } = await client.query(each.join(' UNION ALL '));
  return Object.fromEntries(left.map(({ name, rows }) => [name, rows]));
}

/** Statements that each leave everything as it was, and show the rows of `c` as they made them. */
export function tried(...texts: readonly string[]): readonly string[] {
  return texts.map((text) => `BEGIN; ${text}; SELECT c::text FROM c ORDER BY 1; ROLLBACK`);
}
