/**
 * What a transaction sees before it commits is its own: keys that a function adds or drops, unseen in the text of any
 * statement, decide for that transaction and, once it is committed, for all.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { useDatabase } from '../support/database.js';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { untilBlocked } from '../support/server-sessions.js';

const ADD = `ALTER TABLE child ADD CONSTRAINT child_fkey
  FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE NOT ENFORCED`;
const DROP = 'ALTER TABLE child DROP CONSTRAINT child_fkey';
const TABLES = `
  DROP TABLE IF EXISTS parent, child;
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int);
  INSERT INTO parent SELECT generate_series(1, 4);
  INSERT INTO child SELECT i, i FROM generate_series(1, 4) i;`;
const FUNCTIONS = `
  CREATE FUNCTION add_key() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${ADD}; RETURN 1; END $$;
  CREATE FUNCTION drop_key() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${DROP}; RETURN 1; END $$;
  CREATE FUNCTION guarded(command text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN BEGIN EXECUTE command; EXCEPTION WHEN OTHERS THEN RAISE; END; RETURN 1; END $$;`;

const database = useDatabase(FUNCTIONS);
const told = useDatabase(FUNCTIONS);
const proxies: Partial<Record<'graph.refresh' | 'graph.url', RunningProxy>> = {};

beforeAll(async () => {
  await install(parseGraphUrl(told.url));
  proxies['graph.refresh'] = await startProxy({ graph: { refresh: '1h' } });
  proxies['graph.url'] = await startProxy({ graph: { refresh: '1h', url: told.url } });
});
afterAll(async () => {
  await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
});
const session = useKeptSessions();

/** What makes a proxy look again; neither does within a test, but for what is told. */
const ways = ['graph.refresh', 'graph.url'] as const;
type Way = (typeof ways)[number];
const databaseOf = (way: Way) => (way === 'graph.url' ? told : database);

async function connect(way: Way): Promise<RawClient> {
  const proxy = proxies[way];
  if (!proxy) throw new Error('the proxy is started in beforeAll');
  return session(proxy, { database: databaseOf(way).name });
}

async function tell(client: RawClient, ...texts: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const text of texts) answers.push(...(await client.told(query(text))));
  return answers.filter((answer) => answer.startsWith('E'));
}

/** The tables, with or without the key, made through the proxy: it knows that a graph which it remembers is old. */
async function prepare(way: Way, key: boolean): Promise<void> {
  expect(await tell(await connect(way), `${TABLES} ${key ? ADD : ''}`)).toEqual([]);
}

async function children(way: Way): Promise<string> {
  const direct = await databaseOf(way).connect();
  const { rows } = await direct.query(`SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM child`);
  await direct.end();
  return rows[0].ids;
}

/** Until a session waits for a lock of another. */
async function someoneWaits(way: Way): Promise<void> {
  const direct = await databaseOf(way).connect();
  await untilBlocked(direct);
  await direct.end();
}

const changes = [
  ['drops a key', true, 'SELECT drop_key()', '1 3 4'],
  ['adds a key', false, 'SELECT add_key()', '1 2 3 4'],
  ['drops a key in a subtransaction', true, `SELECT guarded('${DROP}')`, '1 3 4'],
  ['drops a key and adds another', true, 'SELECT drop_key(), add_key(), drop_key()', '1 3 4'],
] as const;
const begins = [
  ['READ COMMITTED', ['BEGIN']],
  ['REPEATABLE READ', ['BEGIN ISOLATION LEVEL REPEATABLE READ']],
  ['READ COMMITTED, in a savepoint', ['BEGIN', 'SAVEPOINT a']],
] as const;
const cases = ways.flatMap((way) =>
  changes.flatMap(([what, key, change, left]) =>
    begins.map(([level, begin]) => ({ way, what, key, change, left, level, begin })),
  ),
);

describe.each(cases)('69 a function that $what, rolled back ($level, $way)', ({
  way,
  key,
  change,
  left,
  begin,
}) => {
  test.each([
    ['after it', false],
    ['before and after it', true],
  ])('decides nothing for a session that asks %s', async (_, before) => {
    await prepare(way, key);
    const [one, other] = [await connect(way), await connect(way)];
    if (before) await tell(other, 'DELETE FROM parent WHERE id = 99');
    await tell(one, ...begin, change, 'DELETE FROM parent WHERE id = -1', 'ROLLBACK');
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children(way)).toBe(left);
  });

  test('decides nothing for a session that asks while it is open', async () => {
    await prepare(way, key);
    const [one, other] = [await connect(way), await connect(way)];
    await tell(one, ...begin, change, 'DELETE FROM parent WHERE id = -1');
    other.send(query('DELETE FROM parent WHERE id = 2'));
    await someoneWaits(way);
    await tell(one, 'ROLLBACK');
    await other.untilReady();
    expect(await children(way)).toBe(left);
  });

  test('decides nothing for its own session', async () => {
    await prepare(way, key);
    const client = await connect(way);
    await client.ask(parse('DELETE FROM parent WHERE id = $1', 'd'), sync);
    await tell(client, ...begin, change);
    await client.ask(runPrepared('d', ['-1']), sync);
    await tell(client, 'ROLLBACK');
    await client.ask(runPrepared('d', ['2']), sync);
    expect(await children(way)).toBe(left);
  });
});

