/** `cascade.batch_rows` and `SET pgcascade.batch_rows`: a cascade in several transactions, from the leaves up. */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const KEYS = ['NOT ENFORCED', 'ENFORCED'];

describe.each(KEYS)('keys that are %s', (enforced) => {
  const database = useDatabase(`
    CREATE TABLE orgs (id int PRIMARY KEY);
    CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE ${enforced});
    CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced});
    CREATE TABLE notes (id int PRIMARY KEY, author int REFERENCES users ON DELETE SET NULL ${enforced});
    CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE ${enforced});
    CREATE TABLE leaves (a int, b int, node int REFERENCES nodes ON DELETE CASCADE ${enforced});
    CREATE TABLE bills (org int REFERENCES orgs ${enforced});
    CREATE INDEX ON users (org); CREATE INDEX ON posts (author); CREATE INDEX ON notes (author);
    CREATE INDEX ON nodes (parent); CREATE INDEX ON leaves (node)`);
  const proxy = useProxy({ graph: { refresh: '1h' } });
  let application: pg.Client;
  let observer: pg.Client;
  let notices: string[];
  beforeEach(async () => {
    [application, observer] = [await proxy.connect(database.name), await database.connect()];
    notices = [];
    application.on('notice', ({ message }) => notices.push(message ?? ''));
    await observer.query(`TRUNCATE orgs, users, posts, notes, nodes, leaves, bills;
      INSERT INTO orgs VALUES (1), (2); INSERT INTO users SELECT i, 1 + i % 2 FROM generate_series(1, 20) AS i;
      INSERT INTO posts SELECT i, 1 + i % 20 FROM generate_series(1, 200) AS i;
      INSERT INTO notes SELECT i, 1 + i % 20 FROM generate_series(1, 100) AS i;
      INSERT INTO nodes SELECT i, nullif(i - 1, 0) FROM generate_series(1, 300) AS i;
      INSERT INTO leaves SELECT i, i, 1 + i % 300 FROM generate_series(1, 600) AS i`);
    await application.query('SET pgcascade.batch_rows = 25');
  });
  afterEach(async () => {
    await Promise.all([application.end(), observer.end()]);
  });
  const counts = async () =>
    (
      await observer.query(`SELECT (SELECT count(*) FROM orgs)::int AS orgs, (SELECT count(*) FROM users)::int AS users,
        (SELECT count(*) FROM posts)::int AS posts, (SELECT count(author) FROM notes)::int AS noted,
        (SELECT count(*) FROM notes)::int AS notes, (SELECT count(*) FROM nodes)::int AS nodes, (SELECT count(*) FROM leaves)::int AS leaves`)
    ).rows[0];
  const BEFORE = { orgs: 2, users: 20, posts: 200, noted: 100, notes: 100, nodes: 300, leaves: 600 };
  const AFTER = { ...BEFORE, orgs: 1, users: 10, posts: 100, noted: 50 };

  test('the rows go in pages, and the client is told of each', async () => {
    expect((await application.query('DELETE FROM orgs WHERE id = 1')).rowCount).toBe(1);
    expect(await counts()).toEqual(AFTER);
    expect(notices.length).toBeGreaterThanOrEqual(6);
  });

  test('a statement with parameters', async () => {
    const { rowCount } = await application.query('DELETE FROM orgs WHERE id = $1', [1]);
    expect([rowCount, await counts()]).toEqual([1, AFTER]);
    expect((await application.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('a tree that is deeper than a page, with what hangs on it', async () => {
    expect((await application.query('DELETE FROM nodes WHERE id <= 2')).rowCount).toBe(2);
    expect(await counts()).toEqual({ ...BEFORE, nodes: 0, leaves: 0 });
  });

  test('a cycle of rows that has more than a page is refused, and one that has fewer goes', async () => {
    await observer.query('UPDATE nodes SET parent = 300 WHERE id = 1');
    await expect(application.query('DELETE FROM nodes WHERE id = 7')).rejects.toMatchObject({
      code: '54000',
    });
    await application.query('SET pgcascade.batch_rows = 400');
    expect((await application.query('DELETE FROM nodes WHERE id = 7')).rowCount).toBe(1);
    expect(await counts()).toMatchObject({ nodes: 0, leaves: 0 });
  });

  test('a rule is asked before anything is deleted', async () => {
    await observer.query('INSERT INTO bills VALUES (1)');
    await expect(application.query('DELETE FROM orgs WHERE id = 1')).rejects.toMatchObject({
      code: '23503',
      constraint: 'bills_org_fkey',
    });
    await expect(application.query('DELETE FROM orgs WHERE id = $1', [1])).rejects.toMatchObject({
      code: '23503',
    });
    expect(await counts()).toEqual(BEFORE);
  });

  test.each([
    ['BEGIN; DELETE FROM orgs WHERE id = 1', 'transaction or among others'],
    ['DELETE FROM orgs WHERE id = 1 RETURNING id', 'RETURNING'],
    ['DELETE FROM orgs WHERE id IN (SELECT org FROM users)', 'reads a child'],
    ['DELETE FROM orgs WHERE id IN (SELECT max(id) FROM orgs)', 'reads the table'],
    ['DELETE FROM orgs WHERE random() < 0.5', 'volatile'],
  ])('%s is refused: %s', async (sql) => {
    await expect(application.query(sql)).rejects.toMatchObject({ code: '0A000' });
    await application.query('ROLLBACK');
    expect(await counts()).toEqual(BEFORE);
  });

  test('in a transaction of the client it is refused, and off it is not', async () => {
    await application.query('BEGIN');
    await expect(application.query('DELETE FROM orgs WHERE id = 1')).rejects.toMatchObject({ code: '0A000' });
    await application.query('ROLLBACK; SET pgcascade.batch_rows = off; BEGIN');
    await application.query('DELETE FROM orgs WHERE id = 1; COMMIT');
    expect(await counts()).toEqual(AFTER);
  });

  test('an error of a page says how much is gone, and the same statement again goes on', async () => {
    await observer.query(`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
      CREATE TRIGGER stops BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION stop()`);
    await expect(application.query('DELETE FROM orgs WHERE id = 1')).rejects.toMatchObject({
      message: 'no',
      hint: expect.stringMatching(/^1\d\d rows are gone, in [67] transactions/),
    });
    expect(await counts()).toMatchObject({ orgs: 2, users: 20 });
    await observer.query('DROP TRIGGER stops ON users; DROP FUNCTION stop');
    expect((await application.query('DELETE FROM orgs WHERE id = 1')).rowCount).toBe(1);
    expect(await counts()).toEqual(AFTER);
  });
});
