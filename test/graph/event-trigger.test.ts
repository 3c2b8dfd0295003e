/** What the event trigger that `pgcascade install` makes tells of, and what it never breaks. */
import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../support/postgres.js';
import { createDatabaseOn } from '../support/scratch-database.js';
import { run, useInstalling } from './installing.js';

const { database, listener } = useInstalling();

describe('with the event trigger', () => {
  async function prepared(): Promise<{ client: pg.Client; told: () => Promise<number> }> {
    await run('install', database.url);
    return { client: await database.connect(), told: await listener() };
  }

  test('a transaction tells once, however much it changes', async () => {
    const { client, told } = await prepared();
    await client.query('BEGIN; CREATE TABLE one (); CREATE TABLE two (); DROP TABLE one, two; COMMIT');
    expect(await told()).toBe(1);
  });

  test('a transaction that is rolled back tells nothing', async () => {
    const { client, told } = await prepared();
    await client.query('BEGIN; CREATE TABLE never (); ROLLBACK');
    expect(await told()).toBe(0);
  });

  test('a change under session_replication_role = replica is told', async () => {
    const { client, told } = await prepared();
    await client.query('SET session_replication_role = replica; CREATE TABLE replicated ()');
    expect(await told()).toBe(1);
    await client.query('DROP TABLE replicated');
  });

  test('any role can change the schema, whatever its rights and its search_path', async () => {
    const { client, told } = await prepared();
    await client.query(`
      REVOKE ALL ON FUNCTION pgcascade.notify_change(), pg_notify(text, text), pg_notification_queue_usage()
      FROM PUBLIC`);
    await client.query(`CREATE ROLE install_plain; CREATE SCHEMA mine AUTHORIZATION install_plain`);
    onTestFinished(async () => {
      await client.query('RESET ROLE; DROP OWNED BY install_plain; DROP ROLE install_plain');
    });
    await client.query(`SET ROLE install_plain; SET search_path = mine;
      CREATE FUNCTION mine.pg_notification_queue_usage() RETURNS float8 LANGUAGE sql AS 'SELECT 1::float8'`);
    const before = await told();
    await client.query('CREATE TABLE mine.t ()');
    expect(await told()).toBe(before + 1);
  });

  test('what may be done in a read-only transaction still may', async () => {
    const { client } = await prepared();
    await client.query('CREATE TABLE read (id int PRIMARY KEY)');
    await client.query('BEGIN READ ONLY; REINDEX TABLE read; COMMIT');
    await client.query('DROP TABLE read');
  });

  test('a transaction that changes the schema cannot be prepared, which install foretells', async () => {
    const { out } = await run('install', database.url);
    expect(out).toContain('one that changes the schema can no longer be prepared');
    const client = await database.connect();
    await client.query('BEGIN; CREATE TABLE twice ()');
    await expect(client.query(`PREPARE TRANSACTION 'twice'`)).rejects.toThrow('NOTIFY');
  });
});

test('a change of the schema does not fail where the queue of notifications is full', async () => {
  const server = await startPostgres({ config: { max_notify_queue_pages: '64' } });
  onTestFinished(() => server.stop('immediate'));
  const small = await createDatabaseOn(server);
  await run('install', small.url);
  const [client, sleeper] = [await small.connect(), await small.connect()];
  const warnings: unknown[] = [];
  client.on('notice', ({ message }) => warnings.push(message));
  // In its transaction it reads nothing of what others notify.
  await sleeper.query('LISTEN other');
  await sleeper.query('BEGIN');
  const notify = `SELECT pg_notify('other', concat(i, repeat('x', 7900))) FROM generate_series(1, 10) i`;
  const fill = async () => {
    for (;;) await client.query(notify);
  };
  await expect(fill()).rejects.toThrow('too many notifications in the NOTIFY queue');
  warnings.length = 0;
  await client.query('CREATE TABLE made ()');
  expect(warnings).toEqual([expect.stringContaining('pgcascade was not told of this change')]);
  await small.drop();
});
