/**
 * COPY FROM STDIN that fails before, while and after it takes data: the server answers some Syncs that were sent after it
 * and ignores others. The proxy never loses step: what comes next is expanded, and answered as directly.
 */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { pidOf, untilGone } from '../support/server-sessions.js';
import { useDirectly } from '../wire/as-directly.js';

vi.setConfig({ testTimeout: 20_000 });
const { connect, database, expectAsDirectly } = useDirectly(`
  CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$;
  CREATE TABLE item (id int PRIMARY KEY, parent_id int CONSTRAINT item_fkey REFERENCES parent);
  CREATE TABLE other (id int);
  CREATE VIEW joined AS SELECT a.id FROM item a JOIN item b USING (id);
  CREATE TABLE before_it (id int); CREATE TABLE each_row (id int); CREATE TABLE after_it (id int);
  CREATE TRIGGER t BEFORE INSERT ON before_it EXECUTE FUNCTION refuses();
  CREATE TRIGGER t BEFORE INSERT ON each_row FOR EACH ROW EXECUTE FUNCTION refuses();
  CREATE TRIGGER t AFTER INSERT ON after_it EXECUTE FUNCTION refuses();
  INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1);`);

const END = 'end of the messages';
const DELETE = 'DELETE FROM parent WHERE id = -1';

/** Sends it all in one write, and reads what comes until the end of it has been answered, or the connection is over. */
async function answersTo(client: RawClient, ...bytes: readonly Buffer[]): Promise<RawMessage[]> {
  client.send(...bytes, query(`DO $$ BEGIN RAISE NOTICE '${END}'; END $$`));
  const came: RawMessage[] = [];
  for (let message = await client.next(); message; message = await client.next()) {
    came.push(message);
    if (message.type === 'N' && message.body.includes(END)) return [...came, ...(await client.untilReady())];
  }
  return came;
}

const targets: readonly (readonly [string, string, Buffer])[] = [
  ['a view that cannot take it', 'joined', copyData('1\n')],
  ['a table whose BEFORE statement trigger fails', 'before_it', copyData('1\n')],
  ['a table whose row trigger fails', 'each_row', copyData('1\n')],
  ['a table whose AFTER statement trigger fails', 'after_it', copyData('1\n')],
  ['a table whose key fails', 'item', copyData('1\t-1\n')],
  ['a table that does not take the text', 'other', copyData('x\n')],
  ['a table that takes it', 'other', copyData('1\n')],
  ['a table that is none', 'no_table', copyData('1\n')],
];
const shapes: readonly (readonly [string, (copy: string, data: Buffer) => readonly Buffer[]])[] = [
  ['up to the Sync', (copy) => [run(copy), sync]],
  ['as libpq sends it', (copy, data) => [run(copy), sync, data, copyDone, sync]],
  ['with two Syncs before its data', (copy, data) => [run(copy), sync, sync, data, copyDone, sync]],
  ['with a Sync between its data', (copy, data) => [run(copy), data, sync, data, copyDone, sync]],
  ['with a Sync between its data and its end', (copy, data) => [run(copy), data, sync, copyDone, sync]],
  ['with no Sync before its end', (copy, data) => [run(copy), data, copyDone, sync]],
  ['given up', (copy, data) => [run(copy), sync, data, copyFail('enough'), sync]],
  ['without data', (copy) => [run(copy), sync, copyDone, sync]],
  ['with an answer before', (copy, data) => [run('SELECT 1'), run(copy), sync, data, copyDone, sync]],
  ['with a DELETE after', (copy, data) => [run(copy), sync, data, copyDone, sync, run(DELETE), sync]],
  ['with a DELETE in its unit', (copy, data) => [run(copy), sync, data, copyDone, run(DELETE), sync]],
  [
    'by names',
    (copy, data) => [
      parse(copy, 's'),
      bind({ statement: 's', portal: 'p' }),
      execute('p'),
      sync,
      data,
      copyDone,
      sync,
    ],
  ],
  ['in a query', (copy, data) => [query(copy), data, copyDone]],
  ['in a query with Syncs', (copy, data) => [query(copy), sync, data, sync, copyDone, query(DELETE)]],
  ['in a string', (copy, data) => [query(`SELECT 1; ${copy}; SELECT 2`), sync, data, flush, copyDone, sync]],
  [
    'twice in a string',
    (copy, data) => [query(`${copy}; ${copy}`), data, sync, copyDone, data, sync, copyDone, query(DELETE)],
  ],
];

describe.each(targets)('72 COPY into %s', (_, table, data) => {
  test.each(shapes)('%s is answered as directly', async (__, shape) => {
    await expectAsDirectly((client) =>
      // What a COPY still waits for ends with CopyFail; elsewhere it is ignored.
      answersTo(
        client,
        query('BEGIN'),
        ...shape(`COPY ${table} FROM STDIN`, data),
        copyFail('over'),
        sync,
        query('ROLLBACK'),
      ),
    );
  });

  test('as libpq sends it, outside of a transaction block, is answered as directly', () =>
    expectAsDirectly((client) =>
      answersTo(client, run(`COPY ${table} FROM STDIN`), sync, data, copyFail('over'), sync),
    ));
});

