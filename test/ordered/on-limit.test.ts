/** `cascade.on_limit: batch`: a cascade that the server ends with 54000, as it has reached a limit, is done again in batches. */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rowLimit } from '../engines/gate.js';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const LIMIT = 100;
const TABLES = ['orgs', 'users', 'posts', 'notes', 'nodes'];
const WAYS = [
  ['by one statement', 'NOT ENFORCED', 'single'],
  ['in order', 'NOT ENFORCED', 'ordered'],
  ['by the server', 'ENFORCED', 'auto'],
] as const;

const LEFT = TABLES.map(
  (table) => `SELECT '${table}' AS t, string_agg(r::text, ' ' ORDER BY id) AS rows FROM ${table} AS r`,
).join(' UNION ALL ');
const LIMIT_ERROR = { code: '54000', message: 'transaction row limit exceeded' };

describe.each(WAYS)('a cascade %s', (_, enforced, strategy) => {
  const schema = (behind: string) => `
    CREATE TABLE orgs (id int PRIMARY KEY);
    CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE ${behind});
    CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${behind}, size int);
    CREATE TABLE notes (id int PRIMARY KEY, author int REFERENCES users ON DELETE SET NULL ${behind});
    CREATE TABLE nodes (id int PRIMARY KEY, parent int REFERENCES nodes ON DELETE CASCADE ${behind});`;
  const ROWS = `TRUNCATE orgs, users, posts, notes, nodes;
    INSERT INTO orgs VALUES (1), (2); INSERT INTO users SELECT i, 1 + i % 2 FROM generate_series(1, 60) AS i;
    INSERT INTO posts SELECT i, 1 + i % 60 FROM generate_series(1, 900) AS i;
    INSERT INTO notes SELECT i, 1 + i % 60 FROM generate_series(1, 90) AS i;
    INSERT INTO nodes SELECT i, nullif(i / 3, 0) FROM generate_series(1, 250) AS i`;
  const database = useDatabase(`${schema(enforced)} ${rowLimit(LIMIT, TABLES).join(';')}`);
  const oracle = useDatabase(schema(''));
  const proxy = useProxy({ cascade: { strategy, on_limit: 'batch' }, graph: { refresh: '1h' } });
  let [application, observer, native]: pg.Client[] = [];
  let notices: string[];
  beforeEach(async () => {
    [application, observer, native] = [
      await proxy.connect(database.name),
      await database.connect(),
      await oracle.connect(),
    ];
    notices = [];
    application.on('notice', ({ message }) => notices.push(message ?? ''));
    await observer.query(`ALTER TABLE orgs DISABLE TRIGGER gate_insert`);
    await observer.query(
      `SET session_replication_role = replica; ${ROWS}; SET session_replication_role = origin`,
    );
    await native.query(ROWS);
  });
  afterEach(async () => {
    await Promise.all([application, observer, native].map((each) => each?.end()));
  });
  const left = async (client: pg.Client | undefined) => (await client?.query(LEFT))?.rows;
  const same = async (sql: string, values?: readonly number[]) => {
    const [through, natively] = [
      await application?.query(sql, values && [...values]),
      await native?.query(sql, values && [...values]),
    ];
    expect([through?.rowCount, through?.command]).toEqual([natively?.rowCount, natively?.command]);
    expect(await left(observer)).toEqual(await left(native));
  };

  test.each([
    ['DELETE FROM orgs WHERE id = 1', undefined],
    ['DELETE FROM orgs WHERE id = $1', [1]],
    ['DELETE FROM nodes WHERE id <= 2', undefined],
  ])('%s is done in batches, and the client is told', async (sql, values) => {
    await same(sql, values);
    expect(notices[0]).toMatch(/^cascade from "public"\."\w+" has reached a limit of the server's/);
    expect(notices.length).toBeGreaterThan(2);
    expect((await application?.query('SELECT 1 AS one'))?.rows).toEqual([{ one: 1 }]);
  });

  test('what is below the limit is one transaction, and nothing is told', async () => {
    await same('DELETE FROM users WHERE id = $1', [7]);
    await same('DELETE FROM users WHERE id = 8');
    expect(notices).toEqual([]);
  });

  test('a statement that is prepared once and executed often', async () => {
    const prepared = (id: number) => ({ name: 'd', text: 'DELETE FROM orgs WHERE id = $1', values: [id] });
    for (const id of [1, 2, 3]) {
      expect((await application?.query(prepared(id)))?.rowCount).toBe(
        (await native?.query(prepared(id)))?.rowCount,
      );
      expect(await left(observer)).toEqual(await left(native));
    }
  });

  test.each([
    ['BEGIN; DELETE FROM orgs WHERE id = 1', 'not a transaction of its own'],
    ['SELECT 1; DELETE FROM orgs WHERE id = 1', 'not a transaction of its own'],
    ['DELETE FROM orgs WHERE id = 1 RETURNING id', 'a RETURNING'],
    ['DELETE FROM orgs WHERE id IN (SELECT org FROM users)', 'a WHERE that reads "users"'],
    ['DELETE FROM orgs WHERE random() < 2', 'a WHERE that calls something volatile'],
    ['WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT 1', 'WITH'],
    ['PREPARE d AS DELETE FROM orgs WHERE id = 1; EXECUTE d', 'PREPARE'],
  ])('%s fails with the error of the server: %s', async (sql, what) => {
    const before = await left(observer);
    await expect(application?.query(sql)).rejects.toMatchObject({
      ...LIMIT_ERROR,
      hint: expect.stringContaining(what),
    });
    await application?.query('ROLLBACK');
    expect(await left(observer)).toEqual(before);
  });

  test('in a transaction of the client, by a parameter', async () => {
    await application?.query('BEGIN');
    await expect(application?.query('DELETE FROM orgs WHERE id = $1', [1])).rejects.toMatchObject({
      ...LIMIT_ERROR,
      hint: expect.stringContaining('not a transaction of its own'),
    });
    await application?.query('ROLLBACK');
    await same('DELETE FROM orgs WHERE id = $1', [1]);
  });

  test('a session may want the error', async () => {
    await application?.query('SET pgcascade.on_limit = fail');
    for (const values of [undefined, [1]])
      await expect(
        application?.query(`DELETE FROM orgs WHERE id = ${values ? '$1' : 1}`, values),
      ).rejects.toMatchObject({
        ...LIMIT_ERROR,
        hint: undefined,
      });
    await application?.query('SET pgcascade.on_limit = sometimes');
    await expect(application?.query('DELETE FROM orgs WHERE id = 1')).rejects.toMatchObject({
      code: '22023',
    });
    await application?.query('RESET pgcascade.on_limit');
    await same('DELETE FROM orgs WHERE id = 1');
  });

  test('batches that are too large as well are halved', async () => {
    await application?.query('SET pgcascade.batch_rows = 1000');
    await same('DELETE FROM orgs WHERE id = 1');
    expect(notices.length).toBeGreaterThan(3);
  });

  test('without them batches fail as they are, and say what is gone', async () => {
    await application?.query('SET pgcascade.batch_rows = 1000; SET pgcascade.on_limit = fail');
    await expect(application?.query('DELETE FROM orgs WHERE id = 1')).rejects.toMatchObject(LIMIT_ERROR);
  });
});
