/** COPY: the one place where the server stops reading messages as usual. Whatever order they come in, nobody loses count. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { useDirectly } from '../wire/as-directly.js';

vi.setConfig({ testTimeout: 15_000 });
const { connect, database, expectAsDirectly } = useDirectly(
  'CREATE TABLE item (id int, name text); INSERT INTO item SELECT i, i FROM generate_series(1, 100) i;',
);
const TABLE = query('CREATE TEMP TABLE t (id int PRIMARY KEY, name text)');
const IN = 'COPY t FROM STDIN';
const CONTENTS = query('SELECT * FROM t ORDER BY id');
const goodData = [copyData('1\té\n2\t'), copyData('\\N\n'), copyData('3\tx\n')];
const badData = [copyData('1\tone\n'), copyData('two\ttwo\n'), copyData('3\tthree\n')];
const wholeIn = Buffer.concat([query(IN), ...goodData, copyDone]);
/** As libpq sends COPY in the extended protocol: a Sync before the data, and one after it. */
const libpqStart = Buffer.concat([run(IN), sync]);

describe('COPY FROM STDIN in a simple query', () => {
  test('is answered as directly', () =>
    expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(query(IN));
      const begun = await client.until('G');
      return [...begun, ...(await client.ask(...goodData, copyDone)), ...(await client.ask(CONTENTS))];
    }));

  test.each([
    ['with its data', [wholeIn], 1],
    ['with its data and more after it', [wholeIn, CONTENTS, query('SELECT 1/0')], 3],
    ['with data that is wrong and more after it', [query(IN), ...badData, copyDone, CONTENTS], 2],
    ['into no table', [query('COPY no_table FROM STDIN'), ...goodData, copyDone, CONTENTS], 2],
    ['that the client gives up', [query(IN), copyData('1\tx\n'), copyFail('enough'), CONTENTS], 2],
    ['with a Flush and a Sync among its data', [query(IN), ...goodData, flush, sync, copyDone, CONTENTS], 2],
    [
      'twice in one string',
      [query(`${IN}; SELECT 1; ${IN}`), copyData('7\n'), copyDone, copyData('8\tx\n'), copyDone, CONTENTS],
      2,
    ],
  ])('in one write, %s, is answered as directly', async (_, messages, answers) => {
    await expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(...messages);
      return client.untilReady(answers);
    });
  });

  test('byte by byte is answered as directly', () =>
    expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      await client.sendInPieces(Buffer.concat([wholeIn, CONTENTS]), 1);
      return client.untilReady(2);
    }));

  test('of wrong data fails before the data ends, and what follows is ignored as directly', () =>
    expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(query(IN), copyData('two\n1\tx\n'), copyData('y'.repeat(100_000)));
      const failed = await client.untilReady();
      return [...failed, ...(await client.ask(copyData('more\n'), copyDone, CONTENTS))];
    }));

  // The server ends such a connection; the proxy must not wait for the answer to a question of its own.
  test.each([
    ['a query', query('SELECT 1')],
    ['a query that deletes', query('DELETE FROM parent WHERE id = -1')],
    ['a Parse that deletes', Buffer.concat([run('DELETE FROM parent WHERE id = -1'), sync])],
  ])('that is broken off by %s ends as directly', async (_, bytes) => {
    await expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(query(IN));
      const begun = await client.until('G');
      client.send(copyData('1\tx\n'), bytes);
      // Which message it was that broke the COPY may be one of the proxy's own.
      const anyType = ({ type, body }: RawMessage) => ({
        type,
        body: Buffer.from(body.toString('latin1').replace(/0x../, '0x'), 'latin1'),
      });
      return [...begun, ...(await client.rest()).map(anyType)];
    });
  });
});

