/** Messages that are framed and yet not well-formed: the server refuses them, nothing is done, and the session goes on. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import {
  bind,
  closeStatement,
  copyData,
  describePortal,
  describeStatement,
  execute,
  flush,
  message,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { type RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { useDirectly } from '../wire/as-directly.js';

vi.setConfig({ testTimeout: 20_000 });
const { connect, database, expectAsDirectly } = useDirectly('CREATE TABLE item (id int);');
const ROWS =
  'TRUNCATE child, parent; INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 1), (2, 2);';
const DELETE = 'DELETE FROM parent WHERE id = 1';
/** It does not cascade directly: as it deletes nothing, that is not to be seen. */
const NOTHING = 'DELETE FROM parent WHERE id = -1';
const END = 'end of the messages';

beforeEach(async () => {
  const client = await database.connect();
  await client.query(ROWS);
  await client.end();
});

/** Sends it all in one write, and reads what comes until a query after it is answered, or the connection is over. */
async function answersTo(client: RawClient, ...bytes: readonly Uint8Array[]): Promise<RawMessage[]> {
  client.send(...bytes, query(`DO $$ BEGIN RAISE NOTICE '${END}'; END $$`));
  const came: RawMessage[] = [];
  for (let it = await client.next(); it; it = await client.next()) {
    came.push(it);
    if (it.type === 'N' && it.body.includes(END)) return [...came, ...(await client.untilReady())];
  }
  return came;
}

const raw = (type: string, text: string) => message(type, Buffer.from(text, 'latin1'));
const longer = (sent: Buffer, more = 'x') =>
  raw(String.fromCharCode(sent[0] ?? 0), `${sent.toString('latin1', 5)}${more}`);
const shorter = (sent: Buffer, by = 1) =>
  raw(String.fromCharCode(sent[0] ?? 0), sent.toString('latin1', 5, sent.length - by));

const queries: readonly (readonly [string, Buffer])[] = [
  ['a Query with a zero in its text', raw('Q', `${DELETE}\0 AND false\0`)],
  ['a Query with a zero after its text', longer(query(DELETE), '\0')],
  ['a Query with something after its text', longer(query(DELETE), '; SELECT 1')],
  ['a Query without a zero', shorter(query(DELETE))],
  ['a Query of nothing', raw('Q', '')],
  ['a Query that does not delete, with a zero in its text', raw('Q', 'SELECT 1\0, 2\0')],
  ['a Query that copies, with a zero in its text', raw('Q', 'COPY item FROM STDIN\0 WHERE false\0')],
  ['a Query that copies, without a zero', shorter(query('COPY item FROM STDIN'))],
  ['a FunctionCall of nothing', raw('F', '')],
  ['a FunctionCall with something after it', raw('F', '\0\0\x06\xcf\0\0\0\0\0\0x')],
  ['a FunctionCall of no function', raw('F', '\0\0\0\0\0\0\0\0\0\0')],
  ['a Flush with something in it', raw('H', 'x')],
  ['a Sync with something in it', raw('S', 'x')],
];
const named = parse(NOTHING, 's');
const bound = bind({ statement: 's' });
const extended: readonly (readonly [string, Buffer])[] = [
  ['a Parse with a zero in its text', raw('P', `s\0${DELETE}\0 AND false\0\0\0`)],
  ['a Parse with a zero in its name', raw('P', `s\0t\0${DELETE}\0\0\0`)],
  ['a Parse without its count', shorter(named, 2)],
  ['a Parse with half of its count', shorter(named)],
  ['a Parse with fewer types than it says', raw('P', `s\0${DELETE}\0\0\x02\0\0\0\x17`)],
  ['a Parse with something after it', longer(named)],
  ['a Parse of nothing', raw('P', '')],
  ['a Parse of the unnamed statement, with something after it', longer(parse(DELETE))],
  ['a Bind with something after it', longer(bound)],
  ['a Bind without its result formats', shorter(bound, 2)],
  ['a Bind with a zero in its portal', raw('B', 'p\0q\0s\0\0\0\0\0\0\0')],
  ['a Bind with fewer values than it says', raw('B', '\0s\0\0\0\0\x01\0\0')],
  ['a Bind with a negative length', raw('B', '\0s\0\0\0\0\x01\xff\xff\xff\xfe\0\0')],
  ['a Bind with too long a value', raw('B', '\0s\0\0\0\0\x01\0\0\0\x09x\0\0')],
  ['a Bind of nothing', raw('B', '')],
  ['a Describe of kind X', raw('D', 'Xs\0')],
  ['a Describe without a zero', raw('D', 'Ss')],
  ['a Describe with something after it', longer(describeStatement('s'))],
  ['a Describe of nothing', raw('D', '')],
  ['a Close of kind X', raw('C', 'Xs\0')],
  ['a Close with something after it', longer(closeStatement('s'))],
  ['a Close of nothing', raw('C', '')],
  ['an Execute that is too short', shorter(execute(), 2)],
  ['an Execute with something after it', longer(execute())],
  ['an Execute without a zero', raw('E', 'p')],
  ['an Execute of nothing', raw('E', '')],
];

