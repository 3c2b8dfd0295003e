/** pgcascade.guard: a setting of the session's own, over that of the configuration. */
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type RunningProxy, useProxy } from '../support/proxy.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE VIEW shown AS SELECT * FROM users;`);
const unguarded = useProxy();
const guarded = useProxy({ cascade: { guard: 'check' } });

const ORPHAN = 'INSERT INTO users VALUES (1, 99)';
const PREPARED = { name: 'insert', text: 'INSERT INTO users VALUES ($1, 99)' };

let client: pg.Client;
beforeEach(async () => {
  const direct = await database.connect();
  await direct.query('TRUNCATE users, orgs');
  await direct.end();
});

/** Each test of the `describe` has a new client of this proxy. */
function useClientOf(proxy: RunningProxy): void {
  beforeEach(async () => {
    client = await proxy.connect(database.name);
    return () => client.end();
  });
}

async function goes(query: string | object): Promise<boolean> {
  const text = typeof query === 'string' ? { text: query } : query;
  return client.query(text as pg.QueryConfig).then(
    () => true,
    (error: pg.DatabaseError) => {
      expect(error.code).toBe('23503');
      return false;
    },
  );
}

describe('where the configuration says off', () => {
  useClientOf(unguarded);

  test('nothing is looked at', async () => {
    expect(await goes(ORPHAN)).toBe(true);
  });

  test('a session can have its own keys checked, and leave it', async () => {
    await client.query("SET pgcascade.guard = 'check'");
    expect(await goes(ORPHAN)).toBe(false);
    expect(await goes({ ...PREPARED, values: [1] })).toBe(false);
    await client.query('RESET pgcascade.guard');
    expect(await goes({ ...PREPARED, values: [2] })).toBe(true);
    expect(await goes(ORPHAN)).toBe(true);
  });

  test.each([
    `SET PGCASCADE.GUARD = 'check'`,
    `SET "pgcascade"."guard" TO 'check'`,
    `SET U&"pgc\\0061scade".guard = 'check'`,
    `SELECT set_config('pgcascade' || '.guard', 'check', false)`,
    `SELECT "set_config" (E'pgc\\x61scade.guard', 'check', false)`,
    `SELECT set_config/* a */('pgcas' || 'cade.guard', 'check', false)`,
    `SELECT "set_config" -- a\n('pgcas' || 'cade.guard', 'check', false)`,
  ])('a session can, however it writes that: %s', async (text) => {
    await client.query(text);
    expect(await goes(ORPHAN)).toBe(false);
  });

  test('a session can by the values of set_config', async () => {
    await client.query('SELECT set_config($1, $2, false)', ['pgcascade.guard', 'check']);
    expect(await goes(ORPHAN)).toBe(false);
  });

  test('a transaction can, and its end leaves it', async () => {
    await client.query("BEGIN; SELECT set_config('pgcascade.guard', 'check', true)");
    expect(await goes(ORPHAN)).toBe(false);
    await client.query('ROLLBACK');
    expect(await goes(ORPHAN)).toBe(true);
  });

  test('a string that sets it first is looked at', async () => {
    expect(await goes(`SET pgcascade.guard = 'check'; ${ORPHAN}`)).toBe(false);
  });

  test('another value is refused', async () => {
    await client.query('SET pgcascade.guard = nothing');
    await expect(client.query(ORPHAN)).rejects.toMatchObject({ code: '22023' });
  });
});

test.each([
  '-c pgcascade.guard=check',
  '--PGcascade.guard=check',
  '-c pg\\cascade.guard=check',
])('where the configuration says off, a session can say in its connection string that keys are checked: %s', async (options) => {
  client = new pg.Client({ connectionString: unguarded.url(database.name), options });
  await client.connect();
  expect(await goes(ORPHAN)).toBe(false);
  await client.end();
});

describe('where the configuration says check', () => {
  useClientOf(guarded);

  test('a session can have nothing looked at', async () => {
    expect(await goes(ORPHAN)).toBe(false);
    await client.query('SET pgcascade.guard = off');
    expect(await goes(ORPHAN)).toBe(true);
  });

  test('a statement that was prepared before is looked at again when the session says so', async () => {
    for (let i = 0; i < 3; i++) expect(await goes({ ...PREPARED, values: [1] })).toBe(false);
    await client.query('BEGIN; SET LOCAL pgcascade.guard = off');
    expect(await goes({ ...PREPARED, values: [1] })).toBe(true);
    await client.query('ROLLBACK');
    expect(await goes({ ...PREPARED, values: [2] })).toBe(false);
    await client.query('CREATE TEMP TABLE users (id int, org_id int)');
    expect(await goes({ ...PREPARED, values: [3] })).toBe(true);
    await client.query('DROP TABLE pg_temp.users');
    expect(await goes({ ...PREPARED, values: [4] })).toBe(false);
  });

  test('another value is refused each time that a statement is executed which was prepared before', async () => {
    const there = { name: 'there', text: 'INSERT INTO users VALUES ($1, NULL)' };
    for (const id of [1, 2]) expect(await goes({ ...there, values: [id] })).toBe(true);
    await client.query('SET pgcascade.guard = nothing');
    for (const id of [3, 4])
      await expect(client.query({ ...there, values: [id] })).rejects.toMatchObject({ code: '22023' });
    await client.query('RESET pgcascade.guard');
    expect(await goes({ ...there, values: [5] })).toBe(true);
  });

  test('nothing is looked at with cascades off', async () => {
    await client.query('SET pgcascade.mode = off');
    expect(await goes(ORPHAN)).toBe(true);
  });

  test('a statement on a view is looked at', async () => {
    await expect(client.query('INSERT INTO shown VALUES (1, 99)')).rejects.toMatchObject({ code: '23503' });
  });

  test('a session as replica writes what it gets', async () => {
    await client.query('SET session_replication_role = replica');
    expect(await goes(ORPHAN)).toBe(true);
  });

  test('a key that the session adds is looked at', async () => {
    await client.query('CREATE TABLE IF NOT EXISTS later (org int)');
    const prepared = { name: 'later', text: 'INSERT INTO later VALUES (99)' };
    for (let i = 0; i < 3; i++) expect(await goes(prepared)).toBe(true);
    expect(await goes('INSERT INTO later VALUES (99)')).toBe(true);
    await client.query('ALTER TABLE later ADD CONSTRAINT k FOREIGN KEY (org) REFERENCES orgs NOT ENFORCED');
    expect(await goes('INSERT INTO later VALUES (99)')).toBe(false);
    for (let i = 0; i < 3; i++) expect(await goes(prepared)).toBe(false);
    await client.query('ALTER TABLE later DROP CONSTRAINT k');
    expect(await goes(prepared)).toBe(true);
    await client.query('DROP TABLE later');
  });
});