describe('COPY FROM STDIN in the extended protocol', () => {
  test('as libpq sends it is answered as directly', () =>
    expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(libpqStart);
      const begun = await client.until('G');
      const done = await client.ask(...goodData, copyDone, sync);
      return [...begun, ...done, ...(await client.ask(CONTENTS))];
    }));

  test.each([
    ['as libpq sends it', [libpqStart, ...goodData, copyDone, sync, CONTENTS], 2],
    ['without the first Sync', [run(IN), ...goodData, copyDone, sync, CONTENTS], 2],
    ['with wrong data, as libpq sends it', [libpqStart, ...badData, copyDone, sync, CONTENTS], 2],
    ['with wrong data, without the first Sync', [run(IN), ...badData, copyDone, sync, CONTENTS], 2],
    ['given up by the client', [libpqStart, copyData('1\n'), copyFail('é'), sync, CONTENTS], 2],
    [
      'into no table, as libpq sends it',
      [run('COPY no_table FROM STDIN'), sync, copyDone, sync, CONTENTS],
      3,
    ],
    [
      'with statements before and after it',
      [run('SELECT 1'), run(IN), ...goodData, copyDone, run('SELECT 2'), sync, CONTENTS],
      2,
    ],
  ])('in one write, %s, is answered as directly', async (_, messages, answers) => {
    await expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(...messages);
      return client.untilReady(answers);
    });
  });

  test('of wrong data fails before the data ends, and is over with the Sync after it', () =>
    expectAsDirectly(async (client) => {
      await client.ask(TABLE);
      client.send(libpqStart, copyData('two\n1\tx\n'), copyData('y'.repeat(100_000)));
      const failed = await client.until('E');
      return [...failed, ...(await client.ask(copyDone, sync)), ...(await client.ask(CONTENTS))];
    }));
});

describe('COPY TO STDOUT', () => {
  const OUT = 'COPY item TO STDOUT';

  test.each([
    ['in a simple query', [query(OUT)], 1],
    ['in binary', [query(`${OUT} (FORMAT binary)`)], 1],
    ['of a query, as CSV', [query(`COPY (SELECT id, 'é' FROM item) TO STDOUT (FORMAT csv, HEADER)`)], 1],
    ['between others in one string', [query(`SELECT 1; ${OUT}; SELECT 2`)], 1],
    ['that fails on its way', [query('COPY (SELECT 10 / (50 - id) FROM item) TO STDOUT')], 1],
    ['in the extended protocol', [run(OUT), sync], 1],
    ['in a pipeline', [run('SELECT 1'), run(OUT), run('SELECT 2'), sync, query(OUT)], 2],
    ['in a portal with a row limit', [parse(OUT), bind(), describePortal(), execute('', 3), sync], 1],
  ])('%s is answered as directly', async (_, messages, answers) => {
    await expectAsDirectly((client) => {
      client.send(...messages);
      return client.untilReady(answers);
    });
  });
});

describe('a session is at rest again', () => {
  const ending: readonly (readonly [string, Buffer[], number])[] = [
    ['a COPY that failed before its data had ended', [query(IN), ...badData, copyDone], 1],
    ['data that nobody had asked for', [copyDone, query('SELECT 1')], 1],
    ['a COPY that the client gave up', [query(IN), copyFail('enough')], 1],
    ['a COPY as libpq sends it', [libpqStart, ...goodData, copyDone, sync], 1],
  ];

  test.each(ending)('after %s: a drain does not wait for it', async (_, messages, answers) => {
    const proxy = await startProxy({ limits: { drain_timeout: '1h' } });
    let stopped = false;
    onTestFinished(async () => {
      if (!stopped) client.socket.destroy();
    });
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(TABLE);
    client.send(...messages);
    await client.untilReady(answers);
    // What the server ignores has been read by the proxy when this is answered by another session.
    client.send(copyDone);
    const other = await RawClient.login(proxy, { database: database.name });
    await other.ask(query('SELECT 1'));
    await proxy.stop();
    stopped = true;
    expect(readable(await client.rest())[0]).toContain('C=57P01');
  });
});

test('what is copied through the proxy is what comes back', async () => {
  const client = await connect();
  await client.ask(TABLE);
  const lines = Array.from({ length: 5000 }, (_, i) => `${i}\t${'é'.repeat(i % 50)}\n`);
  await client.sendInPieces(
    Buffer.concat([query(IN), ...lines.map((line) => copyData(line)), copyDone]),
    100_003,
  );
  expect((await client.untilReady()).at(-2)?.body.toString()).toBe('COPY 5000\0');
  const out = await client.ask(query('COPY (SELECT * FROM t ORDER BY id) TO STDOUT'));
  expect(out.filter(({ type }) => type === 'd').map(({ body }) => body.toString())).toEqual(lines);
});