/** Where it stands among others. */
const places: readonly (readonly [string, (broken: Buffer) => readonly Buffer[]])[] = [
  ['alone', (broken) => [broken, sync]],
  ['twice', (broken) => [broken, broken, sync, broken, sync]],
  [
    'in a transaction block',
    (broken) => [query('BEGIN'), query('SELECT 1'), broken, sync, query(NOTHING), query('ROLLBACK')],
  ],
  [
    'after an execution',
    (broken) => [run('INSERT INTO item VALUES (7)'), broken, sync, query('SELECT * FROM item')],
  ],
  ['after a DELETE', (broken) => [run(NOTHING), broken, sync, query('SELECT * FROM child')]],
  ['before a DELETE', (broken) => [broken, run(NOTHING), sync, query('SELECT * FROM child')]],
  ['before a query', (broken) => [broken, query(NOTHING), sync, query('SELECT * FROM child')]],
  [
    'after an error',
    (broken) => [run('SELECT 1/0'), broken, run(NOTHING), sync, query('SELECT * FROM child')],
  ],
  ['with a Flush', (broken) => [broken, flush, sync, run('SELECT 1'), sync]],
  ['beside data', (broken) => [broken, copyData('1\n'), sync]],
  ['after COPY that fails', (broken) => [run('COPY no_table FROM STDIN'), broken, sync]],
  [
    'beside names that it does not touch',
    (broken) => [
      ...[named, parse(`${NOTHING} RETURNING id`), sync, broken, sync],
      ...[describeStatement('s'), describeStatement(''), sync, closeStatement('s'), sync],
      ...[
        parse('SELECT 1', 't'),
        bind({ statement: 't', portal: 'p' }),
        describePortal('p'),
        execute('p'),
        sync,
      ],
    ],
  ],
];

test.each([...queries, ...extended])('%s is answered as directly, wherever it stands', async (_, broken) => {
  await expectAsDirectly(async (client) => {
    const came: RawMessage[] = [];
    for (const [, messages] of places) {
      const before = query(`BEGIN; ${ROWS} TRUNCATE item; COMMIT`);
      came.push(
        ...(await answersTo(
          client,
          before,
          ...messages(broken),
          sync,
          query('ROLLBACK'),
          query('DISCARD ALL'),
        )),
      );
    }
    return came;
  });
});

test.each([...queries, ...extended])('after %s a DELETE cascades', async (_, broken) => {
  const client = await connect();
  const told = readable(await answersTo(client, broken, sync, query(DELETE)));
  expect(told).toContain('C DELETE 1');
  expect(await client.told(query('SELECT id FROM child'))).toEqual(
    expect.arrayContaining(['D 2', 'C SELECT 1']),
  );
});

test.each(queries.slice(0, 5))('%s deletes nothing', async (_, broken) => {
  const client = await connect();
  expect(readable(await client.ask(broken))[0]).toMatch(/^E C=08P01/);
  expect(await client.told(query('SELECT id FROM parent'))).toContain('C SELECT 2');
});

describe('what is no message at all ends the connection as directly, after the answers to what came before:', () => {
  test.each([
    ['an unknown type', raw('~', '')],
    ['an unknown type, alone', Buffer.from('~')],
    ['a type of the server', raw('Z', 'I')],
    ['a password that nobody asked for', raw('p', 'x\0')],
    ['a length under 4', Buffer.from('Q\0\0\0\x03')],
    ['a negative length', Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff])],
    ['a Describe that is too long', raw('D', `S${'x'.repeat(10_000)}\0`)],
    ['a Sync that is too long', raw('S', 'x'.repeat(10_000))],
  ])('%s', async (_, bytes) => {
    const bystander = await connect();
    const isLong = bytes.length > 1000;
    await expectAsDirectly(async (client) => {
      client.send(query('SELECT 1'), run('SELECT 2'), sync, ...(isLong ? [] : [bytes]));
      // PostgreSQL resets a connection of which it has not read everything: what it said before may be lost then.
      const told = isLong ? await client.untilReady(2) : [];
      if (isLong) client.send(bytes);
      return [...told, ...(await client.rest())];
    });
    await expectAsDirectly(async (client) => {
      client.send(query('COPY item FROM STDIN'));
      const begun = await client.until('G');
      client.send(copyData('1\n'), bytes);
      return [...begun, ...(await client.rest())];
    });
    expect(await bystander.told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});
