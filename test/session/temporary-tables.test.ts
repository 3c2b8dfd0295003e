/** Temporary tables: with keys they cascade for the session that has them, and for others they are not there. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { useDatabase } from '../support/database.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { useTap } from '../support/tap.js';

const KEYED = `CREATE TEMP TABLE mine (id int PRIMARY KEY);
  CREATE TEMP TABLE of_mine (id int REFERENCES mine ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO mine VALUES (1), (2); INSERT INTO of_mine VALUES (1), (2)`;
const HEIR = `CREATE TEMP TABLE heir () INHERITS (parent); INSERT INTO heir VALUES (7)`;
const VIEW = 'CREATE TEMP VIEW glimpse AS TABLE parent';
const inFunction = (name: string, sql: string) =>
  `CREATE FUNCTION ${name}() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${sql}; RETURN 1; END $$;`;

const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
  ${inFunction('keyed', KEYED)} ${inFunction('heir', HEIR)} ${inFunction('glimpse', VIEW)}`);
const tap = useTap();
const asked = () => ({ questions: tap.count(`'pgcascade.mode'`), catalogs: tap.count('confdeltype') });

let proxy: RunningProxy;
let one: pg.Client;
let other: pg.Client;
beforeAll(async () => {
  proxy = await startProxy({ upstream: tap.url, graph: { refresh: '1h' } });
});
afterAll(() => proxy.stop());
beforeEach(async () => {
  [one, other] = [await proxy.connect(database.name), await proxy.connect(database.name)];
  await one.query(`TRUNCATE parent, child; INSERT INTO parent VALUES (1), (2), (3);
    INSERT INTO child SELECT i, i FROM generate_series(1, 3) i`);
  for (const client of [one, other]) await client.query('DELETE FROM parent WHERE id = -1');
});

const ids = async (client: pg.Client, table: string) =>
  (await client.query(`SELECT id FROM ${table} ORDER BY id`)).rows.map(({ id }) => id);

describe.each([
  ['in its own text', { keyed: KEYED, heir: HEIR, glimpse: VIEW }],
  ['in a function', { keyed: 'SELECT keyed()', heir: 'SELECT heir()', glimpse: 'SELECT glimpse()' }],
])('made %s', (_, make) => {
  test('tables with a key cascade', async () => {
    await one.query(make.keyed);
    await one.query('DELETE FROM mine WHERE id = 1');
    expect(await ids(one, 'of_mine')).toEqual([2]);
    await one.query('BEGIN');
    await one.query('DELETE FROM mine');
    expect(await ids(one, 'of_mine')).toEqual([]);
    await one.query('ROLLBACK');
    await other.query('DELETE FROM parent WHERE id = 1');
    expect(await ids(other, 'child')).toEqual([2, 3]);
  });

  test('an heir of a referenced table takes part, and is not there for others', async () => {
    await one.query(make.heir);
    await other.query('DELETE FROM parent WHERE id IN (1, 7)');
    await one.query('DELETE FROM parent WHERE id IN (2, 7)');
    expect([await ids(one, 'child'), await ids(one, 'heir')]).toEqual([[3], []]);
  });

  test('a view over a referenced table cascades', async () => {
    await one.query(make.glimpse);
    await one.query('DELETE FROM glimpse WHERE id = 1');
    await other.query('DELETE FROM parent WHERE id = 2');
    expect(await ids(other, 'child')).toEqual([3]);
  });
});

test('what one session has of them makes no other one read the catalog again', async () => {
  await one.query(KEYED);
  await one.query(HEIR);
  await one.query('DELETE FROM mine WHERE id = 1');
  tap.reset();
  for (const id of [1, 2, 3]) await other.query(`DELETE FROM parent WHERE id = ${id}`);
  expect(asked().catalogs).toBe(0);
});

test('without keys, they and TRUNCATE make no session ask for the fingerprint', async () => {
  await one.query('DELETE FROM parent WHERE id = 1');
  tap.reset();
  for (const end of ['ON COMMIT DROP', 'ON COMMIT DELETE ROWS']) {
    await one.query('BEGIN');
    await one.query(`CREATE TEMP TABLE scratch (id int PRIMARY KEY) ${end}`);
    await one.query('TRUNCATE child');
    await one.query('DELETE FROM parent WHERE id = 2');
    await one.query('COMMIT');
    await other.query('DELETE FROM parent WHERE id = 3');
  }
  expect([tap.count('pg_postmaster_start_time'), asked().catalogs]).toEqual([0, 0]);
});

describe('a plain one in each transaction, and a DELETE', () => {
  test.each(['simple', 'extended'])('ask nothing, by the %s protocol', async (protocol) => {
    const query = (text: string) => (protocol === 'simple' ? { text } : { text, queryMode: protocol });
    const transaction = async (end: string, last = 'COMMIT') => {
      for (const text of [
        'BEGIN',
        `CREATE TEMP TABLE scratch (id int PRIMARY KEY, name text) ${end}`,
        'INSERT INTO scratch VALUES (1)',
        'DELETE FROM parent WHERE id = -1',
        'DELETE FROM scratch',
        last,
      ])
        await one.query(query(text));
    };
    await transaction('ON COMMIT DROP');
    tap.reset();
    for (let i = 0; i < 5; i++) await transaction('ON COMMIT DROP');
    await transaction('', 'ROLLBACK');
    await transaction('ON COMMIT DELETE ROWS');
    expect(tap.count(`'pgcascade.mode'`)).toBe(0);
  });
});

test('one that hides a referenced table is not taken for it', async () => {
  await one.query('CREATE TEMP TABLE parent AS SELECT generate_series(1, 3) AS id');
  await one.query('DELETE FROM parent WHERE id = 1');
  expect(await ids(one, 'child')).toEqual([1, 2, 3]);
  await one.query('DELETE FROM public.parent WHERE id = 1');
  expect(await ids(one, 'child')).toEqual([2, 3]);
  await one.query('DISCARD TEMP');
  await one.query('DELETE FROM parent WHERE id = 2');
  expect(await ids(one, 'child')).toEqual([3]);
});

test('a session that has some asks for the fingerprint as seldom as others', async () => {
  await one.query(KEYED);
  await one.query('DELETE FROM mine WHERE id = 1');
  tap.reset();
  for (const id of [1, 2, 3]) await one.query(`DELETE FROM mine WHERE id = ${id}`);
  expect(asked()).toEqual({ questions: 0, catalogs: 0 });
});

describe('where the database tells of changes, but not of these', () => {
  let told: RunningProxy;
  beforeAll(async () => {
    await install(parseGraphUrl(database.url));
    told = await startProxy({ upstream: tap.url, graph: { refresh: '1h', url: database.url } });
  });
  afterAll(() => told.stop());
  beforeEach(async () => {
    [one, other] = [await told.connect(database.name), await told.connect(database.name)];
    for (const client of [one, other]) await client.query('DELETE FROM parent WHERE id = -1');
  });

  /** Each a statement of its own, and after each another session plans a DELETE. */
  const between = async (sql: string) => {
    for (const each of sql.split(';')) {
      await one.query(each);
      await other.query('DELETE FROM parent WHERE id = -1');
    }
  };

  test('tables with a key, heirs and views cascade for their session alone', async () => {
    await between(`${KEYED}; ${HEIR}; ${VIEW}`);
    await one.query('DELETE FROM mine WHERE id = 1');
    expect(await ids(one, 'of_mine')).toEqual([2]);
    await other.query('DELETE FROM parent WHERE id IN (1, 7)');
    await one.query('DELETE FROM parent WHERE id IN (2, 7)');
    expect([await ids(one, 'child'), await ids(one, 'heir')]).toEqual([[3], []]);
    await between('DROP TABLE heir');
    await one.query('DELETE FROM glimpse');
    expect(await ids(other, 'child')).toEqual([]);
  });

  test('one that hides a referenced table is not taken for it, and others still see that', async () => {
    await between('CREATE TEMP TABLE parent (id int); INSERT INTO parent VALUES (1), (2)');
    await one.query('DELETE FROM parent WHERE id = 1');
    expect(await ids(one, 'child')).toEqual([1, 2, 3]);
    await other.query('DELETE FROM parent WHERE id = 1');
    expect(await ids(one, 'child')).toEqual([2, 3]);
    await between('DROP TABLE parent');
    await one.query('DELETE FROM parent WHERE id = 2');
    expect(await ids(one, 'child')).toEqual([3]);
  });

  test('one that a function makes is noticed', async () => {
    await one.query('SELECT keyed()');
    await other.query('DELETE FROM parent WHERE id = -1');
    await one.query('DELETE FROM mine WHERE id = 1');
    expect(await ids(one, 'of_mine')).toEqual([2]);
  });

  test('without keys they make no other session ask', async () => {
    tap.reset();
    for (const end of ['', 'ON COMMIT DELETE ROWS', 'ON COMMIT DROP']) {
      await one.query('BEGIN');
      await one.query(`CREATE TEMP TABLE scratch${end.length} (id int PRIMARY KEY) ${end}`);
      await one.query('COMMIT');
      await other.query('DELETE FROM parent WHERE id = -1');
    }
    expect(asked()).toEqual({ questions: 0, catalogs: 0 });
  });
});
