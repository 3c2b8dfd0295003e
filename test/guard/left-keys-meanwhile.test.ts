/** A row leaves its key while others write what references it: nobody is left behind, whoever comes first. */
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

const proxy = useProxy({ cascade: { guard: 'check' } });
const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int CONSTRAINT users_org_fkey REFERENCES orgs NOT ENFORCED);
  CREATE TABLE badges (id int PRIMARY KEY, org_id int CONSTRAINT badges_org_fkey REFERENCES orgs ON UPDATE CASCADE NOT ENFORCED);`);
const INSERT = 'INSERT INTO users VALUES (10, 1)';

let writer: pg.Client;
let changer: pg.Client;
beforeEach(async () => {
  const direct = await database.connect();
  await direct.query('TRUNCATE orgs, users, badges; INSERT INTO orgs VALUES (1), (2)');
  await direct.end();
  [writer, changer] = [await proxy.connect(database.name), await proxy.connect(database.name)];
  return async () => {
    await Promise.all([writer.end(), changer.end()]);
  };
});

/** Fulfilled when the session waits for a lock. */
async function waits(pid: number): Promise<void> {
  const observer = await database.connect();
  await untilSession(observer, pid, WAITS_FOR_LOCK);
  await observer.end();
}

describe.each([
  'UPDATE orgs SET id = 3 WHERE id = 1',
  'UPDATE orgs SET id = 3 WHERE id = 1 RETURNING id',
  'INSERT INTO orgs VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 3',
  'MERGE INTO orgs USING (VALUES (1)) AS s (id) ON orgs.id = s.id WHEN MATCHED THEN UPDATE SET id = 3',
])('%s', (text) => {
  const asQuery = () => changer.query(text);
  const prepared = () => changer.query({ name: 'p', text });

  test.each([
    ['a simple query', asQuery],
    ['a prepared statement', prepared],
  ])('as %s finds a row that came while it waited', async (_, change) => {
    const pid = await pidOf(changer);
    await writer.query(`BEGIN; ${INSERT}`);
    const changed = change().catch((error) => error);
    await waits(pid);
    await writer.query('COMMIT');
    expect(await changed).toMatchObject({
      code: '23503',
      constraint: 'users_org_fkey',
      detail: 'Key (id)=(1) is still referenced from table "users".',
    });
    expect((await writer.query('SELECT id FROM orgs ORDER BY id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('goes well where that row is rolled back', async () => {
    const pid = await pidOf(changer);
    await writer.query(`BEGIN; ${INSERT}`);
    const changed = changer.query(text);
    await waits(pid);
    await writer.query('ROLLBACK');
    expect((await changed).rowCount).toBe(1);
  });

  test('has a row that comes later refused', async () => {
    const pid = await pidOf(writer);
    await changer.query('BEGIN');
    await changer.query(text);
    const written = writer.query(INSERT).catch((error) => error);
    await waits(pid);
    await changer.query('COMMIT');
    expect(await written).toMatchObject({ code: '23503', constraint: 'users_org_fkey' });
  });
});

test.each([
  ['a simple query', { text: 'UPDATE orgs SET id = 3 WHERE id = 1' }],
  ['a prepared statement', { text: 'UPDATE orgs SET id = 3 WHERE id = 1', name: 'p' }],
])('ON UPDATE CASCADE, as %s, takes along a row that came while it waited', async (_, update) => {
  const pid = await pidOf(changer);
  await writer.query('BEGIN; INSERT INTO badges VALUES (10, 1), (11, 2)');
  const changed = changer.query(update);
  await waits(pid);
  await writer.query('COMMIT');
  expect((await changed).rowCount).toBe(1);
  expect((await writer.query('SELECT org_id FROM badges ORDER BY id')).rows).toEqual([
    { org_id: 3 },
    { org_id: 2 },
  ]);
  await expect(writer.query('INSERT INTO badges VALUES (12, 1)')).rejects.toMatchObject({ code: '23503' });
});

test.each(['REPEATABLE READ', 'SERIALIZABLE'])('in a transaction that is %s it is refused', async (level) => {
  await changer.query(`BEGIN ISOLATION LEVEL ${level}`);
  await changer.query('SELECT FROM users');
  await changer.query("UPDATE orgs SET id = id, name = 'x'");
  const changed = changer.query('UPDATE orgs SET id = 3 WHERE id = 1');
  await expect(changed).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('what key users_org_fkey references'),
  });
  await changer.query('ROLLBACK');
});
