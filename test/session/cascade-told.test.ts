/** With `pgcascade install` and graph.url, a change of the schema that others made is seen before the next statement. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install, uninstall } from '../../src/graph/watch/install.js';
import { createDatabase, type Database, useDatabase } from '../support/database.js';
import { parse, query, runPrepared, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const SCHEMA = `
  DROP SCHEMA IF EXISTS shop, store CASCADE;
  CREATE SCHEMA shop;
  CREATE TABLE shop.parent (id int, name int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
  CREATE TABLE shop.few PARTITION OF shop.parent FOR VALUES FROM (0) TO (100000);
  CREATE TABLE shop.child (id int PRIMARY KEY, parent_id int);
  INSERT INTO shop.parent SELECT i, i FROM generate_series(1, 3) i;
  INSERT INTO shop.child SELECT i, i FROM generate_series(1, 3) i;`;
const ADD_KEY = `ALTER TABLE shop.child ADD CONSTRAINT child_fkey
  FOREIGN KEY (parent_id) REFERENCES shop.parent ON DELETE CASCADE NOT ENFORCED`;
const DROP_KEY = 'ALTER TABLE shop.child DROP CONSTRAINT child_fkey';
const deleteParent = 'DELETE FROM shop.parent WHERE id = $1';
const DELETED = ['2', 'n', 'C DELETE 1', 'Z I'];

const database = useDatabase();
let one: RunningProxy;
let other: RunningProxy;

beforeAll(async () => {
  await install(parseGraphUrl(database.url));
  [one, other] = [await startTold(database), await startTold(database)];
});
beforeEach(async () => {
  const direct = await database.connect();
  await direct.query(SCHEMA);
});
afterAll(async () => {
  await one.stop();
  await other.stop();
});

/** A proxy that is told of this database's changes, and notices none by waiting. */
function startTold({ url }: Database): Promise<RunningProxy> {
  return startProxy({ graph: { refresh: '1h', url } });
}

/** A proxy for one test. */
async function start(options: ProxyOptions): Promise<RunningProxy> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** A session that has planned its DELETE already, and keeps what it learnt. */
async function warm(proxy: RunningProxy, { name } = database, text = deleteParent): Promise<RawClient> {
  const client = await RawClient.login(proxy, { database: name });
  await client.ask(parse(text, 'd'), runPrepared('d', ['-1']), sync);
  await client.ask(runPrepared('d', ['-1']), sync);
  return client;
}

const remove = (client: RawClient, id: number) => client.told(runPrepared('d', [String(id)]), sync);

async function children(table = 'shop.child'): Promise<string> {
  const client = await database.connect();
  const { rows } = await client.query(`SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM ${table}`);
  return rows[0].ids;
}

