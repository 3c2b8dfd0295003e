/**
 * What docs/differences.md says under "While others write" of what stays different from native: nothing is half done,
 * and a retry goes well.
 */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';

const schema = (enforced: boolean) => {
  const key = (action: string) => (enforced ? '' : `ON DELETE ${action} NOT ENFORCED`);
  return `CREATE TABLE orgs (id int PRIMARY KEY, note text);
    CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ${key('CASCADE')});
    CREATE TABLE badges (id int PRIMARY KEY, user_id int REFERENCES users ${key('RESTRICT')});`;
};
const ROWS = `TRUNCATE orgs, users, badges; INSERT INTO orgs VALUES (1, 'a'), (2, 'b');
  INSERT INTO users VALUES (10, 1), (20, 2); INSERT INTO badges VALUES (2, 20)`;
const overridden = useDatabase(schema(true));
const emulated = useDatabase(schema(false));
const proxy = useProxy({
  cascade: {
    overrides: [
      { match: 'public.users.*', on_delete: 'cascade' },
      { match: 'public.badges.*', on_delete: 'restrict' },
    ],
  },
});

const code = (promise: Promise<pg.QueryResult>) =>
  promise.then(
    ({ command, rowCount }) => `${command} ${rowCount}`,
    (error: pg.DatabaseError) => error.code,
  );

interface Both {
  readonly application: pg.Client;
  readonly other: pg.Client;
  /** Fulfilled when the other one blocks the application. */
  blocks(): Promise<void>;
}

async function withBoth(database: Database, steps: (both: Both) => Promise<void>): Promise<void> {
  const [application, other, observer] = [
    await proxy.connect(database.name),
    await database.connect(),
    await database.connect(),
  ];
  await other.query(ROWS);
  const [waiter, blocker] = [await pidOf(application), await pidOf(other)];
  await steps({
    application,
    other,
    blocks: () => untilBlockedBy(observer, waiter, blocker),
  });
  await Promise.all([application, other, observer].map((client) => client.end()));
}

const LEFT = `SELECT 'org ' || id AS row FROM orgs UNION ALL SELECT 'user ' || id FROM users UNION ALL
  SELECT 'badge ' || id FROM badges ORDER BY 1`;
const left = async (client: pg.Client) => (await client.query(LEFT)).rows.map(({ row }) => row).join(', ');

describe.each([
  ['overridden', overridden],
  ['not enforced', emulated],
])('with keys that are %s', (_, database) => {
  test.each([
    'DELETE FROM users WHERE id = 10',
    'UPDATE users SET org_id = 2 WHERE id = 10',
  ])('a child that changed since the snapshot ends the DELETE with 40001, and nothing is deleted: %s', (change) =>
    withBoth(database, async ({ application, other }) => {
      await application.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM orgs');
      await other.query(change);
      const before = await left(other);
      expect(await code(application.query('DELETE FROM orgs WHERE id = 1'))).toBe('40001');
      await application.query('ROLLBACK');
      expect(await left(other)).toBe(before);
      await application.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      expect(await code(application.query('DELETE FROM orgs WHERE id = 1'))).toBe('DELETE 1');
      await application.query('COMMIT');
      expect(await left(other)).toBe(before.replace('org 1, ', ''));
    }));

  test('a row that is about to go breaks RESTRICT still, and does not when it is gone', () =>
    withBoth(database, async ({ application, other }) => {
      await other.query('BEGIN; DELETE FROM badges');
      expect(await code(application.query('DELETE FROM orgs WHERE id = 2'))).toBe('23001');
      await other.query('COMMIT');
      expect(await code(application.query('DELETE FROM orgs WHERE id = 2'))).toBe('DELETE 1');
      expect(await left(other)).toBe('org 1, user 10');
    }));
});

test('a DELETE that is sent again takes what its WHERE finds then, with all that is below', () =>
  withBoth(overridden, async ({ application, other, blocks }) => {
    await other.query(
      `BEGIN; INSERT INTO users VALUES (11, 1); INSERT INTO orgs VALUES (3, 'a'); INSERT INTO users VALUES (30, 3)`,
    );
    const deleted = code(application.query(`DELETE FROM orgs WHERE note = 'a'`));
    await blocks();
    await other.query('COMMIT');
    expect(await deleted).toBe('DELETE 2');
    expect(await left(other)).toBe('badge 2, org 2, user 20');
  }));
