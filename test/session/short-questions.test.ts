/** The client's timeouts and the questions about names in its text: they stop none, unless it waits for the client's own tables. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { message, query, run, sync } from '../support/frontend-messages.js';
import { databaseUrl } from '../support/postgres.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';

// Each DELETE asks for the state of the catalog.
const proxy = useProxy({ graph: { refresh: '0s' } });
/** With one byte a character: there a server may fold what the parser of the proxy does not. */
const LATIN1 = `scratch_${randomBytes(6).toString('hex')}`;

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE "école" (id int PRIMARY KEY REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE beside (id int, name text)`;

const TIMEOUTS = ['SET lock_timeout = 100', 'SET statement_timeout = 2000'];

beforeAll(async () => {
  const maker = await connectDirect('postgres');
  const options = `ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 STRATEGY file_copy`;
  await maker.query(`CREATE DATABASE ${LATIN1} ${options}`);
  const client = await connectDirect();
  await client.query(SCHEMA);
  await client.end();
  return async () => {
    await maker.query(`DROP DATABASE ${LATIN1} WITH (FORCE)`);
    await maker.end();
  };
});

async function connectDirect(database = LATIN1): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl(inject('postgres'), database) });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function connect(): Promise<RawClient> {
  const parameters = { client_encoding: 'LATIN1' };
  const client = await RawClient.login(proxy, { database: LATIN1, parameters });
  // It knows what every question needs.
  const warm = run('DELETE FROM orgs WHERE id = 9');
  for (const messages of [
    [warm, sync],
    [run('SELECT 1'), warm, sync],
  ])
    expect(await client.told(...messages)).toContain('C DELETE 0');
  for (const sql of TIMEOUTS) await client.ask(query(sql));
  return client;
}

async function lock(table: string) {
  const [holder, watcher, other] = await Promise.all([connectDirect(), connectDirect(), connectDirect()]);
  const release = () => holder.end();
  onTestFinished(async () => {
    await Promise.all([holder.end(), watcher.end(), other.end()]);
  });
  const pid = await pidOf(holder);
  // What is looked up in pg_proc is looked up before that is locked.
  await watcher.query('SELECT FROM pg_stat_activity WHERE pid = $1 AND 0 = ANY (pg_blocking_pids(pid))', [0]);
  for (const sql of TIMEOUTS) await other.query(sql);
  await holder.query('BEGIN');
  await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return {
    /** Ends the transaction that has the lock. */
    release,
    blocks: (waiter: number) => untilBlockedBy(watcher, waiter, pid),
    /** Waits until the settings have stopped somebody who began to wait after the others. */
    stopsOthers: () => expect(other.query(`SELECT FROM ${table}`)).rejects.toThrow(/timeout/),
  };
}

const inLatin1 = (text: string) => message('Q', Buffer.from(`${text}\0`, 'latin1'));

const PREPARE = `PREPARE p (int) AS WITH gone AS (DELETE FROM orgs USING beside WHERE orgs.id = $1 RETURNING *)
  SELECT FROM gone`;

test.each([
  // Neither parse_ident nor to_regtype has been looked up in pg_proc yet.
  ['what a name is folded to', [inLatin1('DELETE FROM École')], ['E C=42P01']],
  ['what the type of a parameter is', [query(PREPARE)], ['C PREPARE']],
  ['the same in a pipeline', [run('SELECT 1'), run(PREPARE), sync], ['C PREPARE']],
])('neither lock_timeout nor statement_timeout stops the question %s', async (_, messages, expected) => {
  const client = await connect();
  const pid = await pidOf(client);
  const { release, blocks, stopsOthers } = await lock('pg_catalog.pg_proc');
  const told = client.told(...messages);
  await Promise.race([blocks(pid), told]);
  await stopsOthers();
  await release();
  expect((await told).join('\n')).toContain(expected.join());
});

test.each([
  ['a simple query', [query(PREPARE)]],
  ['a pipeline', [run('SELECT 1'), run(PREPARE), sync]],
])('lock_timeout stops %s that waits for its own table while the server describes it', async (_, messages) => {
  const client = await connect();
  const pid = await pidOf(client);
  const { blocks, release } = await lock('beside');
  const told = client.told(...messages);
  await Promise.race([blocks(pid), told]);
  expect((await told).join()).toContain('E C=55P03 M=canceling statement due to lock timeout');
  await release();
  expect(await client.told(query(PREPARE))).toEqual(['C PREPARE', 'Z I']);
});
