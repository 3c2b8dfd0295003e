/** A database whose server carries out all that it declares: nothing is expanded there, and nothing asked, until that changes. */
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { run, sync } from '../support/frontend-messages.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { useTap } from '../support/tap.js';

const database = useDatabase('');
const tap = useTap();
const questions = () => tap.count(`'pgcascade.mode'`);

const UNENFORCED = 'ALTER TABLE child ADD CONSTRAINT acts FOREIGN KEY (parent_id) REFERENCES parent';
const ACTS = `${UNENFORCED} ON DELETE CASCADE NOT ENFORCED`;
const DELETES = `CREATE TRIGGER deletes AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION deletes()`;

let direct: pg.Client;
let proxy: RunningProxy;
let one: pg.Client;
beforeAll(async () => {
  direct = await database.connect();
});
beforeEach(async () => {
  await direct.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent_id int);
    CREATE TABLE enforced (parent_id int REFERENCES parent ON DELETE CASCADE);
    CREATE FUNCTION deletes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM child; RETURN NULL; END';
    INSERT INTO parent VALUES (1), (2);
    INSERT INTO child SELECT id, id FROM parent`);
  proxy = await startProxy({ upstream: tap.url, graph: { refresh: '1h' } });
  onTestFinished(() => proxy.stop());
  one = await proxy.connect(database.name);
  await one.query('DELETE FROM parent WHERE id = -1');
  tap.reset();
});

const children = async () =>
  (await direct.query<{ id: number }>('SELECT id FROM child ORDER BY id')).rows.map(({ id }) => id);
const remove = (client: pg.Client) => client.query('DELETE FROM parent WHERE id = 1');

describe('asks no question', () => {
  test.each([
    'DELETE FROM child WHERE id = -1',
    'DELETE FROM no_such_table',
    'TRUNCATE child',
    'BEGIN; DELETE FROM child WHERE id = -1; COMMIT',
    'WITH gone AS (DELETE FROM child RETURNING *) SELECT * FROM gone',
    'MERGE INTO child USING parent ON parent.id = child.id WHEN MATCHED THEN DELETE',
  ])('for %s', async (sql) => {
    await one.query(sql).catch(() => {});
    expect(questions()).toBe(0);
  });

  test('for a prepared DELETE', async () => {
    await one.query('DELETE FROM child WHERE id = $1', [1]);
    expect([await children(), questions()]).toEqual([[2], 0]);
  });

  test.each([
    'CREATE TEMP TABLE scratch (id int PRIMARY KEY) ON COMMIT DROP',
    'CREATE TABLE other (id int PRIMARY KEY)',
    'ALTER TABLE child ADD CONSTRAINT enforces FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE',
    'CREATE TABLE other (LIKE child INCLUDING ALL)',
    'CREATE VIEW glimpse AS TABLE parent',
  ])('after %s, in the same transaction and after it', async (sql) => {
    const other = await proxy.connect(database.name);
    await other.query('DELETE FROM parent WHERE id = -1');
    tap.reset();
    await one.query('BEGIN');
    await one.query(sql);
    await one.query('DELETE FROM child WHERE id = 1');
    await one.query('COMMIT');
    for (const client of [one, other]) await client.query('DELETE FROM child WHERE id = -1');
    expect([await children(), questions()]).toEqual([[2], 0]);
  });
});

describe('cascades from the moment on that a key is not enforced', () => {
  test('in the same transaction, and for the others after it', async () => {
    const other = await proxy.connect(database.name);
    await other.query('DELETE FROM parent WHERE id = -1');
    await one.query('BEGIN');
    await one.query(ACTS);
    await remove(one);
    await one.query('COMMIT');
    expect(await children()).toEqual([2]);
    await other.query('DELETE FROM parent');
    expect(await children()).toEqual([]);
  });

  test('in the same string', async () => {
    await one.query(`${ACTS}; DELETE FROM parent WHERE id = 1`);
    expect(await children()).toEqual([2]);
  });

  test('in the same pipeline', async () => {
    const client = await RawClient.login(proxy, { user: 'postgres', database: database.name });
    await client.ask(run(ACTS), run('DELETE FROM parent WHERE id = 1'), sync);
    expect(await children()).toEqual([2]);
  });

  test.each([
    [
      'that an enforced one was',
      `${UNENFORCED} ON DELETE CASCADE`,
      'ALTER TABLE child ALTER CONSTRAINT acts NOT ENFORCED',
    ],
    ['of a DO block', '', `DO $$ BEGIN ${ACTS}; END $$`],
    ['that a text spells in capitals', '', ACTS.toUpperCase()],
  ])('%s', async (_, before, sql) => {
    if (before) await one.query(before);
    await one.query('DELETE FROM parent WHERE id = -1');
    await one.query(sql);
    await remove(one);
    expect(await children()).toEqual([2]);
  });

  test('that is a temporary table’s', async () => {
    await one.query(`CREATE TEMP TABLE mine (id int PRIMARY KEY);
      CREATE TEMP TABLE of_mine (id int REFERENCES mine ON DELETE CASCADE NOT ENFORCED);
      INSERT INTO mine VALUES (1), (2); INSERT INTO of_mine TABLE mine`);
    await one.query('DELETE FROM mine WHERE id = 1');
    expect((await one.query('TABLE of_mine')).rows).toEqual([{ id: 2 }]);
  });

  test('for what was prepared before, by a message or in SQL', async () => {
    await one.query({ name: 'by message', text: 'DELETE FROM parent WHERE id = -1' });
    await one.query('PREPARE in_sql AS DELETE FROM parent WHERE id = 2');
    await one.query(ACTS);
    await one.query('EXECUTE in_sql');
    expect(await children()).toEqual([1]);
  });
});

describe('sees a trigger', () => {
  test('beside a key for the proxy', async () => {
    const strict = await startProxy({
      upstream: tap.url,
      graph: { refresh: '1h' },
      cascade: { triggers: 'reject' },
    });
    onTestFinished(() => strict.stop());
    const refusing = await strict.connect(database.name);
    await refusing.query('DELETE FROM parent WHERE id = -1');
    await refusing.query(DELETES);
    await refusing.query(ACTS);
    await expect(remove(refusing)).rejects.toMatchObject({ code: '0A000' });
  });

  test('of DDL, which makes a key', async () => {
    await direct.query(`CREATE FUNCTION keys() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN ${ACTS}; EXCEPTION WHEN duplicate_object THEN END $$;
      CREATE EVENT TRIGGER keys ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION keys()`);
    onTestFinished(async () => void (await direct.query('DROP EVENT TRIGGER IF EXISTS keys')));
    const fresh = await startProxy({ upstream: tap.url, graph: { refresh: '1h' } });
    onTestFinished(() => fresh.stop());
    const client = await fresh.connect(database.name);
    await client.query('DELETE FROM parent WHERE id = -1');
    await client.query('CREATE TABLE another (id int)');
    await remove(client);
    expect(await children()).toEqual([2]);
  });
});

describe('DDL that brought nothing when it was sent', () => {
  test.each(['in the same transaction', 'for the others after it'])('is seen %s', async (when) => {
    const other = await proxy.connect(database.name);
    await one.query('BEGIN');
    await one.query('CREATE VIEW glimpse AS TABLE parent');
    await other.query(ACTS);
    await other.query('DELETE FROM parent WHERE id = -1');
    const isInside = when === 'in the same transaction';
    if (isInside) await one.query('DELETE FROM glimpse WHERE id = 1');
    await one.query('COMMIT');
    if (!isInside) await other.query('DELETE FROM glimpse WHERE id = 1');
    expect(await children()).toEqual([2]);
  });

  test('is seen where another session commits it, prepared', async () => {
    await one.query('BEGIN');
    await one.query(ACTS);
    await one.query(`PREPARE TRANSACTION 'brings'`);
    const other = await proxy.connect(database.name);
    await other.query('DELETE FROM enforced');
    await other.query(`COMMIT PREPARED 'brings'`);
    await remove(other);
    await one.query('DELETE FROM parent');
    expect(await children()).toEqual([]);
  });
});

test('a transaction that drops the last key for the proxy and rolls back leaves the others as they were', async () => {
  await one.query(ACTS);
  const other = await proxy.connect(database.name);
  await other.query('DELETE FROM parent WHERE id = -1');
  await one.query('BEGIN');
  await one.query('ALTER TABLE child DROP CONSTRAINT acts');
  await one.query('DELETE FROM parent WHERE id = -1');
  await one.query('ROLLBACK');
  for (const client of [other, one]) await client.query('CREATE TABLE IF NOT EXISTS another (id int)');
  await remove(other);
  expect(await children()).toEqual([2]);
  await one.query('DELETE FROM parent');
  expect(await children()).toEqual([]);
});
