/** What is locked before a statement that was overtaken is sent again. */
import type pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configSchema } from '../../src/config/schema.js';
import { readAnswer } from '../../src/graph/catalog/answer.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import { mergeGraph } from '../../src/graph/merge.js';
import { postgres } from '../../src/profiles/profile.js';
import type { Locks } from '../../src/render/single/locks.js';
import { rewrite } from '../../src/rewrite/text.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { readStatements, targetsOf } from '../../src/sql/statement/statement.js';
import { atOnce } from '../support/at-once.js';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, note text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users, reply_to int REFERENCES posts);
  CREATE TABLE marks (post int REFERENCES posts);
  CREATE TABLE notes (org_id int REFERENCES orgs);
  CREATE INDEX ON users (org_id);
  INSERT INTO orgs VALUES (1, 'a'), (2, 'b'), (3, 'c');
  INSERT INTO users VALUES (10, 1), (11, 1), (20, 2), (30, 3);
  INSERT INTO posts VALUES (100, 10, NULL), (200, 20, 100), (201, 20, 200), (300, 30, NULL);
  INSERT INTO marks VALUES (100); INSERT INTO notes VALUES (1);
  CREATE FUNCTION slowly(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT pg_sleep(0.02)::text = $$$$';
  CREATE FUNCTION behind_lock(int) RETURNS boolean LANGUAGE plpgsql STABLE AS
    'BEGIN RAISE NOTICE ''looked at %'', $1; PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END';
  CREATE SCHEMA named; CREATE TABLE named.using (id int PRIMARY KEY);
  CREATE TABLE named.below (id int REFERENCES named.using);
  CREATE TABLE calls (id serial);
  CREATE FUNCTION counts(int) RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN INSERT INTO calls DEFAULT VALUES; RETURN behind_lock($1); END';
  CREATE FUNCTION counted(orgs) RETURNS boolean LANGUAGE sql AS 'SELECT counts($1.id)';
  CREATE OPERATOR !! (RIGHTARG = int, FUNCTION = counts);`);
const CASCADE = { overrides: [{ match: '*.*.*', on_delete: 'cascade' }] };
const proxy = useProxy({ cascade: CASCADE });

let client: pg.Client;
beforeAll(() => parserReady());
beforeEach(async () => {
  client = await proxy.connect(database.name);
});
afterEach(async () => {
  await client.end();
});

/** What would be locked before a DELETE; undefined where that is nothing. */
async function locksOf(text: string): Promise<Locks | undefined> {
  const statements = readStatements(text) ?? [];
  const names = statements.flatMap(targetsOf);
  const { cascade } = configSchema.parse({ cascade: CASCADE });
  const question = catalogQuestion({ names, fingerprint: false, catalog: true, server: false }, []);
  const { rows } = await client.query(question);
  const { catalog, meanings } = await readAnswer(rows[0]?.answer);
  if (!catalog) throw new Error('the answer has no catalog');
  const graph = await mergeGraph(catalog, cascade);
  const context = {
    graph,
    meaning: (name: (typeof names)[number]) => meanings[names.indexOf(name)] ?? null,
    returnedColumns: () => ['id'],
    executable: () => undefined,
    profile: postgres(18),
    counting: false,
    refusesCode: false,
    triggers: cascade.triggers,
    guard: cascade.guard,
    verifiesCopies: false,
    locks: cascade.locks,
    atomic: true,
    strategy: 'single' as const,
    batchRows: 0,
    onLimit: 'fail' as const,
    reject: true,
    inString: true,
    retries: true,
  };
  const { treatments } = atOnce(
    rewrite(text, statements, context, { touched: false, sensitive: graph.isActive }),
  );
  return treatments.flatMap((each) =>
    each.kind === 'cascade' && each.program.kind === 'single' ? [each.program.locks] : [],
  )[0];
}

/** The ids of the rows that a statement is going to delete and that others reference, as they are locked. */
async function lockedBy(locks: Locks | undefined, values: readonly unknown[] = []): Promise<number[]> {
  const [one, other] = [await database.connect(), await database.connect()];
  await one.query('BEGIN');
  for (const { sql } of locks?.statements ?? []) await one.query(sql, [...values]);
  const left = ['orgs', 'users', 'posts'].map((table) => `SELECT id FROM ${table}`);
  const all: number[] = [];
  for (const sql of left) {
    const free = (await other.query(`${sql} FOR KEY SHARE SKIP LOCKED`)).rows.map(({ id }) => id);
    all.push(...(await other.query(sql)).rows.map(({ id }) => id).filter((id) => !free.includes(id)));
  }
  await one.query('ROLLBACK');
  return all.sort((a, b) => a - b);
}

const OF_ORG_1 = [1, 10, 11, 100, 200, 201];

describe('from the top down', () => {
  test.each<[string, unknown[], number[]]>([
    ['DELETE FROM orgs WHERE id = 1', [], OF_ORG_1],
    ['delete from only public.orgs where id = $1 returning *', [1], OF_ORG_1],
    ['DELETE FROM orgs * AS o WHERE o.id = 1 -- the last\n;', [], OF_ORG_1],
    ['DELETE FROM orgs "USING" USING users u WHERE u.org_id = "USING".id AND u.id = 11', [], OF_ORG_1],
    [
      'DELETE FROM orgs o USING users JOIN (SELECT 11 AS id) x USING (id) WHERE users.org_id = o.id RETURNING o.id',
      [],
      OF_ORG_1,
    ],
    [
      `DELETE FROM orgs USING users u CROSS JOIN LATERAL (SELECT u.org_id + $1 AS next) x -- USING, RETURNING
       WHERE orgs.id = u.org_id AND next = 2 /* RETURNING */ RETURNING (SELECT count(*) FROM users)`,
      [1],
      OF_ORG_1,
    ],
    [`WITH w AS (SELECT 1 AS id) DELETE FROM orgs USING w WHERE w.id = orgs.id`, [], OF_ORG_1],
    [
      `WITH RECURSIVE w (n) AS (VALUES (1) UNION ALL SELECT n FROM w WHERE false) DELETE FROM orgs WHERE id IN (SELECT n FROM w) RETURNING note`,
      [],
      OF_ORG_1,
    ],
    ['DELETE FROM orgs WHERE id = 1 RETURNING id AS returning', [], OF_ORG_1],
    ['DELETE FROM named.using USING (SELECT 1 AS one) AS o WHERE id = one', [], []],
    ['DELETE FROM users WHERE id = 30', [], [30, 300]],
    ['DELETE FROM posts WHERE id = 200', [], [200, 201]],
    ['DELETE FROM orgs WHERE false', [], []],
  ])('what it deletes, and others reference, is locked: %s', async (text, values, expected) => {
    expect(await lockedBy(await locksOf(text), values)).toEqual(expected);
  });

  test('nothing, where nothing references what is deleted', async () => {
    expect(await locksOf('DELETE FROM marks')).toBeUndefined();
  });

  test.each([
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM d',
    'WITH i AS (INSERT INTO orgs VALUES (9)) DELETE FROM orgs WHERE id = 1',
    'MERGE INTO orgs USING (VALUES (1)) AS v (id) ON v.id = orgs.id WHEN MATCHED THEN DELETE',
    'DELETE FROM orgs WHERE id = 1 RETURNING $1::int',
  ])('nothing, as a SELECT cannot be put in the place of %s', async (text) => {
    expect(await locksOf(text)).toBeUndefined();
  });
});

/** Gives users to org 2 all the time, each in a transaction that takes a moment. */
async function fillsOrg2(others: number, until: Promise<unknown>): Promise<void> {
  let ended = false;
  void until.finally(() => {
    ended = true;
  });
  const fill = async () => {
    const other = await database.connect();
    while (!ended)
      await other
        .query(
          `BEGIN; WITH u AS (INSERT INTO users VALUES (nextval('users_ids'), 2) RETURNING id)
                    INSERT INTO posts SELECT id, id FROM u; SELECT pg_sleep(0.005); COMMIT`,
        )
        .catch(() => other.query('ROLLBACK'));
  };
  await Promise.all(Array.from({ length: others }, fill));
}

/** Slow enough that others come between its snapshot and its locks. */
const SLOWLY = 'AND slowly(id)';
/** Not before whoever holds the lock lets go of it; what fails lets go of it too. */
const BEHIND_LOCK = 'AND behind_lock(id)';
const BEHIND_ADVISORY = `wait_event = 'advisory'`;
const DELETE = 'DELETE FROM orgs WHERE id = $1';

type Run = (text: string, id: number) => Promise<pg.QueryResult>;
const simply: Run = (text, id) => client.query(text.replace('$1', String(id)));
const withParameters: Run = (text, id) => client.query(text, [id]);
const inTransaction =
  (run: Run): Run =>
  async (text, id) => {
    await client.query('BEGIN');
    const result = await run(text, id);
    await client.query('COMMIT');
    return result;
  };
const MANNERS: readonly (readonly [string, Run])[] = [
  ['as a simple query', simply],
  ['with parameters', withParameters],
  ['in a transaction', inTransaction(simply)],
  ['in a transaction with parameters', inTransaction(withParameters)],
];

/** Runs a DELETE of an org that says BEHIND_LOCK, or that counts, and gives the org a user when it has begun. */
async function overtaken(run: Run, text: string, id: number): Promise<pg.QueryResult> {
  const [observer, other] = [await database.connect(), await database.connect()];
  await observer.query('DELETE FROM calls');
  await observer.query(`INSERT INTO orgs VALUES (${id})`);
  const pid = await pidOf(client);
  await other.query('SELECT pg_advisory_lock(7)');
  const deleted = run(text, id);
  await untilSession(observer, pid, BEHIND_ADVISORY);
  await observer.query(`INSERT INTO users VALUES (${id * 10}, ${id})`);
  await Promise.all([other.end(), observer.end()]);
  return deleted;
}

describe.each(MANNERS)('%s', (_, run) => {
  test.each<readonly [string, string]>([
    ['with a comment before it', `/* a tool's */ -- tag\n${DELETE} ${BEHIND_LOCK}`],
    ['with a comment after it', `${DELETE} ${BEHIND_LOCK}; -- tag`],
    ['with a RETURNING of that name', `${DELETE} ${BEHIND_LOCK} RETURNING id AS returning`],
  ])('a DELETE %s that is overtaken deletes the new child', async (_, text) => {
    expect((await overtaken(run, text, 6)).rowCount).toBe(1);
    expect((await client.query('SELECT FROM users WHERE id = 60')).rowCount).toBe(0);
  });

  test.each([
    'counts(id)',
    'orgs.counted',
    '!! id',
  ])('%s, which changes something, does it once, as far as is seen', async (call) => {
    expect((await overtaken(run, `${DELETE} AND ${call}`, 6)).rowCount).toBe(1);
    expect((await client.query('SELECT FROM calls')).rowCount).toBe(1);
  });

  test('a NOTICE is heard once', async () => {
    const heard: (string | undefined)[] = [];
    client.on('notice', ({ message }) => heard.push(message));
    await overtaken(run, `${DELETE} ${BEHIND_LOCK}`, 6);
    expect(heard).toEqual(['looked at 6']);
  });
});

test.each(MANNERS)('children that come all the time do not stop a DELETE %s', async (_, run) => {
  const setup = await database.connect();
  await setup.query('CREATE SEQUENCE IF NOT EXISTS users_ids START 1000');
  const deletes = (async () => {
    for (let i = 0; i < 4; i++) {
      await run(`${DELETE} ${SLOWLY}`, 2);
      await setup.query(`INSERT INTO orgs VALUES (2, 'b')`);
    }
  })();
  await fillsOrg2(4, deletes);
  await deletes;
});

test.each(MANNERS)('a cancel while it locks ends a DELETE %s', async (_, run) => {
  const [observer, other] = [await database.connect(), await database.connect()];
  await observer.query('INSERT INTO orgs VALUES (5)');
  const pid = await pidOf(client);
  await other.query('SELECT pg_advisory_lock(7)');
  const deleted = run(`${DELETE} ${BEHIND_LOCK}`, 5).then(
    () => 'deleted',
    (error: pg.DatabaseError) => error.code,
  );
  await untilSession(observer, pid, BEHIND_ADVISORY);
  await observer.query('INSERT INTO users VALUES (50, 5)');
  await other.query('SELECT pg_advisory_unlock(7); SELECT pg_advisory_lock(7)');
  await untilSession(observer, pid, `${BEHIND_ADVISORY} AND query LIKE '%FOR UPDATE%'`);
  await observer.query(`SELECT pg_cancel_backend(${pid})`);
  await other.query('SELECT pg_advisory_unlock(7)');
  expect(await deleted).toBe('57014');
  await client.query('ROLLBACK');
  expect((await client.query('SELECT FROM users WHERE org_id = 5')).rowCount).toBe(1);
  expect((await client.query('DELETE FROM orgs WHERE id = 5')).rowCount).toBe(1);
  await Promise.all([other.end(), observer.end()]);
});

test.each(MANNERS)('a role that may not lock rows deletes them all the same %s', async (_, run) => {
  const [setup, other] = [await database.connect(), await database.connect()];
  await setup.query(`INSERT INTO orgs VALUES (4); DROP ROLE IF EXISTS ${ROLE}; CREATE ROLE ${ROLE};
    GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO ${ROLE}`);
  try {
    await client.query(`SET ROLE ${ROLE}`);
    const pid = await pidOf(client);
    await other.query('BEGIN; INSERT INTO users VALUES (40, 4)');
    const deleted = run(DELETE, 4);
    await untilSession(setup, pid, WAITS_FOR_LOCK);
    await other.query('COMMIT');
    await deleted;
    expect((await setup.query('SELECT FROM users WHERE id = 40')).rowCount).toBe(0);
  } finally {
    await setup.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  }
});

const ROLE = `deletes_only_${process.pid}`;
