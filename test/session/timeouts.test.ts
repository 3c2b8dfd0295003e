/** What the proxy asks for itself runs under none of the client's timeouts, and is asked again where it was cancelled. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { cancelPacket, RawClient, readable } from '../support/raw-client.js';
import { until } from '../support/until.js';
import { useTwin } from './twin.js';

// Each DELETE asks for the state of the catalog.
const twin = useTwin({ graph: { refresh: '0s' } });

const SETTINGS = ['statement_timeout', 'lock_timeout', 'transaction_timeout', 'jit', 'extra_float_digits'];
const show = `SELECT ${SETTINGS.map((name) => `current_setting('${name}')`).join(', ')}`;

/** Locks the catalog's keys, on which a question waits and no statement of the client's. */
async function holdKeys(): Promise<{
  release(): Promise<void>;
  /** Waits until so many sessions wait for the keys. @returns their processes */
  waiting(sessions: number): Promise<readonly number[]>;
}> {
  const holder = await twin.emulated.connect();
  const release = () => holder.end();
  onTestFinished(release);
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE pg_catalog.pg_constraint IN ACCESS EXCLUSIVE MODE');
  const blocked = `SELECT a.pid FROM pg_locks JOIN pg_stat_activity AS a USING (pid)
     WHERE relation = 'pg_constraint'::regclass AND NOT granted AND a.datname = current_database()`;
  return {
    async waiting(sessions) {
      let pids: readonly number[] = [];
      await until(`questions of ${sessions} sessions wait for the keys`, async () => {
        pids = (await holder.query(blocked)).rows.map(({ pid }) => Number(pid));
        return pids.length >= sessions;
      });
      return pids;
    },
    release,
  };
}

const protocols: Readonly<Record<string, (id: number) => readonly Buffer[]>> = {
  'a simple query': (id) => [query(`DELETE FROM orgs WHERE id = ${id}`)],
  'the extended protocol': (id) => [run('DELETE FROM orgs WHERE id = $1', [`${id}`]), sync],
  'a pipeline': (id) => [
    run('SELECT 1'),
    parse('DELETE FROM orgs WHERE id = $1', 'd'),
    runPrepared('d', [`${id}`]),
    run('SHOW statement_timeout'),
    sync,
  ],
  'a string that is sent in pieces': (id) => [
    query(`SET search_path = public; DELETE FROM orgs WHERE id = ${id}; SHOW statement_timeout`),
  ],
};

const states: Readonly<Record<string, readonly string[]>> = {
  'no transaction': [],
  'a transaction': ['BEGIN'],
  'REPEATABLE READ': ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1'],
  'a transaction that only reads': ['BEGIN READ ONLY'],
  'a savepoint after SET LOCAL': [
    'BEGIN',
    'SET LOCAL lock_timeout = 101',
    'SAVEPOINT s',
    'SET LOCAL statement_timeout = 60002',
  ],
};

interface Case {
  readonly title: string;
  readonly begin: readonly string[];
  readonly remove: readonly Buffer[];
}

/**
 * Has all of them ask while the catalog is locked, until these settings have stopped somebody who waits after them without
 * the proxy: they are answered as on the other side.
 */
async function expectAnswers(cases: readonly Case[], settings: readonly string[]): Promise<void> {
  const answers = async (client: RawClient, { begin, remove }: Case) => {
    for (const sql of begin) await client.ask(query(sql));
    const told = await client.told(...remove);
    for (const sql of [show, 'ROLLBACK TO s', show, 'ROLLBACK', show])
      told.push(...(await client.told(query(sql))));
    return told;
  };
  const login = async (connect: () => Promise<RawClient>) => {
    const client = await connect();
    for (const sql of settings) await client.ask(query(sql));
    return client;
  };
  const expected: Record<string, readonly string[]> = {};
  for (const each of cases)
    expected[each.title] = await answers(
      await login(() => RawClient.login(inject('postgres'), { database: twin.native.name })),
      each,
    );
  const clients = await Promise.all(
    cases.map(async (each) => ({ each, client: await login(() => twin.connect()) })),
  );
  const keys = await holdKeys();
  const told = Promise.all(
    clients.map(async ({ each, client }) => [each.title, await answers(client, each)] as const),
  );
  await keys.waiting(clients.length);
  const direct = await twin.emulated.connect();
  for (const sql of settings) await direct.query(sql);
  await expect(direct.query('SELECT FROM pg_catalog.pg_constraint')).rejects.toThrow(/timeout/);
  await keys.release();
  expect(Object.fromEntries(await told)).toEqual(expected);
}

test('75 lock_timeout stops no question in any protocol or state, and all settings stay what they were', () =>
  expectAnswers(
    Object.entries(states).flatMap(([state, begin]) =>
      Object.entries(protocols).map(([protocol, remove]) => ({
        title: `${protocol} in ${state}`,
        begin,
        remove: remove(9),
      })),
    ),
    ['SET lock_timeout = 100', 'SET statement_timeout = 60001', 'SET transaction_timeout = 60003'],
  ));

test('75 neither statement_timeout nor transaction_timeout stops a question in any protocol', () =>
  expectAnswers(
    Object.entries(protocols).map(([title, remove]) => ({ title, begin: [], remove: remove(9) })),
    ['SET statement_timeout = 2000', 'SET transaction_timeout = 2001'],
  ));

test('the clock of transaction_timeout goes on after a question', async () => {
  const client = await twin.connect();
  await client.ask(query('SET transaction_timeout = 2000'));
  await client.ask(query('BEGIN'));
  for (const remove of Object.values(protocols)) await client.ask(...remove(9));
  client.send(query('SELECT pg_sleep(30)'));
  const told = readable(await client.rest());
  expect(told.at(-1)).toMatch(/^E C=25P04/);
});

test.each([
  ['by the client', 'BEGIN'],
  ['by the client', 'SELECT 1'],
  ['by an operator', 'BEGIN'],
  ['by an operator', 'SELECT 1'],
])('a question that is cancelled %s after %s fails as its DELETE would, and the next DELETE works', async (by, first) => {
  for (const remove of Object.values(protocols)) {
    const client = await twin.connect();
    await client.ask(query(first));
    const keys = await holdKeys();
    const answer = client.told(...remove(3));
    const [pid] = await keys.waiting(1);
    if (by === 'by the client') await cancel(client);
    else
      await twin.emulated.connect().then((operator) => operator.query('SELECT pg_cancel_backend($1)', [pid]));
    const told = await answer;
    expect(told.filter((line) => line.startsWith('E'))).toEqual([
      expect.stringContaining('C=57014 M=canceling statement due to user request'),
    ]);
    expect(told.at(-1)).toBe(first === 'BEGIN' ? 'Z E' : 'Z I');
    await keys.release();
    await client.ask(query('ROLLBACK'));
    expect(await client.told(query('DELETE FROM orgs WHERE id = 9'))).toEqual(['C DELETE 0', 'Z I']);
  }
});

async function cancel(client: RawClient): Promise<void> {
  const other = await RawClient.open(twin.proxy);
  other.send(cancelPacket(client));
  await other.rest();
}