describe.each(ways)('with %s', (way) => {
  test('a key that a function added in a savepoint is followed, and not after ROLLBACK TO', async () => {
    await prepare(way, false);
    const client = await connect(way);
    const keyed = ['SELECT add_key()', 'DELETE FROM parent WHERE id = 1'];
    await tell(client, 'BEGIN', 'SAVEPOINT a', ...keyed);
    expect(await client.told(query('SELECT count(*) FROM child'))).toContain('D 3');
    await tell(client, 'ROLLBACK TO a', 'DELETE FROM parent WHERE id = 2', 'COMMIT');
    expect(await children(way)).toBe('1 2 3 4');
  });

  test('a key that a function dropped in a pipeline that fails is there for the next one', async () => {
    await prepare(way, true);
    const client = await connect(way);
    const failing = [run('SELECT drop_key()'), run('DELETE FROM parent WHERE id = -1'), run('SELECT 1/0')];
    client.send(...failing, sync, run('DELETE FROM parent WHERE id = 2'), sync);
    await client.untilReady(2);
    expect(await children(way)).toBe('1 3 4');
  });

  test('a key that a function dropped is there again after ROLLBACK in the same write', async () => {
    await prepare(way, true);
    const client = await connect(way);
    await tell(client, 'BEGIN', 'SELECT drop_key()', 'DELETE FROM parent WHERE id = -1');
    client.send(query('ROLLBACK'), query('DELETE FROM parent WHERE id = 2'));
    await client.untilReady(2);
    expect(await children(way)).toBe('1 3 4');
  });

  test('a key that a function added is not followed where its prepared transaction is rolled back', async () => {
    await prepare(way, false);
    const [one, other] = [await connect(way), await connect(way)];
    // A transaction that told of a change cannot be prepared.
    const quiet = way === 'graph.url' ? 'SET LOCAL event_triggers = off' : 'SELECT 1';
    const name = way.replace('.', '_');
    await tell(one, 'BEGIN', quiet, 'SELECT add_key()', 'DELETE FROM parent WHERE id = -1');
    expect(await tell(one, `PREPARE TRANSACTION '${name}'`)).toEqual([]);
    other.send(query('DELETE FROM parent WHERE id = 2'));
    await someoneWaits(way);
    await tell(one, `ROLLBACK PREPARED '${name}'`);
    await other.untilReady();
    expect(await children(way)).toBe('1 2 3 4');
  });
});

describe('a key that a function adds in a transaction that commits', () => {
  const transaction = ['BEGIN', 'SELECT add_key()', 'DELETE FROM parent WHERE id = -1', 'COMMIT'];

  test('is followed by others at once with graph.url', async () => {
    await prepare('graph.url', false);
    const [one, other] = [await connect('graph.url'), await connect('graph.url')];
    await tell(other, 'DELETE FROM parent WHERE id = 1');
    await tell(one, ...transaction);
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children('graph.url')).toBe('1 3 4');
  });

  test('is followed by others within graph.refresh', async () => {
    const watchful = await startProxy({ graph: { refresh: '0s' } });
    onTestFinished(() => watchful.stop());
    const login = () => RawClient.login(watchful, { database: database.name });
    await prepare('graph.refresh', false);
    const [one, other] = [await login(), await login()];
    await tell(other, 'DELETE FROM parent WHERE id = 1');
    await tell(one, ...transaction);
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children('graph.refresh')).toBe('1 3 4');
  });

  test('is followed by others that ask for the first time after it', async () => {
    const fresh = await startProxy({ graph: { refresh: '1h' } });
    onTestFinished(() => fresh.stop());
    const login = () => RawClient.login(fresh, { database: database.name });
    await prepare('graph.refresh', false);
    const [one, other] = [await login(), await login()];
    await tell(one, ...transaction);
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children('graph.refresh')).toBe('1 3 4');
  });
});

test('a graph that a transaction saw before it wrote a row again is not taken for the one it left', async () => {
  const named = await startProxy({
    graph: { refresh: '0s' },
    cascade: { overrides: [{ match: 'public.child.first', on_delete: 'set null' }] },
  });
  onTestFinished(() => named.stop());
  const login = () => RawClient.login(named, { database: database.name });
  const [one, other] = [await login(), await login()];
  // By object id, transaction and place the second version of the row is then what the first one was.
  expect(await tell(one, TABLES, 'VACUUM FULL pg_constraint')).toEqual([]);
  const add = ADD.replace('child_fkey', 'first');
  const change = ['BEGIN', add, 'DELETE FROM parent WHERE id = -1'];
  const rename = 'ALTER TABLE child RENAME CONSTRAINT first TO second';
  expect(await tell(one, ...change, rename, 'COMMIT')).toEqual([]);
  const answers = await tell(other, 'VACUUM FULL pg_constraint', 'DELETE FROM parent WHERE id = 2');
  expect(answers).toEqual([]);
  expect(await children('graph.refresh')).toBe('1 3 4');
});
