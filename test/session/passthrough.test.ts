/** What deletes nothing: answered through the proxy as it is directly. */
import { serialize } from 'pg-protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDatabase } from '../support/database.js';
import {
  bind,
  closePortal,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { message, RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilGone } from '../support/server-sessions.js';
import { useDirectly } from '../wire/as-directly.js';
import { int16, int32, list, value } from '../wire/bytes.js';

vi.setConfig({ testTimeout: 15_000 });
const directly = useDirectly(`
  CREATE TABLE item (id int PRIMARY KEY, name text, size numeric(6, 2));
  INSERT INTO item SELECT i, 'item ' || i, i / 4.0 FROM generate_series(1, 20) i;`);
const { expectAsDirectly } = directly;

describe('a simple query', () => {
  test.each([
    ['with rows', 'SELECT * FROM item ORDER BY id'],
    ['without rows', 'SELECT FROM item WHERE false'],
    ['with NULLs and no text', `SELECT NULL, '', 'é🐘', '\\x00'::bytea`],
    ['that is empty', ''],
    ['that is a comment', '-- DELETE FROM parent'],
    ['of several statements', 'SELECT 1; SELECT name FROM item LIMIT 1; ; SELECT 2, 3;'],
    ['that only mentions deleting', `SELECT 'DELETE FROM parent', "delete" FROM (SELECT 1 AS "delete") AS t`],
    ['that is no SQL', 'SELEC 1'],
    ['that is no SQL and mentions deleting', 'DELETE FORM parent'],
    ['with an error and its position', 'SELECT id,\n  é FROM item'],
    ['with an error after other statements', 'SELECT 1; SELECT 1/0; SELECT 2'],
    ['with a notice', `DO $$ BEGIN RAISE NOTICE 'é' USING DETAIL = 'd', HINT = 'h'; END $$`],
    ['that reports a parameter', `SET application_name = 'it'; SHOW application_name`],
    ['that is a whole transaction', 'BEGIN; SELECT 1; COMMIT'],
    ['that leaves a transaction open', 'BEGIN; SELECT 1'],
    ['that leaves a transaction failed', 'BEGIN; SELECT 1/0'],
    ['that ends a transaction that is none', 'ROLLBACK'],
    ['with a value that is a million letters', `SELECT repeat('x', 1000000)`],
  ])('%s is answered as directly', async (_, sql) => {
    await expectAsDirectly((client) => client.ask(query(sql)));
  });

  test('after another in one write is answered after it', () =>
    expectAsDirectly((client) => {
      client.send(query('SELECT 1'), query('SELECT 1/0'), query(''), query('BEGIN'), query('SELECT 2'));
      return client.untilReady(5);
    }));
});

describe('parameters', () => {
  const sql = 'SELECT $1::int + 1, $2::text, $3::bytea, $4::float8';
  const given = ['41', 'é', '\\x00ff', '-0'];

  test('in text are answered as directly', () =>
    expectAsDirectly((client) => client.ask(run(sql, given), sync)));

  test('that are NULL are answered as directly', () =>
    expectAsDirectly((client) =>
      client.ask(
        run(
          sql,
          given.fill('x', 1, 2).map(() => null),
        ),
        sync,
      ),
    ));

  test('in binary, answered in binary, are as directly', () =>
    expectAsDirectly((client) => {
      const values = [int32(41), Buffer.from('é'), Buffer.from('00ff', 'hex'), Buffer.alloc(8, 'x')];
      return client.ask(parse(sql), bind({ values, binary: true }), describePortal(), execute(), sync);
    }));

  test('with formats of their own are answered as directly', () =>
    expectAsDirectly((client) => {
      const mixed = message(
        'B',
        Buffer.from('\0\0'),
        list([0, 1, 1, 0].map(int16)),
        list([Buffer.from('7'), Buffer.from('é'), Buffer.from('00', 'hex'), Buffer.from('0.1')].map(value)),
        list([1, 0, 0, 1].map(int16)),
      );
      return client.ask(parse(sql), mixed, describePortal(), execute(), sync);
    }));

  test('of wrong number or form are refused as directly', () =>
    expectAsDirectly((client) => {
      client.send(run(sql, ['1']), sync, run(sql, ['x', '', '', '1']), sync);
      return client.untilReady(2);
    }));
});

describe('a named statement', () => {
  test('is described, executed again and closed as directly', () =>
    expectAsDirectly(async (client) => [
      ...(await client.ask(parse('SELECT name, size FROM item WHERE id = $1', 's', [23]), sync)),
      ...(await client.ask(describeStatement('s'), runPrepared('s', ['1']), sync)),
      ...(await client.ask(runPrepared('s', ['2']), runPrepared('s', ['3']), sync)),
      ...(await client.ask(closeStatement('s'), closeStatement('never'), runPrepared('s', ['1']), sync)),
    ]));

  test('whose table changes is refused as directly', () =>
    expectAsDirectly(async (client) => {
      await client.ask(query('CREATE TEMP TABLE t (a int)'));
      await client.ask(parse('SELECT * FROM t', 's'), sync);
      await client.ask(query('ALTER TABLE t ADD b int'));
      return client.ask(runPrepared('s'), sync);
    }));

  test('prepared, executed and deallocated in SQL is answered as directly', () =>
    expectAsDirectly((client) => {
      client.send(query('PREPARE s (int) AS SELECT name FROM item WHERE id = $1'), query('EXECUTE s (3)'));
      client.send(runPrepared('s', ['4']), sync, query('DEALLOCATE s'), query('EXECUTE s (3)'));
      return client.untilReady(5);
    }));

  test('is gone after DISCARD ALL', () =>
    expectAsDirectly(async (client) => [
      ...(await client.ask(parse('DELETE FROM parent WHERE id = -1', 's'), sync)),
      ...(await client.ask(query('DISCARD ALL'))),
      ...(await client.ask(runPrepared('s'), sync)),
    ]));
});

describe('a cursor', () => {
  const rows = 'SELECT id, name FROM item ORDER BY id';

  test('as a portal with a row limit is suspended and goes on as directly', () =>
    expectAsDirectly((client) => {
      const again = Array.from({ length: 4 }, () => execute('p', 6));
      return client.ask(parse(rows), bind({ portal: 'p' }), describePortal('p'), ...again, sync);
    }));

  test('as a portal outlives its Sync in a transaction, and not its end', () =>
    expectAsDirectly(async (client) => [
      ...(await client.ask(query('BEGIN'))),
      ...(await client.ask(parse(rows), bind({ portal: 'p' }), execute('p', 2), sync)),
      ...(await client.ask(execute('p', 3), flush, execute('p', 1), sync)),
      ...(await client.ask(closePortal('p'), bind({ portal: 'p' }), sync)),
      ...(await client.ask(query('COMMIT'))),
      ...(await client.ask(execute('p', 2), sync)),
    ]));

  test('in SQL is declared, fetched, moved and closed as directly', () =>
    expectAsDirectly((client) => {
      const steps = [`BEGIN`, `DECLARE c SCROLL CURSOR FOR ${rows}`, 'FETCH 3 FROM c', 'MOVE 5 FROM c'];
      client.send(...[...steps, 'FETCH BACKWARD 2 FROM c', 'CLOSE c', 'FETCH c', 'ROLLBACK'].map(query));
      return client.untilReady(8);
    }));

  test('in SQL is fetched from in the extended protocol as directly', () =>
    expectAsDirectly(async (client) => [
      ...(await client.ask(query(`BEGIN; DECLARE c BINARY CURSOR WITH HOLD FOR ${rows}; COMMIT`))),
      ...(await client.ask(run('FETCH 3 FROM c'), run('FETCH 2 FROM c'), sync)),
    ]));
});

describe('a notification', () => {
  test('reaches a client that is idle', async () => {
    const [listener, other] = await Promise.all([directly.connect(), directly.connect()]);
    await listener.ask(query('LISTEN news'));
    await other.ask(query(`NOTIFY news, 'é'`));
    expect(readable(await listener.until('A'))).toEqual(['A news é ']);
    expect(await listener.told(query('SELECT 1 AS one'))).toContain('D 1');
  });

  test('of the session itself comes where it comes directly', () =>
    expectAsDirectly((client) => {
      client.send(query('LISTEN news; NOTIFY news'), run(`NOTIFY news, 'more'`), sync);
      return client.untilReady(2);
    }));

  test('that comes while a DELETE is looked at is neither lost nor taken for its answer', async () => {
    const [listener, other] = await Promise.all([directly.connect(), directly.connect()]);
    await listener.ask(query('LISTEN news'));
    await other.ask(query('NOTIFY news'));
    listener.send(query('DELETE FROM parent WHERE id = -1'));
    const came = readable(await listener.untilReady());
    expect(came.filter((each) => !each.startsWith('A'))).toEqual(['C DELETE 0', 'Z I']);
    const late = came.length === 3 ? came : readable(await listener.until('A'));
    expect(late.filter((each) => each.startsWith('A'))).toEqual(['A news  ']);
  });
});

test('a function call is answered as directly, and so is its error', () =>
  expectAsDirectly((client) => {
    const call = (oid: number, ...given: readonly Buffer[]) =>
      message('F', int32(oid), list([int16(1)]), list(given.map(value)), int16(1));
    const [plus, division] = [177, 154];
    client.send(call(plus, int32(40), int32(2)), call(division, int32(1), int32(0)), call(plus, int32(1)));
    return client.untilReady(3);
  }));

test('a message that means nothing to the server now is answered as directly', () =>
  expectAsDirectly((client) => {
    client.send(serialize.copyData(Buffer.from('x')), serialize.copyDone(), serialize.copyFail('x'), sync);
    return client.untilReady();
  }));

test('a client that goes away in mid-query leaves no connection to the server', async () => {
  const client = await directly.connect();
  const pid = await pidOf(client);
  client.send(query('SELECT generate_series(1, 1e12)'));
  await client.until('D');
  client.socket.destroy();
  await untilGone(await directly.database.connect(), pid);
});

test('an empty database name is the one of the user, and what is known of it is not told of another', async () => {
  const schema = `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
    CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE NOT ENFORCED); INSERT INTO c VALUES (1)`;
  const left: unknown[] = [];
  for (const database of [await createDatabase(), await createDatabase()]) {
    const direct = await database.connect();
    onTestFinished(async () => {
      await direct.query(`DROP ROLE ${database.name}`);
      await database.drop();
    });
    await direct.query(`${schema}; CREATE ROLE ${database.name} SUPERUSER LOGIN`);
    const client = await RawClient.login(directly.proxy, { database: '', user: database.name });
    await client.ask(query('DELETE FROM p'));
    left.push((await direct.query('TABLE c')).rows);
  }
  expect(left).toEqual([[], []]);
});
