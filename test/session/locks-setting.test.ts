/** pgcascade.locks: a setting of the session's own, over that of the configuration. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { connectTo } from '../support/made-connections.js';
import { type RunningProxy, useProxy } from '../support/proxy.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE NOT ENFORCED);`);
const tap = useTap();
const plain = useProxy({
  get upstream() {
    return tap.url;
  },
});
const locking = useProxy({
  cascade: { locks: 'rows' },
  get upstream() {
    return tap.url;
  },
});

const TEXT = 'DELETE FROM orgs WHERE id = 1';
const PREPARED = { name: 'delete', text: 'DELETE FROM orgs WHERE id = $1', values: [1] };

/** Whether rows are locked by a statement of its own before the DELETE. */
async function locks(client: pg.Client, query: string | pg.QueryConfig): Promise<boolean> {
  tap.reset();
  await client.query(query as pg.QueryConfig);
  return tap.count('FOR UPDATE') > 0;
}

async function withClient(proxy: RunningProxy, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = await proxy.connect(database.name);
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

describe.each([
  ['a query', TEXT],
  ['a prepared statement', PREPARED],
])('of %s', (_, query) => {
  test('a session can have rows locked where the configuration says none, and leave it', () =>
    withClient(plain, async (client) => {
      expect(await locks(client, query)).toBe(false);
      await client.query('SET pgcascade.locks = rows');
      expect(await locks(client, query)).toBe(true);
      await client.query('RESET pgcascade.locks');
      expect(await locks(client, query)).toBe(false);
    }));

  test('a session can have nothing locked where the configuration says rows', () =>
    withClient(locking, async (client) => {
      expect(await locks(client, query)).toBe(true);
      await client.query("SELECT set_config('pgcascade.locks', 'none', false)");
      expect(await locks(client, query)).toBe(false);
      await client.query('DISCARD ALL');
      expect(await locks(client, TEXT)).toBe(true);
    }));

  test('a transaction can, and its end, or a rollback to before it, leaves it', () =>
    withClient(plain, async (client) => {
      await client.query('BEGIN; SET LOCAL pgcascade.locks = rows');
      expect(await locks(client, query)).toBe(true);
      await client.query('COMMIT');
      expect(await locks(client, query)).toBe(false);
      await client.query('BEGIN; SAVEPOINT a; SET pgcascade.locks = rows; ROLLBACK TO a');
      expect(await locks(client, query)).toBe(false);
      await client.query('ROLLBACK');
    }));

  test('a connection string can', async () => {
    const client = new pg.Client({
      connectionString: plain.url(database.name),
      options: '-c pgcascade.locks=rows',
    });
    await client.connect();
    expect(await locks(client, query)).toBe(true);
    await client.end();
  });

  test('a value that is none is refused each time, and RESET mends that', () =>
    withClient(plain, async (client) => {
      await client.query(query as pg.QueryConfig);
      await client.query('SET pgcascade.locks = columns');
      for (let i = 0; i < 2; i++)
        await expect(client.query(query as pg.QueryConfig)).rejects.toMatchObject({
          code: '22023',
          message: 'invalid value for parameter "pgcascade.locks": "columns"',
        });
      await client.query('RESET pgcascade.locks');
      expect(await locks(client, query)).toBe(false);
    }));
});

test('a reload holds for what was prepared before it', () =>
  withClient(locking, async (client) => {
    expect(await locks(client, PREPARED)).toBe(true);
    await locking.reload({ cascade: { locks: 'none' } });
    onTestFinished(() => void locking.reload({ cascade: { locks: 'rows' } }));
    expect(await locks(client, PREPARED)).toBe(false);
  }));

test('the server says what is set', () =>
  withClient(plain, async (client) => {
    await client.query('SET pgcascade.locks = rows');
    expect((await client.query('SHOW pgcascade.locks')).rows).toEqual([{ 'pgcascade.locks': 'rows' }]);
  }));

test('a string that sets it first, and then deletes, is locked', () =>
  withClient(plain, async (client) => {
    expect(await locks(client, `SET pgcascade.locks = rows; ${TEXT}`)).toBe(true);
  }));

test('an ALTER ROLE can, from the next session on', async () => {
  const direct = await database.connect();
  await direct.query(`ALTER ROLE CURRENT_USER IN DATABASE ${database.name} SET pgcascade.locks = rows`);
  const client = await connectTo(plain.url(database.name));
  expect(await locks(client, TEXT)).toBe(true);
  await client.end();
  await direct.query(`ALTER ROLE CURRENT_USER IN DATABASE ${database.name} RESET pgcascade.locks`);
  await direct.end();
});