describe('a change that somebody made past the proxies is seen by both of them', () => {
  test.each([
    ['a key that is added', '', ADD_KEY, '3'],
    ['a key that is dropped', ADD_KEY, DROP_KEY, '1 2 3'],
    [
      'a key that gets another action',
      ADD_KEY,
      `${DROP_KEY}; ${ADD_KEY.replace('CASCADE', 'SET NULL')}`,
      '1 2 3',
    ],
    [
      'a key that is enforced no more',
      ADD_KEY.replace('NOT ENFORCED', 'ENFORCED'),
      'ALTER TABLE shop.child ALTER CONSTRAINT child_fkey NOT ENFORCED',
      '3',
    ],
    ['an index', ADD_KEY, 'CREATE INDEX ON shop.child (parent_id)', '3'],
    ['a column of another name', ADD_KEY, 'ALTER TABLE shop.child RENAME parent_id TO owner', '3'],
    [
      'a table of another name',
      ADD_KEY,
      'ALTER TABLE shop.child RENAME TO infant; CREATE VIEW shop.child AS TABLE shop.infant',
      '3',
    ],
    [
      'a schema of another name',
      ADD_KEY,
      'CREATE SCHEMA store; ALTER TABLE shop.child SET SCHEMA store; ALTER SCHEMA store RENAME TO stock; CREATE VIEW shop.child AS TABLE stock.child',
      '3',
    ],
    [
      'a table that is dropped',
      ADD_KEY,
      'DROP TABLE shop.child; CREATE TABLE shop.child AS SELECT 1 AS id',
      '1',
    ],
    [
      'a key to a table that is made again',
      ADD_KEY,
      `DROP TABLE shop.parent CASCADE; CREATE TABLE shop.parent (id int PRIMARY KEY); INSERT INTO shop.parent VALUES (1), (2); ${ADD_KEY}`,
      '3',
    ],
    ['a change in a transaction', '', `BEGIN; SELECT 1; ${ADD_KEY}; COMMIT`, '3'],
    ['a change in a block', '', `DO $$ BEGIN ${ADD_KEY}; END $$`, '3'],
    [
      'a change of a session in the replica role',
      '',
      `SET session_replication_role = replica; ${ADD_KEY}`,
      '3',
    ],
  ])('%s', async (_, before, change, left) => {
    const direct = await database.connect();
    await direct.query(before);
    const sessions = [await warm(one), await warm(other)];
    await direct.query(change);
    for (const [i, session] of sessions.entries()) expect(await remove(session, i + 1)).toEqual(DELETED);
    expect(await children()).toBe(left);
    await direct.query('DROP SCHEMA IF EXISTS stock CASCADE');
  });

  test('a partition that is attached: then its rows are those of the whole', async () => {
    const direct = await database.connect();
    await direct.query(`ALTER TABLE shop.parent DETACH PARTITION shop.few; ${ADD_KEY}`);
    const text = 'DELETE FROM shop.few WHERE id = $1';
    const sessions = [await warm(one, database, text), await warm(other, database, text)];
    await direct.query('ALTER TABLE shop.parent ATTACH PARTITION shop.few FOR VALUES FROM (0) TO (1000)');
    for (const [i, session] of sessions.entries()) expect(await remove(session, i + 1)).toEqual(DELETED);
    expect(await children()).toBe('3');
  });

  test('a partition that is detached: then its rows are its own', async () => {
    const direct = await database.connect();
    await direct.query(`${ADD_KEY}; TRUNCATE shop.child`);
    const text = 'DELETE FROM shop.few WHERE id = $1';
    const sessions = [await warm(one, database, text), await warm(other, database, text)];
    await direct.query(`ALTER TABLE shop.parent DETACH PARTITION shop.few;
      INSERT INTO shop.child VALUES (1, 1), (2, 2)`);
    for (const [i, session] of sessions.entries()) expect(await remove(session, i + 1)).toEqual(DELETED);
    expect(await children()).toBe('1 2');
  });

  test('a key of its own that a partition got', async () => {
    const direct = await database.connect();
    const sessions = [await warm(one), await warm(other)];
    await direct.query(ADD_KEY.replace('shop.parent', 'shop.few'));
    for (const [i, session] of sessions.entries()) expect(await remove(session, i + 1)).toEqual(DELETED);
    expect(await children()).toBe('3');
  });

  test('a rule: then the DELETE is refused', async () => {
    const direct = await database.connect();
    await direct.query(ADD_KEY);
    const sessions = [await warm(one), await warm(other)];
    await direct.query('CREATE RULE also AS ON DELETE TO shop.parent DO ALSO NOTIFY nobody');
    for (const session of sessions) expect((await remove(session, 1)).at(0)).toContain('C=0A000');
  });

  test('a change that was made through the other proxy', async () => {
    const [client, by] = [await warm(one), await warm(other)];
    await by.ask(query(ADD_KEY));
    await remove(client, 1);
    expect(await children()).toBe('2 3');
  });
});

