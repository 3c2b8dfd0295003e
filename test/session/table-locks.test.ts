/** `cascade.locks: tables`: a DELETE sees what anybody has written to its children's tables, and nobody writes there until it has ended. */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilBlocked, untilBlockedBy } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, note text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE marks (post_id int REFERENCES posts ON DELETE SET NULL NOT ENFORCED);
  CREATE TABLE bills (org_id int REFERENCES orgs ON DELETE RESTRICT NOT ENFORCED);
  CREATE TABLE teams (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE);
  CREATE TABLE seats (id int PRIMARY KEY, team_id int REFERENCES teams ON DELETE CASCADE NOT ENFORCED)`);
const proxies = {
  single: useProxy({ cascade: { locks: 'tables' } }),
  ordered: useProxy({ cascade: { locks: 'tables', strategy: 'ordered' } }),
};
const plain = useProxy();
const unlocked = useProxy({ profile: 'dsql', cascade: { locks: 'tables' } });

const ROWS = `DELETE FROM seats; DELETE FROM teams; DELETE FROM marks; DELETE FROM posts; DELETE FROM users; DELETE FROM bills;
  DELETE FROM orgs;
  INSERT INTO orgs VALUES (1), (2), (3); INSERT INTO users VALUES (10, 1), (20, 2), (30, 3);
  INSERT INTO posts VALUES (100, 10), (200, 20); INSERT INTO marks VALUES (100), (200);
  INSERT INTO teams VALUES (11, 1), (21, 2); INSERT INTO seats VALUES (111, 11), (211, 21)`;
const LEFT = `SELECT 'org ' || id AS row FROM orgs UNION ALL SELECT 'user ' || id FROM users UNION ALL SELECT 'post ' || id FROM posts
  UNION ALL SELECT 'mark ' || coalesce(post_id::text, '-') FROM marks UNION ALL SELECT 'team ' || id FROM teams
  UNION ALL SELECT 'seat ' || id FROM seats ORDER BY 1`;
const WITHOUT_ORG_1 = [
  ...['mark -', 'mark 200', 'org 2', 'org 3', 'post 200', 'seat 211', 'team 21', 'user 20', 'user 30'],
];

let writer: pg.Client;
let observer: pg.Client;
beforeEach(async () => {
  [writer, observer] = [await database.connect(), await database.connect()];
  await writer.query(ROWS);
});
afterEach(async () => {
  await Promise.all([writer, observer].map((client) => client.end()));
});

const left = async () => (await observer.query(LEFT)).rows.map(({ row }) => row);

type Run = (client: pg.Client, id: number) => Promise<unknown>;
const DELETE = 'DELETE FROM orgs WHERE id = ';
const simply: Run = (client, id) => client.query(`${DELETE}${id}`);
const withParameters: Run = (client, id) => client.query(`${DELETE}$1`, [id]);
const prepared: Run = (client, id) => client.query({ name: 'd', text: `${DELETE}$1`, values: [id] });
const preparedBefore: Run = async (client, id) => {
  await client.query({ name: 'd', text: `${DELETE}$1`, values: [0] });
  return prepared(client, id);
};
const inBlock =
  (run: Run): Run =>
  async (client, id) => {
    await client.query('BEGIN');
    await run(client, id);
    await client.query('COMMIT');
  };

const MANNERS: readonly (readonly [string, Run])[] = [
  ['as a simple query', simply],
  ['with parameters', withParameters],
  ['prepared', prepared],
  ['prepared before', preparedBefore],
  ['in a block', inBlock(simply)],
  ['in a block with parameters', inBlock(withParameters)],
  ['prepared in a block', inBlock(prepared)],
  ['in a string', (client, id) => client.query(`/* two */ ${DELETE}0; ${DELETE}${id}; SELECT 1`)],
  [
    'in a string of many',
    (client, id) =>
      client.query(Array.from({ length: 9 }, (_, i) => `${DELETE}${i === 4 ? id : 90 + i}`).join(';')),
  ],
  [
    'after what changes the meaning of names',
    (client, id) => client.query(`SET search_path = public; ${DELETE}${id}`),
  ],
  [
    'in a WITH',
    (client, id) => client.query(`WITH gone AS (${DELETE}$1 RETURNING id) SELECT id FROM gone`, [id]),
  ],
];

const IN_ORDER: ReadonlySet<Run> = new Set([simply, withParameters, preparedBefore]);
const CASES = [
  ...MANNERS.map(([manner, run]) => ['single', manner, run] as const),
  ...MANNERS.filter(([, run]) => IN_ORDER.has(run)).map(([manner, run]) => ['ordered', manner, run] as const),
];

async function withClients<T>(
  proxy: typeof plain,
  use: (first: pg.Client, second: pg.Client) => Promise<T>,
): Promise<T> {
  const [first, second] = [await proxy.connect(database.name), await proxy.connect(database.name)];
  try {
    return await use(first, second);
  } finally {
    await Promise.all([first.end(), second.end()]);
  }
}

describe.each(CASES)('with strategy %s a DELETE %s', (strategy, _, run) => {
  test('takes what was written while it waited, by a writer that locks nothing', () =>
    withClients(proxies[strategy], async (client) => {
      const [waiter, blocker] = [await pidOf(client), await pidOf(writer)];
      await writer.query(`BEGIN; INSERT INTO users VALUES (12, 1); INSERT INTO posts VALUES (102, 10), (103, 12);
        INSERT INTO seats VALUES (112, 11)`);
      const deleted = run(client, 1);
      await untilBlockedBy(observer, waiter, blocker);
      await writer.query('COMMIT');
      await deleted;
      expect(await left()).toEqual(WITHOUT_ORG_1);
    }));

  test('goes after another that comes at the same time, and not against it', () =>
    withClients(proxies[strategy], async (first, second) => {
      await Promise.all([run(first, 0), run(second, 0)]);
      await writer.query('BEGIN; INSERT INTO users VALUES (22, 2)');
      const deleted = Promise.all([run(first, 1), run(second, 3)]);
      await untilBlocked(observer, 2);
      await writer.query('COMMIT');
      await deleted;
      const without = WITHOUT_ORG_1.filter((row) => row !== 'org 3' && row !== 'user 30');
      expect(await left()).toEqual([...without, 'user 22']);
    }));
});

test.each([
  'single',
  'ordered',
] as const)('a writer that comes later, and looks for the parent as it writes, finds it gone, with strategy %s', (strategy) =>
  withClients(proxies[strategy], async (client) => {
    const [waiter, blocker] = [await pidOf(writer), await pidOf(client)];
    await client.query(`BEGIN; ${DELETE}1`);
    const written = writer.query('INSERT INTO users SELECT 12, id FROM orgs WHERE id = 1');
    await untilBlockedBy(observer, waiter, blocker);
    await client.query('COMMIT');
    expect((await written).rowCount).toBe(0);
  }));

test.each([
  'single',
  'ordered',
] as const)('a rule counts what was written meanwhile, with strategy %s', (strategy) =>
  withClients(proxies[strategy], async (client) => {
    const [waiter, blocker] = [await pidOf(client), await pidOf(writer)];
    await writer.query('BEGIN; INSERT INTO bills VALUES (1)');
    const deleted = client.query(`${DELETE}1`).catch((error: unknown) => error);
    await untilBlockedBy(observer, waiter, blocker);
    await writer.query('COMMIT');
    expect(await deleted).toMatchObject({ code: '23001', table: 'bills' });
  }));

describe('locks of tables', () => {
  const LOCKED = `SELECT relation::regclass::text AS table FROM pg_locks
    WHERE mode = 'ShareRowExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`;
  const locked = async () => (await observer.query(LOCKED)).rows.map(({ table }) => table);

  test('are those of all keys that the DELETE follows, where the session says so', () =>
    withClients(plain, async (client) => {
      await client.query(`BEGIN; ${DELETE}1`);
      expect(await locked()).toEqual([]);
      await client.query(`SET pgcascade.locks = tables; ${DELETE}2`);
      expect(await locked()).toEqual(['bills', 'marks', 'posts', 'seats', 'teams', 'users']);
    }));

  test('are not taken where the session says otherwise, nor where something is only prepared', () =>
    withClients(proxies.single, async (client) => {
      await client.query(`BEGIN; PREPARE d AS ${DELETE}$1; SET LOCAL pgcascade.locks = none; ${DELETE}1`);
      expect(await locked()).toEqual([]);
      await client.query('SET LOCAL pgcascade.locks = tables; EXECUTE d(2)');
      expect(await locked()).toEqual(['bills', 'marks', 'posts', 'seats', 'teams', 'users']);
    }));

  test('that the role may not take fail the DELETE', () =>
    withClients(proxies.single, async (client) => {
      const role = `table_locks_${process.pid}`;
      await writer.query(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role};
        GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO ${role}; REVOKE DELETE ON bills FROM ${role};
        GRANT UPDATE ON marks TO ${role}`);
      try {
        await client.query(`SET ROLE ${role}`);
        const denied = { code: '42501', message: 'permission denied for table bills' };
        for (const run of [simply, withParameters, prepared])
          await expect(run(client, 1)).rejects.toMatchObject(denied);
        await writer.query(`GRANT TRUNCATE ON bills TO ${role}`);
        await withParameters(client, 1);
        expect(await left()).toEqual(WITHOUT_ORG_1);
      } finally {
        await client.query('RESET ROLE');
        await writer.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    }));

  test('are refused by name where it is not certain that they keep writers away', () =>
    withClients(unlocked, async (client) => {
      await expect(simply(client, 1)).rejects.toMatchObject({
        code: '0A000',
        message: expect.stringContaining('its tables are not locked there (cascade.locks is tables)'),
      });
      await client.query('SET pgcascade.locks = none');
      await expect(simply(client, 2)).resolves.toMatchObject({ rowCount: 1 });
    }));
});