test.each([
  [
    'binary data with a wrong header',
    [run('COPY other FROM STDIN (FORMAT binary)'), sync, copyData('?'.repeat(30)), copyDone, sync],
  ],
  [
    'binary data that is given up in its header',
    [run('COPY other FROM STDIN (FORMAT binary)'), sync, copyData('PGC'), sync, copyFail('x'), sync],
  ],
  [
    'the data of COPY FROM STDOUT, which is the same',
    [run('COPY joined FROM STDOUT'), sync, copyData('1\n'), copyDone, sync],
  ],
  [
    'a Flush with something in it, in front of what fails',
    [run('COPY joined FROM STDIN'), Buffer.from('H\0\0\0\x05x'), sync],
  ],
  [
    'a Flush with something in it, among the data of a query that fails',
    [
      query('COPY joined FROM STDIN'),
      Buffer.from('H\0\0\0\x05x'),
      run('SELECT 1'),
      sync,
      copyFail('over'),
      sync,
    ],
  ],
  [
    'a Flush with something in it, among the data of a query that does not fail',
    [query('COPY other FROM STDIN'), Buffer.from('H\0\0\0\x05x'), copyDone, run('SELECT 1'), sync],
  ],
  [
    'a Sync with something in it, in front of what fails',
    [run('COPY joined FROM STDIN'), Buffer.from('S\0\0\0\x05x'), sync],
  ],
])('%s leaves the session in step', async (_, bytes) => {
  await expectAsDirectly((client) => answersTo(client, ...bytes));
});

describe('a COPY that another message breaks off', () => {
  const begun = [query('COPY other FROM STDIN'), copyData('1\n')];
  const failed = [query('COPY joined FROM STDIN'), copyData('1\n')];
  const messages: readonly (readonly [string, Buffer])[] = [
    ['a query', query('SELECT 1')],
    ['a DELETE', query(DELETE)],
    ['a pipeline', Buffer.concat([run('SELECT 1'), sync])],
    ['a pipeline that deletes', Buffer.concat([run(DELETE), sync])],
  ];

  test.each(
    messages,
  )('by %s in one write is answered as directly, and so is one that had failed', async (_, bytes) => {
    await expectAsDirectly((client) => answersTo(client, ...begun, bytes));
    await expectAsDirectly((client) => answersTo(client, ...failed, bytes));
  });

  test.each(messages)('by %s in the extended protocol is answered as directly', async (_, bytes) => {
    for (const table of ['other', 'joined'])
      for (const start of [[run(`COPY ${table} FROM STDIN`)], [run(`COPY ${table} FROM STDIN`), sync]])
        await expectAsDirectly((client) => answersTo(client, ...start, copyData('1\n'), bytes, sync));
  });

  test('does not keep its connection to the server', async () => {
    const pids: number[] = [];
    for (let i = 0; i < 5; i++) {
      const client = await connect();
      pids.push(await pidOf(client));
      client.send(...begun, query('DELETE FROM parent WHERE id = 1'));
      await client.rest();
      client.socket.destroy();
    }
    const watcher = await database.connect();
    await untilGone(watcher, ...pids);
    expect((await watcher.query('SELECT FROM child')).rowCount).toBe(1);
  });
});

test.each([
  ['a Parse that deletes', [parse(DELETE, 's'), query('SELECT 1; COPY item TO STDOUT'), sync]],
  [
    'a Parse that deletes, with data',
    [parse(DELETE, 's'), query('COPY other FROM STDIN'), copyData('1\n'), copyDone],
  ],
  ['a DELETE in its string', [query(`${DELETE}; COPY other FROM STDIN`), copyData('1\n'), copyDone]],
])('a COPY after %s is sent at once', async (_, bytes) => {
  await expectAsDirectly((client) => answersTo(client, ...bytes));
});

test.each([
  ['extended protocol', [run('COPY joined FROM STDIN'), sync]],
  ['extended protocol with data', [run('COPY before_it FROM STDIN'), sync, copyData('1\n'), copyDone, sync]],
  ['simple protocol', [query('COPY joined FROM STDIN'), sync, copyData('1\n'), copyDone]],
])('after a COPY that failed in the %s a DELETE cascades', async (_, bytes) => {
  const client = await connect();
  await client.ask(query('INSERT INTO parent VALUES (7); INSERT INTO child VALUES (7, 7)'));
  const told = readable(await answersTo(client, ...bytes, query('DELETE FROM parent WHERE id = 7')));
  expect(told).toContain('C DELETE 1');
  expect(await client.told(query('SELECT count(*) FROM child WHERE id = 7'))).toContain('D 0');
});

test('while a client sends the data of a COPY that has failed, a drain ends its session', async () => {
  const proxy = await startProxy({ limits: { drain_timeout: '1h' } });
  const client = await RawClient.login(proxy, { database: database.name });
  let stopped = false;
  onTestFinished(() => void (stopped || client.socket.destroy()));
  client.send(run('COPY joined FROM STDIN'), sync, copyData('1\n'));
  await client.untilReady();
  await proxy.stop();
  stopped = true;
  expect(readable(await client.rest())[0]).toContain('C=57P01');
});
