/** What a DELETE costs in questions of the proxy's own: each is a round trip to the server. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, runPrepared, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int);`);
const tap = useTap();

/** How often the server was asked, and how often for the whole catalog. */
const asked = () => ({ questions: tap.count(`'pgcascade.mode'`), catalogs: tap.count('confdeltype') });

async function start(graph: ProxyOptions['graph']): Promise<RunningProxy> {
  const proxy = await startProxy({ upstream: tap.url, graph });
  onTestFinished(() => proxy.stop());
  return proxy;
}

const remove = (client: pg.Client, id = -1) => client.query(`DELETE FROM parent WHERE id = ${id}`);

async function times(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work();
}

describe('the first DELETE of a database', () => {
  test('asks what is there, and then for all of it with what it is called by, in one statement', async () => {
    const client = await (await start({ refresh: '1h' })).connect(database.name);
    tap.reset();
    await remove(client);
    expect(asked()).toEqual({ questions: 2, catalogs: 1 });
  });

  test('in a transaction that has written asks for it once, and so do the others', async () => {
    const proxy = await start({ refresh: '1h' });
    const [one, other] = [await proxy.connect(database.name), await proxy.connect(database.name)];
    await one.query('BEGIN');
    await one.query('INSERT INTO notes VALUES (1)');
    tap.reset();
    await times(20, () => remove(one));
    expect(asked()).toEqual({ questions: 2, catalogs: 1 });
    await times(20, () => remove(other));
    expect(asked()).toEqual({ questions: 4, catalogs: 2 });
    await times(20, () => remove(one));
    expect(asked()).toEqual({ questions: 4, catalogs: 2 });
    await one.query('ROLLBACK');
  });
});

describe('transactions that write before they delete', () => {
  const transaction = async (client: pg.Client) => {
    for (const sql of ['BEGIN', 'INSERT INTO notes VALUES (1)']) await client.query(sql);
    await remove(client);
    await client.query('COMMIT');
  };

  test('ask once, and once more before the next one begins, which then holds for all', async () => {
    const proxy = await start({ refresh: '1h' });
    const [one, other] = [await proxy.connect(database.name), await proxy.connect(database.name)];
    for (const client of [one, other]) await remove(client);
    await other.query('ALTER TABLE notes ADD COLUMN more int');
    tap.reset();
    await times(5, () => transaction(one));
    await times(5, () => transaction(other));
    expect(asked()).toEqual({ questions: 3, catalogs: 0 });
    await other.query('ALTER TABLE notes DROP COLUMN more');
  });

  test('read another catalog twice at most: for one of them alone, and for all', async () => {
    const proxy = await start({ refresh: '1h' });
    const [one, other] = [await proxy.connect(database.name), await proxy.connect(database.name)];
    for (const client of [one, other]) await remove(client);
    await other.query('CREATE TABLE more (id int REFERENCES parent NOT ENFORCED)');
    tap.reset();
    await times(5, () => transaction(one));
    await times(5, () => transaction(other));
    expect(asked().catalogs).toBe(2);
    await other.query('DROP TABLE more');
  });

  test('ask once each where nothing is trusted', async () => {
    const client = await (await start({ refresh: '0s' })).connect(database.name);
    await remove(client);
    tap.reset();
    await times(5, () => transaction(client));
    expect(asked().questions).toBe(5);
  });
});

describe('with a long graph.refresh', () => {
  test.each([
    `SELECT set_config('request.jwt.claims', '{"role": "a"}', false)`,
    `INSERT INTO notes SELECT 1 WHERE 'hello; world' = 'create table; delete' -- alter table`,
    `SET application_name = 'search_path'`,
    'SELECT 1; SELECT 2',
  ])('a DELETE after a text that sets or makes nothing of concern asks nothing, here and elsewhere: %s', async (sql) => {
    const proxy = await start({ refresh: '1h' });
    const [one, other] = [await proxy.connect(database.name), await proxy.connect(database.name)];
    await remove(one);
    await remove(other);
    tap.reset();
    await one.query(sql);
    await remove(one);
    await remove(other);
    expect(asked()).toEqual({ questions: 0, catalogs: 0 });
  });

  test('what a view of the settings sets is noticed as SET is', async () => {
    const client = await (await start({ refresh: '1h' })).connect(database.name);
    await client.query('INSERT INTO parent VALUES (77); INSERT INTO child VALUES (77, 77)');
    await remove(client);
    await client.query(`UPDATE pg_settings SET setting = 'replica' WHERE name = 'session_replication_role'`);
    await remove(client, 77);
    expect((await client.query('DELETE FROM child WHERE id = 77')).rowCount).toBe(1);
  });

  test('a DELETE of a table that was named before asks nothing', async () => {
    const client = await (await start({ refresh: '1h' })).connect(database.name);
    await remove(client);
    tap.reset();
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 0, catalogs: 0 });
  });

  test.each([
    'READ COMMITTED',
    'REPEATABLE READ',
  ])('many DELETEs after an INSERT in a %s transaction ask once', async (level) => {
    const proxy = await start({ refresh: '1h' });
    const client = await proxy.connect(database.name);
    await remove(client);
    // Some session changed the schema: what is remembered is to be asked for again.
    await (await proxy.connect(database.name)).query('CREATE TABLE mine (id int); DROP TABLE mine');
    await client.query(`BEGIN ISOLATION LEVEL ${level}`);
    await client.query('INSERT INTO notes VALUES (1)');
    tap.reset();
    await times(20, () => remove(client));
    expect(asked().questions).toBe(asked().catalogs + 1);
    await client.query('ROLLBACK');
  });

  test.each([
    'REPEATABLE READ',
    'SERIALIZABLE',
  ])('many DELETEs of a %s transaction that has not written ask once for its snapshot', async (level) => {
    const client = await (await start({ refresh: '1h' })).connect(database.name);
    await client.query(`BEGIN ISOLATION LEVEL ${level}`);
    tap.reset();
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 2, catalogs: 1 });
    await client.query('ROLLBACK');
    await client.query(`BEGIN ISOLATION LEVEL ${level}`);
    tap.reset();
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 1, catalogs: 0 });
    await client.query('ROLLBACK');
  });

  test('many DELETEs after DDL of their own transaction ask once', async () => {
    const client = await (await start({ refresh: '1h' })).connect(database.name);
    await client.query('BEGIN');
    await client.query('ALTER TABLE child ADD COLUMN more int');
    tap.reset();
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 2, catalogs: 1 });
    await client.query('ROLLBACK');
  });
});

