import type pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

const schema = (action: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY, note text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int CONSTRAINT users_org_fkey REFERENCES orgs ${action});
  CREATE TABLE posts (id int PRIMARY KEY, user_id int CONSTRAINT posts_user_fkey REFERENCES users ${action});
  CREATE INDEX ON users (org_id);
  CREATE INDEX ON posts (user_id);`;
const ROWS = `TRUNCATE orgs, users, posts;
  INSERT INTO orgs VALUES (1), (2), (3);
  INSERT INTO users VALUES (10, 1), (20, 2), (30, 3);
  INSERT INTO posts VALUES (100, 10), (200, 20), (300, 30);`;

const native = useDatabase(schema('ON DELETE CASCADE'));
const guarded = useDatabase(schema(''));
const proxy = useProxy({ cascade: { overrides: [{ match: 'public.*.*', on_delete: 'cascade' }] } });

const opened: pg.Client[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) await client.query('ROLLBACK');
});

/** Two connections that get in each other's way; the first one is the application's. */
interface Both {
  readonly application: pg.Client;
  readonly other: pg.Client;
  /** Fulfilled when the application waits for a lock of the other's. */
  waits(): Promise<void>;
}

async function connect(database: Database, application: pg.Client): Promise<Both> {
  const other = await database.connect();
  await other.query(ROWS);
  opened.push(other, application);
  const pid = await pidOf(application);
  return {
    application,
    other,
    async waits() {
      const observer = await database.connect();
      await untilSession(observer, pid, WAITS_FOR_LOCK);
      await observer.end();
    },
  };
}

/** What an application gets: the answers to its statements, or their errors' codes. */
type Steps = (both: Both) => Promise<unknown>;

async function outcome(promise: Promise<pg.QueryResult>): Promise<unknown> {
  return promise.then(
    ({ command, rowCount, rows }) => ({ command, rowCount, rows }),
    (error: pg.DatabaseError) => ({ code: error.code, message: error.message }),
  );
}

async function expectAsNative(steps: Steps): Promise<unknown> {
  const contents = async (database: Database) => {
    const client = await database.connect();
    const sql = `SELECT 'orgs' AS t, id FROM orgs UNION ALL SELECT 'users', id FROM users UNION ALL
                 SELECT 'posts', id FROM posts ORDER BY 1, 2`;
    const { rows } = await client.query(sql);
    await client.end();
    return rows;
  };
  const expected = await steps(await connect(native, await native.connect()));
  const left = await contents(native);
  const came = await steps(await connect(guarded, await proxy.connect(guarded.name)));
  expect(came).toEqual(expected);
  expect(await contents(guarded)).toEqual(left);
  return came;
}

const FORMS: readonly {
  readonly form: string;
  readonly run: (client: pg.Client) => Promise<pg.QueryResult>;
}[] = [
  { form: 'a simple query', run: (client) => client.query('DELETE FROM orgs WHERE id = 1') },
  { form: 'parameters', run: (client) => client.query('DELETE FROM orgs WHERE id = $1', [1]) },
  {
    form: 'a prepared statement with RETURNING',
    run: (client) =>
      client.query({ name: 'd', text: 'DELETE FROM orgs WHERE id = $1 RETURNING id, note', values: [1] }),
  },
];

describe.each(FORMS)('with $form', ({ run }) => {
  test.each([
    'users VALUES (11, 1)',
    'posts VALUES (101, 10)',
  ])('29 a row that comes while the DELETE waits for its parent goes with it: %s', async (row) => {
    const came = await expectAsNative(async ({ application, other, waits }) => {
      await other.query(`BEGIN; INSERT INTO ${row}`);
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return [await deleted, await outcome(application.query('SELECT 1'))];
    });
    expect(came).toMatchObject([{ command: 'DELETE', rowCount: 1 }, { rowCount: 1 }]);
  });

  test('29 so it does in a transaction, which goes on', async () => {
    await expectAsNative(async ({ application, other, waits }) => {
      await application.query('BEGIN');
      await application.query('DELETE FROM orgs WHERE id = 3');
      await other.query('BEGIN; INSERT INTO users VALUES (11, 1)');
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return [
        await deleted,
        await outcome(application.query('INSERT INTO orgs VALUES (4)')),
        await outcome(application.query('COMMIT')),
      ];
    });
  });

  test.each([
    'REPEATABLE READ',
    'SERIALIZABLE',
  ])('29 in a %s transaction it is a serialization failure', async (level) => {
    const came = await expectAsNative(async ({ application, other, waits }) => {
      await application.query(`BEGIN ISOLATION LEVEL ${level}`);
      await application.query('SELECT FROM orgs');
      await other.query('BEGIN; INSERT INTO users VALUES (11, 1)');
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return [await deleted, await outcome(application.query('COMMIT'))];
    });
    expect(came).toMatchObject([{ code: '40001' }, { command: 'ROLLBACK' }]);
  });

  test('30 a parent that another transaction deletes first is deleted once', async () => {
    await expectAsNative(async ({ application, other, waits }) => {
      await other.query('BEGIN; DELETE FROM posts; DELETE FROM users; DELETE FROM orgs WHERE id = 1');
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return deleted;
    });
  });

  test('29 a parent that moves out of the WHERE meanwhile stays, and its children with it', async () => {
    await expectAsNative(async ({ application, other, waits }) => {
      await other.query(
        'BEGIN; UPDATE users SET org_id = 2 WHERE org_id = 1; UPDATE orgs SET id = 7 WHERE id = 1',
      );
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return deleted;
    });
  });

  test('29 a child that moves to another parent meanwhile stays', async () => {
    await expectAsNative(async ({ application, other, waits }) => {
      await other.query('BEGIN; UPDATE users SET org_id = 2 WHERE id = 10');
      const deleted = outcome(run(application));
      await waits();
      await other.query('COMMIT');
      return deleted;
    });
  });
});

test('30 two DELETEs of overlapping parents add up', async () => {
  await expectAsNative(async ({ application, other, waits }) => {
    await application.query('BEGIN');
    const first = await outcome(application.query('DELETE FROM orgs WHERE id IN (1, 2)'));
    await application.query('COMMIT');
    await other.query('BEGIN; DELETE FROM posts WHERE user_id = 30');
    const second = outcome(application.query('DELETE FROM orgs WHERE id IN (2, 3)'));
    await waits();
    await other.query('COMMIT');
    return [first, await second];
  });
});
