/** A WHERE that would find other rows after each batch is refused; with any other the batches take what one statement takes. */

import type pg from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, made timestamptz DEFAULT now() - interval '1 day') PARTITION BY RANGE (id);
  CREATE TABLE low PARTITION OF orgs FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF orgs DEFAULT;
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE) PARTITION BY HASH (id);
  CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE);
  CREATE TABLE above (author int); CREATE TABLE notes (id int PRIMARY KEY, FOREIGN KEY (author) REFERENCES users ON DELETE SET NULL) INHERITS (above);
  CREATE TABLE others (org int); CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE SET NULL NOT ENFORCED);
  CREATE VIEW seen AS SELECT * FROM users;
  CREATE FUNCTION has_users(int) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM users WHERE org = $1)';
  CREATE FUNCTION users_of(orgs) RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM users WHERE org = $1.id';
  CREATE FUNCTION same(int, int) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT $1 = $2 AND EXISTS (SELECT FROM users)';
  CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
  CREATE FUNCTION next_id(int, int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 + $2 + (SELECT count(*) FROM users WHERE id < 0)::int';
  CREATE AGGREGATE added(int) (sfunc = next_id, stype = int, initcond = 0);
  CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN 2 * $1`);
const proxy = useProxy({ cascade: { batch_rows: 7 } });
const LEFT = `SELECT (SELECT count(*) FROM orgs)::int AS orgs, (SELECT count(*) FROM users)::int AS users,
  (SELECT count(*) FROM posts)::int AS posts`;
const BEFORE = { orgs: 2, users: 30, posts: 90 };

let direct: pg.Client;
let application: pg.Client;
beforeEach(async () => {
  direct ??= await database.connect();
  application ??= await proxy.connect(database.name);
  await direct.query(`TRUNCATE orgs, users, posts, notes, others; INSERT INTO orgs VALUES (1), (2); INSERT INTO others VALUES (1);
    INSERT INTO users SELECT i, 1 + i % 2 FROM generate_series(1, 30) AS i;
    INSERT INTO posts SELECT i, 1 + i % 30 FROM generate_series(1, 90) AS i`);
});
afterAll(() => Promise.all([direct?.end(), application?.end()]));
const left = async () => (await direct.query(LEFT)).rows[0];

describe('is refused', () => {
  test.each([
    ['a table of the cascade', 'id IN (SELECT org FROM users)'],
    ['a partition of one', 'id IN (SELECT org FROM users_0)'],
    ['a table two keys below', 'EXISTS (SELECT FROM posts)'],
    ['a table whose inheritance child is of it', 'EXISTS (SELECT FROM above WHERE author > 0)'],
    ['its own table', 'id = (SELECT max(o.id) FROM orgs AS o)'],
    ['a partition of its own', 'id IN (SELECT id FROM low)'],
    ['a view', 'id IN (SELECT org FROM seen)'],
    ['a function that is stable and not of the server', 'has_users(id)'],
    ['one that is written as a column', '(orgs).users_of > 0'],
    ['an operator with such a function', 'id === 1'],
    ['an aggregate with such a function', 'id = (SELECT added(1))'],
    [
      'a function that reads the table which it is given',
      `table_to_xml('users', true, true, '') IS NOT NULL`,
    ],
    ['a volatile function', 'random() < 2'],
  ])('%s', async (_, condition) => {
    await expect(application.query(`DELETE FROM orgs WHERE ${condition}`)).rejects.toMatchObject({
      code: '0A000',
      detail: 'pgcascade reports PGC_BATCH.',
    });
    expect(await left()).toEqual(BEFORE);
  });
});

describe('is taken', () => {
  test.each([
    ['another table', 'id IN (SELECT org FROM others)', 1],
    ['an immutable function', 'id = twice(id) - 1', 1],
    ['functions of the server', 'made < now() AND id = 1 AND abs(id) < length(current_user)', 1],
    ['everything', 'true', 2],
  ])('%s', async (_, condition, count) => {
    expect((await application.query(`DELETE FROM orgs WHERE ${condition}`)).rowCount).toBe(count);
    expect(await left()).toEqual(
      count === 2 ? { orgs: 0, users: 0, posts: 0 } : { orgs: 1, users: 15, posts: 45 },
    );
  });
});

test.each([
  `id = 'é'`,
  'count(*) > 1',
  'nonsense = 1',
])('an error of the WHERE %s is told where it is', async (condition) => {
  const sql = `/* é */ DELETE FROM orgs WHERE ${condition}`;
  const { position } = await direct.query(sql).then(
    () => ({ position: undefined }),
    (error: pg.DatabaseError) => error,
  );
  expect(Number(position)).toBeGreaterThan(0);
  await expect(application.query(sql)).rejects.toMatchObject({ position });
});

test('a key of the table itself that is set to NULL is refused: the WHERE may read what it changes', async () => {
  await direct.query('INSERT INTO nodes SELECT i, nullif(i - 1, 0) FROM generate_series(1, 40) AS i');
  await expect(application.query('DELETE FROM nodes WHERE parent IS NOT NULL')).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('key "nodes_parent_fkey", which changes rows'),
  });
  expect((await direct.query('SELECT FROM nodes WHERE parent IS NOT NULL')).rowCount).toBe(39);
});

describe('beside a trigger on what goes', () => {
  const counting = (body: string) => `
    DROP TABLE IF EXISTS posted, topics; CREATE TABLE topics (id int PRIMARY KEY, replies int);
    CREATE TABLE posted (id int PRIMARY KEY, topic int REFERENCES topics ON DELETE CASCADE);
    CREATE OR REPLACE FUNCTION fewer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$;
    CREATE OR REPLACE FUNCTION writes(topic int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
      UPDATE topics SET replies = replies - 1 WHERE id = topic; RETURN true; END $$;
    CREATE OR REPLACE FUNCTION told_stable(topic int) RETURNS boolean STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN writes(topic); END $$;
    DROP TABLE IF EXISTS taken; CREATE TABLE taken (topic int);
    CREATE OR REPLACE FUNCTION goes_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE topics SET replies = replies - 1 WHERE id = NEW.topic; RETURN NEW; END $$;
    ${body.includes('INTO taken') ? 'CREATE TRIGGER goes_on AFTER INSERT ON taken FOR EACH ROW EXECUTE FUNCTION goes_on();' : ''}
    CREATE TRIGGER fewer AFTER DELETE ON posted FOR EACH ROW EXECUTE FUNCTION fewer();
    INSERT INTO topics VALUES (1, 20), (2, 20); INSERT INTO posted SELECT i, 1 + i % 2 FROM generate_series(1, 40) AS i`;
  const COUNTS = 'UPDATE topics SET replies = replies - 1 WHERE id = OLD.topic';
  const topics = async () =>
    (
      await direct.query(
        'SELECT (SELECT count(*) FROM topics)::int AS topics, (SELECT count(*) FROM posted)::int AS posted',
      )
    ).rows[0];
  /** A session that has not seen the tables before they were made anew. */
  const remove = async (condition: string) => {
    const client = await proxy.connect(database.name);
    try {
      await client.query('BEGIN; ALTER TABLE topics RENAME TO t; ALTER TABLE t RENAME TO topics; COMMIT');
      return await client.query(`DELETE FROM topics WHERE ${condition}`);
    } finally {
      await client.end();
    }
  };

  test.each([
    ['changes what the WHERE looks at', COUNTS],
    ['does so by a function', "PERFORM set_config('a.b', 'c', true)"],
    ['does so by a text', `EXECUTE '${COUNTS}'`],
    ['adds rows, of which another trigger does so', 'INSERT INTO taken VALUES (OLD.topic)'],
    ['does so by a function that is told to be stable', 'IF told_stable(OLD.topic) THEN NULL; END IF'],
    ['adds rows that the WHERE finds', 'INSERT INTO topics VALUES (OLD.id + 100, 20)'],
  ])('that %s it is refused', async (_, body) => {
    await direct.query(counting(body));
    await expect(remove('replies > 19')).rejects.toMatchObject({ detail: 'pgcascade reports PGC_BATCH.' });
    expect(await topics()).toEqual({ topics: 2, posted: 40 });
  });

  test.each([
    ['a row as a whole', COUNTS, 'ROW(topics.*) = ROW(1, 20)'],
    ['the primary key alone, where it adds rows', 'INSERT INTO "topics" VALUES (OLD.id + 100, 20)', 'id > 0'],
    [
      'another table, into which it adds rows',
      'INSERT INTO others VALUES (OLD.id)',
      'id IN (SELECT org FROM others)',
    ],
  ])('it is refused for a WHERE that looks at %s', async (_, body, condition) => {
    await direct.query(counting(body));
    await expect(remove(condition)).rejects.toMatchObject({ detail: 'pgcascade reports PGC_BATCH.' });
    expect(await topics()).toEqual({ topics: 2, posted: 40 });
  });

  test.each([
    ['and it looks at the primary key alone', COUNTS, 'id > 0'],
    ['that only inserts', 'INSERT INTO others VALUES (OLD.id)', 'replies > 19'],
    ['that asks which it is', "IF TG_OP = 'UPDATE' THEN RAISE 'never'; END IF", 'replies > 19'],
  ])('%s it is taken', async (_, body, condition) => {
    await direct.query(counting(body));
    expect((await remove(condition)).rowCount).toBe(2);
    expect(await topics()).toEqual({ topics: 0, posted: 0 });
  });
});

test.each([
  ['xmax', "xmax = '0'"],
  ['a sample', 'EXISTS (SELECT FROM others TABLESAMPLE bernoulli (50))'],
])('a WHERE that looks at %s is refused: each batch would find other rows', async (_, condition) => {
  await expect(application.query(`DELETE FROM orgs WHERE ${condition}`)).rejects.toMatchObject({
    detail: 'pgcascade reports PGC_BATCH.',
  });
  expect(await left()).toEqual(BEFORE);
});
