/** `cascade.locks: rows`: a DELETE sees the children of writers that lock their parent, though nobody enforces the key. */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { copyData, copyDone, run as execution, query, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, note text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE marks (post_id int REFERENCES posts ON DELETE SET NULL NOT ENFORCED);
  CREATE TABLE teams (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE);
  CREATE TABLE seats (id int PRIMARY KEY, team_id int REFERENCES teams ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE calls (id serial);
  CREATE FUNCTION counts(int) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN INSERT INTO calls DEFAULT VALUES; RETURN true; END';
  CREATE FUNCTION counted(orgs) RETURNS boolean LANGUAGE sql RETURN counts($1.id);
  CREATE DOMAIN checked AS int CHECK (counts(VALUE));
  CREATE TYPE wrap AS (id int);
  CREATE FUNCTION wrapped(int) RETURNS wrap LANGUAGE sql BEGIN ATOMIC SELECT counts($1); SELECT row($1); END;
  CREATE CAST (int AS wrap) WITH FUNCTION wrapped(int);
  CREATE FUNCTION adds(int, int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT counts($1); SELECT $1 + $2; END;
  CREATE AGGREGATE total(int) (sfunc = adds, stype = int, initcond = 0);
  CREATE FUNCTION says(int) RETURNS boolean STABLE LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''looked at %'', $1; RETURN true; END';
  CREATE FUNCTION calm(int) RETURNS boolean STABLE LANGUAGE sql RETURN true`);
const tap = useTap();
const asking = useProxy({ cascade: { locks: 'rows' }, graph: { refresh: '0s' } });
const proxy = useProxy({
  cascade: { locks: 'rows' },
  graph: { refresh: '1h' },
  get upstream() {
    return tap.url;
  },
});

const ROWS = `DELETE FROM seats; DELETE FROM teams; DELETE FROM marks; DELETE FROM posts; DELETE FROM users; DELETE FROM orgs;
  DELETE FROM calls;
  INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (10, 1), (20, 2);
  INSERT INTO posts VALUES (100, 10), (200, 20); INSERT INTO marks VALUES (100), (200);
  INSERT INTO teams VALUES (11, 1), (21, 2); INSERT INTO seats VALUES (111, 11), (211, 21)`;
const LEFT = `SELECT 'user ' || id AS row FROM users UNION ALL SELECT 'post ' || id FROM posts
  UNION ALL SELECT 'mark ' || coalesce(post_id::text, '-') FROM marks UNION ALL SELECT 'team ' || id FROM teams
  UNION ALL SELECT 'seat ' || id FROM seats ORDER BY 1`;
const ONLY_ORG_2 = ['mark -', 'mark 200', 'post 200', 'seat 211', 'team 21', 'user 20'];

let application: pg.Client;
let writer: pg.Client;
let observer: pg.Client;
beforeEach(async () => {
  application = await proxy.connect(database.name);
  [writer, observer] = [await database.connect(), await database.connect()];
  await writer.query(ROWS);
});
afterEach(async () => {
  await Promise.all([application, writer, observer].map((client) => client.end()));
});

const left = async () => (await observer.query(LEFT)).rows.map(({ row }) => row);

/**
 * A writer has done these statements in its transaction when the DELETE begins, and commits when the DELETE waits for it.
 * @param look is called while it waits
 */
async function meanwhile<T>(
  written: string,
  deleting: () => Promise<unknown>,
  pid?: number,
  look?: () => T,
): Promise<T | undefined> {
  const [waiter, blocker] = [pid ?? (await pidOf(application)), await pidOf(writer)];
  await writer.query(`BEGIN; ${written}`);
  const deleted = deleting();
  await untilBlockedBy(observer, waiter, blocker);
  const seen = look?.();
  await writer.query('COMMIT');
  await deleted;
  return seen;
}

const CHILD = 'SELECT FROM orgs WHERE id = 1 FOR KEY SHARE; INSERT INTO users VALUES (12, 1)';
const GRANDCHILD = 'SELECT FROM users WHERE id = 10 FOR KEY SHARE; INSERT INTO posts VALUES (102, 10)';
/** The server locks the org, and performs the key of the team itself; nobody enforces that of its seat. */
const BELOW_ENFORCED = 'INSERT INTO teams VALUES (12, 1); INSERT INTO seats VALUES (112, 12)';

type Run = (sql: string, id: number) => Promise<unknown>;
const simply: Run = (sql, id) => application.query(sql.replace('$1', String(id)));
const withParameters: Run = (sql, id) => application.query(sql, [id]);
const prepared: Run = (sql, id) => application.query({ name: 'd', text: sql, values: [id] });
const inBlock =
  (run: Run): Run =>
  async (sql, id) => {
    await application.query('BEGIN');
    await run(sql, id);
    await application.query('COMMIT');
  };
const inString: Run = (sql, id) =>
  application.query(`/* two */ DELETE FROM orgs WHERE id = 3; ${sql.replace('$1', String(id))}; SELECT 1`);
const many: Run = (sql, id) =>
  application.query(
    Array.from({ length: 9 }, (_, i) => sql.replace('$1', String(i === 4 ? id : 90 + i))).join(';'),
  );
const afterSetting: Run = (sql, id) =>
  application.query(`SET search_path = public; ${sql.replace('$1', String(id))}`);

const MANNERS: readonly (readonly [string, Run])[] = [
  ['as a simple query', simply],
  ['with parameters', withParameters],
  ['prepared', prepared],
  ['in a block', inBlock(simply)],
  ['in a block with parameters', inBlock(withParameters)],
  ['in a string', inString],
  ['in a string of many', many],
  ['after what changes the meaning of names', afterSetting],
];

describe.each(MANNERS)('a DELETE %s', (_, run) => {
  test.each([
    ['a child', CHILD],
    ['a grandchild', GRANDCHILD],
    ['a row below an enforced key, with a child', BELOW_ENFORCED],
  ])('takes %s that was written while it waited', async (_, written) => {
    await meanwhile(written, () => run('DELETE FROM orgs WHERE id = $1', 1));
    expect(await left()).toEqual(ONLY_ORG_2);
  });

  test('whose WHERE calls what is volatile calls it once a row, and deletes without locks', async () => {
    await run('DELETE FROM orgs WHERE id = $1 AND counts(id)', 1);
    expect((await observer.query('SELECT FROM calls')).rowCount).toBe(1);
    expect(await left()).toEqual(ONLY_ORG_2);
  });

  test('has the notices of what its WHERE calls heard once', async () => {
    const heard: unknown[] = [];
    // The Query after it drops the unnamed statement.
    await application.query('DELETE FROM orgs WHERE id = $1', [3]);
    application.on('notice', ({ message }) => heard.push(message));
    await run('DELETE FROM orgs WHERE id = $1 AND says(id)', 1);
    expect(heard).toEqual(['looked at 1']);
  });

  test('is executed for a role that may not lock', async () => {
    const role = `first_locks_${process.pid}`;
    await writer.query(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role};
      GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO ${role}; GRANT UPDATE ON marks TO ${role}`);
    try {
      await application.query(`SET ROLE ${role}`);
      await run('DELETE FROM orgs WHERE id = $1', 1);
      expect(await left()).toEqual(ONLY_ORG_2);
    } finally {
      await application.query('RESET ROLE');
      await writer.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

test.each([
  ['a function that is written as a column', '(orgs).counted'],
  ['the CHECK of a domain', 'id::checked = id'],
  ['that of one of an array', 'array_length(ARRAY[id]::checked[], 1) = 1'],
  ['that of a domain that is written as a function', 'checked(id) = id'],
  ['a cast', '(id::wrap).id = id'],
  ['an aggregate', 'id = (SELECT total(o.id) FROM orgs AS o WHERE o.id = 1)'],
])('%s is evaluated once, too', async (_, condition) => {
  await application.query(`DELETE FROM orgs WHERE id = 1 AND ${condition}`);
  expect((await observer.query('SELECT FROM calls')).rowCount).toBe(1);
  expect(await left()).toEqual(ONLY_ORG_2);
});

const CALM = 'CREATE OR REPLACE FUNCTION calm(int) RETURNS boolean STABLE LANGUAGE sql RETURN true';
const VOLATILE = `CREATE OR REPLACE FUNCTION calm(int) RETURNS boolean VOLATILE LANGUAGE plpgsql AS
  'BEGIN INSERT INTO calls DEFAULT VALUES; RETURN true; END'`;

describe('a function that another session has made volatile since is called once', () => {
  /** A session that knows the function as a stable one, and deletes by it when it is volatile. */
  async function calls(through: typeof proxy, makeVolatile: () => Promise<unknown>): Promise<number | null> {
    const session = await through.connect(database.name);
    try {
      await session.query('DELETE FROM orgs WHERE id = 2 AND calm(id)');
      await makeVolatile();
      await session.query('DELETE FROM orgs WHERE id = 1 AND calm(id)');
      return (await observer.query('SELECT FROM calls')).rowCount;
    } finally {
      await writer.query(CALM);
      await session.end();
    }
  }

  test('where that was sent through the proxy', async () => {
    expect(await calls(proxy, () => application.query(VOLATILE))).toBe(1);
  });

  test('where each statement asks for the schema', async () => {
    expect(await calls(asking, () => writer.query(VOLATILE))).toBe(1);
  });
});

test.each([
  ['EXECUTE', 'EXECUTE d (1)'],
  ['EXPLAIN ANALYZE', 'EXPLAIN ANALYZE EXECUTE d (1)'],
])('an %s of what the protocol has prepared deletes without locks, whose values the Bind would have', async (_, sql) => {
  await application.query({ name: 'd', text: 'DELETE FROM orgs WHERE id = $1', values: [3] });
  tap.reset();
  await application.query(sql);
  expect(tap.count('FOR UPDATE')).toBe(0);
  expect(await left()).toEqual(ONLY_ORG_2);
});

test('the data of a COPY after a DELETE in its string is taken', async () => {
  const client = await RawClient.login(proxy, { database: database.name });
  client.send(query('DELETE FROM orgs WHERE id = 1; COPY orgs (id) FROM STDIN'));
  await client.until('G');
  await client.ask(copyData('7\n'), copyDone);
  expect(await left()).toEqual(ONLY_ORG_2);
  expect((await observer.query('SELECT FROM orgs WHERE id = 7')).rowCount).toBe(1);
});

test('DELETEs of one pipeline lock first too', async () => {
  const client = await RawClient.login(proxy, { database: database.name });
  const both = ['3', '1'].map((id) => execution('DELETE FROM orgs WHERE id = $1', [id]));
  await meanwhile(CHILD, () => client.ask(...both, sync), await pidOf(client));
  expect(await left()).toEqual(ONLY_ORG_2);
});

test.each([
  ['a Query', [query('DELETE FROM orgs WHERE id = 1')]],
  ['messages up to a Sync', [execution('DELETE FROM orgs WHERE id = $1', ['1']), sync]],
])('%s: locks and DELETE are sent together, and whether they are harmless is asked once', async (_, messages) => {
  const client = await RawClient.login(proxy, { database: database.name });
  const pid = await pidOf(client);
  await client.ask(...messages);
  await writer.query(ROWS);
  tap.reset();
  const sent = await meanwhile(
    CHILD,
    () => client.ask(...messages),
    pid,
    () => ['FOR UPDATE OF "orgs"', ') FOR UPDATE)', 'provolatile'].map(tap.count),
  );
  // Of orgs; of users and teams, which have children; and of posts.
  expect(sent).toEqual([1, 3, 0]);
});
