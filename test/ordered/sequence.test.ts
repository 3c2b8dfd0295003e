/** What only `cascade.strategy: ordered` does: its round trips, its last question, its limits, and what it refuses. */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { execute, parse, query, run, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE likes (post int REFERENCES posts ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int, author int REFERENCES users ON DELETE SET NULL NOT ENFORCED);
  CREATE VIEW seen AS SELECT * FROM orgs;
  CREATE TABLE places (k float8 PRIMARY KEY, at timestamptz UNIQUE);
  CREATE TABLE visits (k float8 REFERENCES places ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE days (at timestamptz REFERENCES places (at) ON DELETE CASCADE NOT ENFORCED)`);
const tap = useTap();
const proxy = useProxy({
  cascade: { strategy: 'ordered' },
  graph: { refresh: '1h' },
  get upstream() {
    return tap.url;
  },
});

const ROWS = `DELETE FROM likes; DELETE FROM posts; DELETE FROM notes; DELETE FROM users; DELETE FROM orgs;
  INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (10, 1), (20, 2); INSERT INTO posts VALUES (100, 10), (200, 20);
  INSERT INTO likes VALUES (100), (200); INSERT INTO notes VALUES (1, 10), (2, 20)`;
const LEFT = `SELECT 'org ' || id AS row FROM orgs UNION ALL SELECT 'user ' || id FROM users UNION ALL SELECT 'post ' || id FROM posts
  UNION ALL SELECT 'like ' || post FROM likes UNION ALL SELECT 'note ' || coalesce(author::text, '-') FROM notes ORDER BY 1`;
const ALL = [
  'like 100',
  'like 200',
  'note 10',
  'note 20',
  'org 1',
  'org 2',
  'post 100',
  'post 200',
  'user 10',
  'user 20',
];
const ONLY_ORG_2 = ['like 200', 'note -', 'note 20', 'org 2', 'post 200', 'user 20'];

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
const FLUSH = 'H\0\0\0\x04';
const SYNC = 'S\0\0\0\x04';

test('there are at most two round trips a level', async () => {
  await application.query('DELETE FROM orgs WHERE id = 77');
  tap.reset();
  expect((await application.query('DELETE FROM orgs WHERE id = 1')).rowCount).toBe(1);
  // Of orgs, users and posts, then all that is changed; and the end.
  expect([tap.count(FLUSH), tap.count(SYNC)]).toEqual([4, 1]);
  expect(await left()).toEqual(ONLY_ORG_2);
});

describe('what only one statement can carry out is sent as one', () => {
  test.each([
    ['from a view', 'DELETE FROM seen WHERE id = 1'],
    ['by MERGE', 'MERGE INTO orgs USING (VALUES (1)) AS v (id) ON orgs.id = v.id WHEN MATCHED THEN DELETE'],
    ['in a WITH', 'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM d'],
    ['that is prepared by SQL', 'PREPARE d AS DELETE FROM orgs WHERE id = 1; EXECUTE d; DEALLOCATE d'],
    ['in a COPY', 'COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT'],
    [
      'with USING and RETURNING',
      'DELETE FROM orgs USING users WHERE org = 1 AND users.org = orgs.id RETURNING *',
    ],
    ['with a RETURNING of OLD', 'DELETE FROM orgs WHERE id = 1 RETURNING old.id'],
  ])('%s', async (_, text) => {
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(query('SELECT 1'));
    const answers = await client.told(query(text));
    expect(answers.filter((each) => each.startsWith('E'))).toEqual([]);
    expect(await left()).toEqual(ONLY_ORG_2);
  });
});

test('neither BEGIN nor a savepoint is sent, and no client statement is executed in its own words', async () => {
  await application.query('DELETE FROM orgs WHERE id = 77');
  tap.reset();
  await application.query('DELETE FROM orgs WHERE id = 1');
  expect(['BEGIN', 'SAVEPOINT', 'DELETE FROM orgs'].map((text) => tap.count(text))).toEqual([0, 0, 0]);
});

describe('rows that others commit', () => {
  test('while the rows above are waited for go as well', async () => {
    const [waiter, blocker] = [await pidOf(application), await pidOf(writer)];
    await writer.query('BEGIN; SELECT FROM users WHERE id = 10 FOR UPDATE');
    const deleted = application.query('DELETE FROM orgs WHERE id = 1');
    await untilBlockedBy(observer, waiter, blocker);
    // The users of the org are found already.
    await observer.query(`INSERT INTO users VALUES (11, 1); INSERT INTO posts VALUES (110, 11), (101, 10);
      INSERT INTO likes VALUES (110); INSERT INTO notes VALUES (3, 11)`);
    await writer.query('COMMIT');
    expect((await deleted).rowCount).toBe(1);
    expect(await left()).toEqual(['like 200', 'note -', 'note -', 'note 20', 'org 2', 'post 200', 'user 20']);
  });

  test('a row that is given to another parent meanwhile stays', async () => {
    const [waiter, blocker] = [await pidOf(application), await pidOf(writer)];
    await writer.query('BEGIN; UPDATE users SET org = 2 WHERE id = 10');
    const deleted = application.query('DELETE FROM orgs WHERE id = 1');
    await untilBlockedBy(observer, waiter, blocker);
    await writer.query('COMMIT');
    expect((await deleted).rowCount).toBe(1);
    expect(await left()).toEqual(ALL.filter((row) => row !== 'org 1'));
  });
});

test('keys are compared by the database alone, whatever it shows of them', async () => {
  await writer.query(`INSERT INTO places VALUES (0.1::float8 + 0.2, '2026-03-29 01:30:00.123456+01'), (0.3, '2026-03-29 01:30+01');
    INSERT INTO visits SELECT k FROM places; INSERT INTO days SELECT at FROM places`);
  await application.query(
    `SET extra_float_digits = -10; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Europe/Lisbon'`,
  );
  await application.query('DELETE FROM places WHERE k > 0.3');
  const { rows } = await observer.query(
    'SELECT (SELECT count(*) FROM visits)::int AS visits, (SELECT count(*) FROM days)::int AS days',
  );
  expect(rows).toEqual([{ visits: 1, days: 1 }]);
});

describe('a statement is refused, and nothing is deleted,', () => {
  test('by EXECUTE in SQL, a query in a pipeline, or in portions', async () => {
    const client = await RawClient.login(proxy, { database: database.name });
    const errors = (answers: readonly string[]) => answers.filter((each) => each.startsWith('E'));
    await client.ask(parse('DELETE FROM orgs WHERE id = 1', 'd'), sync);
    const portions = Buffer.concat([
      run('DELETE FROM orgs WHERE id = 1 RETURNING id').subarray(0, -10),
      execute('', 1),
    ]);
    const told = [
      ...errors(await client.told(query('EXECUTE d'))),
      ...errors(await client.told(run('SELECT 1'), query('DELETE FROM orgs WHERE id = 1'))),
      ...errors(await client.told(portions, sync)),
    ];
    expect(told.map((each) => /PGC_\w+/.exec(each)?.[0])).toEqual([
      'PGC_ORDERED',
      'PGC_ORDERED',
      'PGC_ORDERED',
    ]);
    expect(await left()).toEqual(ALL);
  });
});
