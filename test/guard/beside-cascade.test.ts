/** Guarded writes beside a DELETE that cascades, in one statement, with cascade.guard: check: as natively, or refused by name. */
import { describe, expect, test } from 'vitest';
import { describeStatement, parse, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE KEYS);
  CREATE TABLE posts (id int PRIMARY KEY, author bigint CONSTRAINT posts_author_fkey REFERENCES users ON DELETE CASCADE KEYS,
    editor int CONSTRAINT posts_editor_fkey REFERENCES users ON DELETE SET NULL KEYS);
  CREATE TABLE comments (id int PRIMARY KEY, post int CONSTRAINT comments_post_fkey REFERENCES posts ON DELETE CASCADE KEYS);
  CREATE TABLE notes (id int PRIMARY KEY, org int CONSTRAINT notes_org_fkey REFERENCES orgs KEYS);
  CREATE TABLE countries (id int PRIMARY KEY);
  CREATE TABLE archive (id int PRIMARY KEY, country int CONSTRAINT archive_country_fkey REFERENCES countries KEYS);`;
const ROWS = `
  TRUNCATE orgs, users, posts, comments, notes, countries, archive;
  INSERT INTO orgs VALUES (1), (2), (3);
  INSERT INTO users VALUES (10, 1), (20, 2);
  INSERT INTO posts VALUES (100, 10, 20), (200, 20, 10), (300, 20, NULL);
  INSERT INTO notes VALUES (5, 3);
  INSERT INTO countries VALUES (1), (2);
  INSERT INTO archive VALUES (7, 1);`;
const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);
const LEFT = [
  'SELECT * FROM users ORDER BY id',
  'SELECT * FROM posts ORDER BY id',
  'SELECT * FROM archive ORDER BY id',
  'TABLE notes',
];
const MERGE = `MERGE INTO archive USING (VALUES (7, 2), (8, 2)) AS v (id, country) ON archive.id = v.id
  WHEN MATCHED THEN UPDATE SET country = v.country WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.country)`;

describe('a simple query', () => {
  test.each([
    // What keys reference elsewhere.
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) INSERT INTO archive SELECT id, 2 FROM d',
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) INSERT INTO archive SELECT id, 99 FROM d RETURNING *',
    'WITH d AS (DELETE FROM orgs WHERE id < 3 RETURNING *) INSERT INTO archive SELECT id, id FROM d RETURNING id + 1, country',
    'WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO archive VALUES (9, NULL)',
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) INSERT INTO archive SELECT id + 6, 2 FROM d',
    'WITH i AS (INSERT INTO archive VALUES (9, 2) RETURNING id) DELETE FROM orgs WHERE id IN (SELECT id - 8 FROM i) RETURNING *',
    'WITH i AS (INSERT INTO archive VALUES (9, 99)) DELETE FROM orgs WHERE id = 1',
    'WITH i AS (INSERT INTO archive VALUES (9, 99)) DELETE FROM orgs WHERE false',
    'WITH i AS (INSERT INTO archive VALUES (9, 1)), d AS (DELETE FROM orgs WHERE id = 2 RETURNING *) SELECT * FROM d',
    'WITH i AS (INSERT INTO archive VALUES (9, 98)), d AS (DELETE FROM orgs WHERE id = 2 RETURNING *) SELECT * FROM d',
    'WITH d AS (DELETE FROM orgs WHERE id = 2) UPDATE archive SET country = 2 RETURNING *',
    'WITH u AS (UPDATE archive SET country = 97 RETURNING id) DELETE FROM orgs WHERE id = 1',
    'WITH i AS (INSERT INTO archive VALUES (7, 2) ON CONFLICT (id) DO UPDATE SET country = excluded.country RETURNING *), d AS (DELETE FROM orgs WHERE id = 1) TABLE i',
    `WITH d AS (DELETE FROM orgs WHERE id = 1) ${MERGE}`,
    `WITH d AS (DELETE FROM orgs WHERE id = 1) ${MERGE.replace('8, 2', '8, 9')} RETURNING merge_action(), archive.*`,
    'WITH c AS (INSERT INTO countries VALUES (4)), d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO archive VALUES (9, 4)',
    // What the DELETE may take.
    'WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (11, 2), (12, NULL)',
    'WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (11, 2), (12, 99)',
    'WITH i AS (INSERT INTO users VALUES (11, 2)) DELETE FROM orgs WHERE id = 1 RETURNING id',
    'WITH i AS (INSERT INTO posts VALUES (400, 20, 20) RETURNING id), d AS (DELETE FROM orgs WHERE id = 1) SELECT * FROM i',
    'WITH d AS (DELETE FROM users WHERE id = 10 RETURNING id) INSERT INTO posts SELECT 400 + id, 20, NULL FROM d',
    'WITH i AS (INSERT INTO users VALUES (30, 3)), d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO posts VALUES (400, 30, 20)',
    'WITH i AS (INSERT INTO users VALUES (10, 2)) DELETE FROM orgs WHERE id = 1',
    // Of two that are about one row PostgreSQL begins with the last that nobody reads.
    'WITH i AS (INSERT INTO users VALUES (10, 2)), d AS (DELETE FROM users WHERE id = 10) SELECT 1',
    'WITH i AS (INSERT INTO users VALUES (10, 2) ON CONFLICT DO NOTHING), d AS (DELETE FROM users WHERE id = 10) SELECT 1',
    'WITH u AS (UPDATE users SET org = 2 WHERE id = 10), d AS (DELETE FROM users WHERE id = 10) SELECT 1',
    'WITH d AS (DELETE FROM users WHERE id = 10), u AS (UPDATE users SET org = 2 WHERE id = 10) SELECT 1',
    'WITH d AS (DELETE FROM orgs WHERE id = 1), i AS (INSERT INTO orgs VALUES (1)) SELECT 1',
    'WITH i AS (INSERT INTO orgs VALUES (1)), d AS (DELETE FROM orgs WHERE id = 1) SELECT 1',
    'WITH d AS (DELETE FROM archive WHERE id = 7), u AS (UPDATE archive SET country = 2) SELECT 1',
    'WITH u AS (UPDATE archive SET country = 2), d AS (DELETE FROM archive WHERE id = 7) SELECT 1',
    'WITH u AS (UPDATE archive SET country = 2), v AS (UPDATE archive SET id = 17) SELECT 1',
    // A rule that the DELETE breaks.
    'WITH d AS (DELETE FROM orgs WHERE id = 3) INSERT INTO archive VALUES (9, 1)',
    'WITH i AS (INSERT INTO users VALUES (11, 2)) DELETE FROM orgs WHERE id = 3',
    'WITH i AS (INSERT INTO users VALUES (11, 2)), d AS (DELETE FROM orgs WHERE id = 3) SELECT 1',
    'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) WITH i AS (INSERT INTO archive VALUES (9, 99)) DELETE FROM orgs WHERE id = 1',
    'COPY (WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING *) INSERT INTO archive SELECT id, 1 FROM d RETURNING *) TO STDOUT',
    'COPY (WITH i AS (INSERT INTO archive VALUES (9, 2)) DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT',
  ])('%s', async (text) => {
    await twin.queries(text, ...LEFT);
  });

  test('in a transaction, in a string, and prepared by SQL', () =>
    twin.queries(
      'BEGIN; WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING *) INSERT INTO archive SELECT id, 2 FROM d; SELECT 1',
      'SAVEPOINT s; WITH d AS (DELETE FROM orgs WHERE id = 2 RETURNING *) INSERT INTO archive SELECT id, 99 FROM d; SELECT 1',
      'ROLLBACK TO s; COMMIT',
      'PREPARE m AS WITH d AS (DELETE FROM orgs WHERE id = $1 RETURNING *) INSERT INTO archive SELECT id, $2::int FROM d RETURNING id',
      'EXECUTE m (2, 99)',
      'EXECUTE m (2, 1)',
      ...LEFT,
    ));
});

test('the extended protocol', () =>
  twin.asNative(async (client) => {
    const move =
      'WITH d AS (DELETE FROM orgs WHERE id = $1 RETURNING id) INSERT INTO archive SELECT id, $2::int FROM d RETURNING *';
    return [
      ...(await client.ask(parse(move, 'm'), describeStatement('m'), runPrepared('m', ['1', '2']), sync)),
      ...(await client.ask(runPrepared('m', ['2', '99']), sync)),
      ...(await client.ask(
        run('WITH i AS (INSERT INTO users VALUES (50, 2)) DELETE FROM orgs WHERE id = 1'),
        sync,
      )),
      ...(await client.ask(run('TABLE archive'), run('SELECT * FROM users ORDER BY id'), sync)),
    ];
  }));

test.each([
  ['WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (11, 1)', 'by users_org_fkey'],
  [
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) INSERT INTO users SELECT 11, id FROM d',
    'by users_org_fkey',
  ],
  ['WITH i AS (INSERT INTO users VALUES (11, 1)) DELETE FROM orgs WHERE id = 1', 'by users_org_fkey'],
  [
    'WITH i AS (INSERT INTO posts VALUES (400, 10)), d AS (DELETE FROM orgs WHERE id = 1) SELECT 1',
    'by posts_author_fkey',
  ],
  [
    'WITH i AS (INSERT INTO posts VALUES (400, 20, 10)) DELETE FROM orgs WHERE id = 1',
    'by posts_editor_fkey',
  ],
  [
    'WITH u AS (UPDATE users SET org = 2 WHERE id = 10) DELETE FROM orgs WHERE id = 1',
    'also changes "public"."users"',
  ],
  [
    'WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (10, 2) ON CONFLICT (id) DO UPDATE SET org = 2',
    'also changes "public"."users"',
  ],
  [
    'WITH d AS (DELETE FROM orgs WHERE id = 1) UPDATE countries SET id = 9 WHERE id = 2',
    'archive_country_fkey',
  ],
  [
    'MERGE INTO users USING (VALUES (20)) AS v (id) ON users.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)',
    'beside a DELETE that cascades',
  ],
  // A row that SET NULL has changed cannot be locked.
  [
    'WITH d AS (DELETE FROM users WHERE id = 10) INSERT INTO comments VALUES (1, 200)',
    'beside a DELETE that cascades',
  ],
])('is refused by name: %s', async (text, message) => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  const refused = { code: '0A000', message: expect.stringContaining(message) };
  await expect(client.query(text)).rejects.toMatchObject(refused);
  await expect(client.query(text)).rejects.toMatchObject(refused);
  expect(
    (await client.query('SELECT (SELECT count(*) FROM orgs)::int + (SELECT count(*) FROM users)::int AS n'))
      .rows,
  ).toEqual([{ n: 5 }]);
});

test('with lock it is refused where it references what is deleted, and passes where it references nothing', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await client.query('SET pgcascade.guard = lock');
  await expect(
    client.query('WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (11, 1)'),
  ).rejects.toMatchObject({ message: expect.stringContaining('by users_org_fkey') });
  await client.query('WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO users VALUES (11, 2), (12, 99)');
  expect((await client.query('SELECT id FROM users ORDER BY id')).rows).toEqual([
    { id: 11 },
    { id: 12 },
    { id: 20 },
  ]);
});
