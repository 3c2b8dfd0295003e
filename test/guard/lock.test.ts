/** cascade.guard: lock. Nobody deletes what a new key references before the transaction that has written it is over. */
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

const proxy = useProxy({ cascade: { guard: 'lock' } });
const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY,
    org_id int CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE NOT ENFORCED, boss int REFERENCES users NOT ENFORCED);`);

let direct: pg.Client;
let application: pg.Client;
let pid: number;
beforeEach(async () => {
  direct = await database.connect();
  await direct.query('TRUNCATE orgs, users; INSERT INTO orgs VALUES (1), (2)');
  application = await proxy.connect(database.name);
  pid = await pidOf(application);
  return async () => {
    await Promise.all([direct.end(), application.end()]);
  };
});

/** Fulfilled when the application waits for a lock. */
async function waits(): Promise<void> {
  const observer = await database.connect();
  await untilSession(observer, pid, WAITS_FOR_LOCK);
  await observer.end();
}

const INSERT = 'INSERT INTO users VALUES (10, 1)';
const UPDATE = 'UPDATE users SET org_id = 1 WHERE id = 20';
const MERGE = `MERGE INTO users AS u USING (VALUES (20, 1)) AS v (id, org) ON u.id = v.id
  WHEN MATCHED THEN UPDATE SET org_id = v.org WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.org)`;

describe.each([INSERT, UPDATE, MERGE])('%s', (text) => {
  beforeEach(async () => {
    await direct.query('INSERT INTO users VALUES (20, 2)');
  });

  test('holds up who wants to delete what it references', async () => {
    const other = await pidOf(direct);
    await application.query('BEGIN');
    await application.query(text);
    const locked = direct.query('SELECT FROM orgs WHERE id = 1 FOR UPDATE');
    await untilSession(application, other, WAITS_FOR_LOCK);
    await application.query('COMMIT');
    await locked;
  });

  test('is refused where what it references is deleted while it waits', async () => {
    await direct.query('BEGIN; DELETE FROM orgs WHERE id = 1');
    const written = application.query(text).catch((error) => error);
    await waits();
    await direct.query('COMMIT');
    expect(await written).toMatchObject({
      code: '23503',
      constraint: 'users_org_fkey',
      detail: 'Key (org_id)=(1) is not present in table "orgs".',
    });
  });

  test('goes well where the deletion is rolled back', async () => {
    await direct.query('BEGIN; DELETE FROM orgs WHERE id = 1');
    const written = application.query(text);
    await waits();
    await direct.query('ROLLBACK');
    expect((await written).rowCount).toBe(1);
  });
});

test('a key that references nothing passes', async () => {
  await application.query('INSERT INTO users VALUES (10, 99), (11, NULL)');
  await application.query('UPDATE users SET org_id = 98');
  expect((await direct.query('SELECT id, org_id FROM users ORDER BY id')).rows).toEqual([
    { id: 10, org_id: 98 },
    { id: 11, org_id: 98 },
  ]);
});

test('rows that a statement changes may reference each other', async () => {
  await application.query('INSERT INTO users VALUES (10), (11)');
  expect((await application.query('UPDATE users SET boss = 11')).rowCount).toBe(2);
});

test('a change of what is referenced passes, and a COPY too', async () => {
  await application.query('UPDATE orgs SET id = 3 WHERE id = 1');
  await application.query("COPY users (id, org_id) FROM PROGRAM 'echo 10,99' (FORMAT csv)");
  expect((await direct.query('SELECT FROM users')).rowCount).toBe(1);
});

test('what cannot be locked is refused', async () => {
  const text = 'WITH o AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (30, 1)';
  await expect(application.query(text)).rejects.toMatchObject({ code: '0A000' });
});
