/**
 * A schema made three times, and asked the same: with enforced keys, directly; with NOT ENFORCED keys through the proxy; and
 * through it with enforced NO ACTION keys to which overrides give the actions. The first is the oracle for the others.
 */
import type pg from 'pg';
import { expect, inject } from 'vitest';
import type { Database } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import { type ProxyOptions, type RunningProxy, useProxy } from '../support/proxy.js';
import { askAll, type Login, type RawClient, type RawMessage } from '../support/raw-client.js';
import { outcomeOn, useTwinSide, withoutContext } from '../support/twin-databases.js';
import { SAMPLE, SAMPLE_AGAIN } from './sample.js';

export type Kind = 'native' | 'emulated' | 'overridden';

export interface Side {
  readonly kind: Kind;
  /** The name of its database. */
  readonly database: string;
  /** A client whose session is as new, or has only made the schema. */
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

export function useSides(options: Pick<ProxyOptions, 'cascade' | 'graph'> = {}): Sides {
  const sides = { native: useTwinSide(), emulated: useTwinSide(), overridden: useTwinSide() };
  const plain = useProxy(options);
  const overriding = useProxy({ ...options, cascade: { ...(options.cascade ?? {}), overrides } });
  const session = useKeptSessions();
  const addressOf = (kind: Kind) =>
    kind === 'native' ? inject('postgres') : kind === 'emulated' ? plain : overriding;

  // Of each side the state of its catalogs when the sample was made: where it is still the same, the rows are enough.
  const samples = new Map<Kind, string>();
  const make = async (kind: Kind, schema: string, client: RawClient) => {
    const direct = await sides[kind].client();
    const again = schema === SAMPLE && samples.get(kind) === (await catalogsOf(direct));
    samples.delete(kind);
    if (again) await direct.query(`BEGIN; SET LOCAL search_path = s; ${SAMPLE_AGAIN}; COMMIT`);
    else {
      const made = await client.told(query(`${START}; ${withKeys(schema, kind)}`));
      expect(made.filter((each) => each.startsWith('E'))).toEqual([]);
    }
    if (schema === SAMPLE) samples.set(kind, await catalogsOf(direct));
  };
  const on = async (kind: Kind, schema: string): Promise<Side> => {
    const { database } = sides[kind];
    const connect = (user?: string) => session(addressOf(kind), login(database, user));
    const client = await connect();
    const ddl = (text: string) => withKeys(text, kind);
    await make(kind, schema, client);
    return { kind, database: database.name, client, connect, direct: () => database.connect(), ddl };
  };
  const sameOn: Sides['sameOn'] = async (kinds, schema, steps) => {
    const outcomes = await Promise.all(
      kinds.map((kind) =>
        outcomeOn(sides[kind], async ({ readable }) => {
          const side = await on(kind, schema);
          const answers =
            typeof steps === 'function' ? await steps(side) : await askAll(side.client, steps.map(side.ddl));
          return readable(answers.map(withoutContext));
        }),
      ),
    );
    const [expected] = outcomes;
    for (const [i, came] of outcomes.entries())
      expect({ side: kinds[i], ...came }).toEqual({ side: kinds[i], ...expected });
  };
  return { proxy: plain, on, sameOn, same: (schema, ...texts) => sameOn(ALL, schema, texts) };
}

/** The catalogs that say what there is beside rows, and their columns that begin an index. */
const CATALOGS = {
  pg_namespace: 'oid',
  pg_class: 'oid',
  pg_attribute: 'attrelid',
  pg_attrdef: 'oid',
  pg_type: 'oid',
  pg_constraint: 'oid',
  pg_index: 'indexrelid',
  pg_inherits: 'inhrelid',
  pg_trigger: 'oid',
  pg_rewrite: 'oid',
  pg_proc: 'oid',
  pg_policy: 'oid',
  pg_sequence: 'seqrelid',
  pg_statistic: 'starelid',
  pg_default_acl: 'oid',
  pg_operator: 'oid',
};

/**
 * Changes with every row that is written in these catalogs for an object of the database's own, and with every one removed:
 *
 *     SELECT concat_ws('/', (SELECT concat(count(*), ':', max(xmin::text::int8)) FROM pg_class WHERE oid >= 16384), …)
 */
async function catalogsOf(client: pg.Client): Promise<string> {
  const each = Object.entries(CATALOGS).map(
    ([catalog, id]) =>
      `(SELECT concat(count(*), ':', max(xmin::text::int8)) FROM pg_catalog.${catalog} WHERE ${id} >= 16384)`,
  );
  const { rows } = await client.query({
    name: 'catalogs',
    text: `SELECT concat_ws('/', ${each.join()}) AS state`,
  });
  return rows[0].state;
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

/** Statements that each leave everything as it was, and show the rows of `c` as they made them. */
export function tried(...texts: readonly string[]): readonly string[] {
  return texts.map((text) => `BEGIN; ${text}; SELECT c::text FROM c ORDER BY 1; ROLLBACK`);
}