test('the database is known by what it says of itself, whichever way leads to it', async () => {
  const { socketDir, port, user } = inject('postgres');
  const url = `postgres://${user}@:${port}/${database.name}?host=${socketDir}`;
  const proxy = await start({ graph: { refresh: '1h', url } });
  const client = await warm(proxy);
  const direct = await database.connect();
  await direct.query(ADD_KEY);
  await remove(client, 1);
  expect(await children()).toBe('2 3');
  expect(proxy.log).toEqual([]);
});

describe('where changes are not told', () => {
  /** Ends what listens in the database, from the server's side. */
  async function endListeners(): Promise<void> {
    const direct = await database.connect();
    await direct.query(`SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
      WHERE application_name = 'pgcascade' AND datname = current_database()`);
  }

  test('because the connection was lost just now, the next DELETE asks', async () => {
    const direct = await database.connect();
    const client = await warm(one);
    await endListeners();
    await direct.query(ADD_KEY);
    await remove(client, 1);
    expect(await children()).toBe('2 3');
  });

  test('because install never ran, a warning says so, and graph.refresh holds', async () => {
    const bare = await createDatabase();
    onTestFinished(() => bare.drop());
    const direct = await bare.connect();
    await direct.query(SCHEMA);
    const proxy = await start({ graph: { refresh: '0s', url: bare.url } });
    const client = await warm(proxy, bare);
    await direct.query(ADD_KEY);
    expect(await remove(client, 1)).toEqual(DELETED);
    const { rows } = await direct.query('SELECT count(*)::int AS left FROM shop.child');
    expect(rows).toEqual([{ left: 2 }]);
    expect(proxy.log).toEqual([expect.stringContaining('run pgcascade install')]);
  });

  test('because install is undone, the next DELETE asks', async () => {
    const bare = await createDatabase();
    onTestFinished(() => bare.drop());
    await install(parseGraphUrl(bare.url));
    const direct = await bare.connect();
    await direct.query(SCHEMA);
    const proxy = await start({ graph: { refresh: '1h', url: bare.url } });
    const client = await warm(proxy, bare);
    await uninstall(parseGraphUrl(bare.url));
    await direct.query(ADD_KEY);
    expect(await remove(client, 1)).toEqual(DELETED);
    const { rows } = await direct.query('SELECT count(*)::int AS left FROM shop.child');
    expect(rows).toEqual([{ left: 2 }]);
  });

  test('because graph.url leads elsewhere, a warning says so, and graph.refresh holds', async () => {
    const elsewhere = await createDatabase();
    onTestFinished(() => elsewhere.drop());
    await install(parseGraphUrl(elsewhere.url));
    const proxy = await start({ graph: { refresh: '0s', url: elsewhere.url } });
    const client = await warm(proxy);
    const direct = await database.connect();
    await direct.query(ADD_KEY);
    await remove(client, 1);
    expect(await children()).toBe('2 3');
    await remove(await warm(proxy), 2);
    expect(proxy.log).toEqual([expect.stringContaining('graph.url leads to another database than')]);
  });

  test('because the database of graph.url is down, the proxy starts, warns and serves', async () => {
    const proxy = await start({ graph: { url: 'postgres://me@127.0.0.1:1/shop' } });
    const client = await warm(proxy);
    expect(await remove(client, 1)).toEqual(DELETED);
    expect(proxy.log).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  test('because the upstream is the embedded database, it serves', async () => {
    const proxy = await start({
      upstream: 'embedded',
      graph: { refresh: '1h', url: database.url },
    });
    const client = await proxy.connect();
    expect((await client.query('DELETE FROM orgs WHERE id = 1')).rowCount).toBe(1);
    expect(proxy.log).toEqual([expect.stringContaining('graph.url leads to another database than')]);
  });
});

test('a listener is not made where cascades are off, until they are switched on', async () => {
  const graph = { url: 'postgres://me@127.0.0.1:1/shop' };
  const proxy = await start({ cascade: { mode: 'off' }, graph });
  expect(proxy.log).toEqual([]);
  expect(await proxy.reload({ graph })).toMatchObject({ kind: 'applied' });
  expect(proxy.log.join()).toContain('127.0.0.1:1');
});