describe('with graph.refresh 0s', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy({ upstream: tap.url, graph: { refresh: '0s' } });
  });
  afterAll(() => proxy.stop());
  let client: pg.Client;
  beforeEach(async () => {
    client = await proxy.connect(database.name);
    await remove(client);
    tap.reset();
  });

  test('a DELETE asks one question', async () => {
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 20, catalogs: 0 });
  });

  test('a DELETE with parameters asks one question', async () => {
    await times(20, () => client.query('DELETE FROM parent WHERE id = $1', [-1]));
    expect(asked()).toEqual({ questions: 20, catalogs: 0 });
  });

  test('a prepared DELETE asks one question an execution', async () => {
    await times(20, () =>
      client.query({ name: 'd', text: 'DELETE FROM parent WHERE id = $1', values: [-1] }),
    );
    expect(asked()).toEqual({ questions: 20, catalogs: 0 });
  });

  test('a DELETE in a transaction that has written asks one question', async () => {
    await client.query('BEGIN');
    await client.query('INSERT INTO notes VALUES (1)');
    await times(20, () => remove(client));
    expect(asked()).toEqual({ questions: 20, catalogs: 0 });
    await client.query('ROLLBACK');
  });

  test('what a function did between Parse and Bind in one write is seen', async () => {
    const raw = await RawClient.login(proxy, { database: database.name });
    const direct = await database.connect();
    await direct.query(`CREATE FUNCTION drop_key() RETURNS int LANGUAGE plpgsql AS
      'BEGIN ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey; RETURN 1; END';
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)`);
    await raw.ask(
      ...[parse('DELETE FROM parent WHERE id = $1', 'd'), parse('SELECT drop_key()'), bind(), execute()],
      ...[runPrepared('d', ['1']), sync],
    );
    expect((await direct.query('SELECT id FROM child')).rows).toEqual([{ id: 1 }]);
    await direct.query(`DELETE FROM child; DROP FUNCTION drop_key;
      ALTER TABLE child ADD FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE NOT ENFORCED`);
  });

  test('what does not delete asks nothing', async () => {
    await client.query('SELECT * FROM parent');
    await client.query('UPDATE notes SET id = 1');
    expect(asked()).toEqual({ questions: 0, catalogs: 0 });
  });
});

test('EXECUTE of a name that no DELETE was prepared by asks nothing', async () => {
  const client = await (await start({ refresh: '0s' })).connect(database.name);
  await client.query('SELECT 1');
  tap.reset();
  await client.query('PREPARE a AS SELECT 1');
  await times(20, () => client.query('EXECUTE a'));
  await expect(client.query('EXECUTE nobody')).rejects.toThrow('nobody');
  expect(asked()).toEqual({ questions: 0, catalogs: 0 });
  await client.query('PREPARE b AS DELETE FROM parent WHERE id = -1');
  tap.reset();
  await client.query('EXECUTE b');
  expect(asked()).toEqual({ questions: 1, catalogs: 0 });
});

test('with graph.url and install a DELETE asks nothing, whatever graph.refresh is', async () => {
  await install(parseGraphUrl(database.url));
  const client = await (await start({ refresh: '0s', url: database.url })).connect(database.name);
  await remove(client);
  tap.reset();
  await times(20, () => remove(client));
  await times(20, () => client.query('DELETE FROM parent WHERE id = $1', [-1]));
  expect(asked()).toEqual({ questions: 0, catalogs: 0 });
});

describe('a database whose keys the server enforces, with nothing configured', () => {
  const enforced = useDatabase(`
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE);
    CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM child; RETURN OLD; END'`);

  test('is asked what it is, and its catalog is not read until a key is NOT ENFORCED or a trigger can delete', async () => {
    const client = await (await start({ refresh: '0s' })).connect(enforced.name);
    tap.reset();
    await times(5, () => remove(client));
    await client.query('TRUNCATE child');
    expect(asked()).toEqual({ questions: 6, catalogs: 0 });
    const direct = await enforced.connect();
    for (const change of [
      'CREATE TRIGGER react AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION react()',
      'DROP TRIGGER react ON parent; CREATE CONSTRAINT TRIGGER react AFTER DELETE ON parent FOR EACH ROW EXECUTE FUNCTION react()',
      'DROP TRIGGER react ON parent; ALTER TABLE child ALTER CONSTRAINT child_parent_id_fkey NOT ENFORCED',
    ]) {
      await direct.query(change);
      tap.reset();
      await remove(client);
      expect(asked().catalogs).toBe(1);
    }
    await direct.query('INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)');
    await remove(client, 1);
    expect((await direct.query('SELECT FROM child')).rowCount).toBe(0);
    await direct.query('ALTER TABLE child ALTER CONSTRAINT child_parent_id_fkey ENFORCED');
    tap.reset();
    await remove(client);
    expect(asked().catalogs).toBe(0);
  });
});
