/** cascade.copy: verify. The keys of copied rows are looked at when all are copied, with the errors of an enforced key. */
import { describe, expect, test } from 'vitest';
import { copyData, copyDone, copyFail, query } from '../support/frontend-messages.js';
import { RawClient, type RawMessage } from '../support/raw-client.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check', copy: 'verify' } });

const USERS = 'COPY users (id, org_id, boss) FROM STDIN (FORMAT csv)';

/** A string, with the data of each COPY in it. */
function copying(text: string, ...data: readonly string[]) {
  return (client: RawClient) =>
    client.ask(query(text), ...data.flatMap((each) => [copyData(each), copyDone]));
}

/** Each step in turn, and what is left then. */
async function inTurn(
  ...steps: ReadonlyArray<ReturnType<typeof copying> | string>
): Promise<readonly string[]> {
  return twin.asNative(async (client) => {
    const answers: RawMessage[] = [];
    for (const step of [...steps, 'SELECT id, org_id, boss FROM users ORDER BY id'])
      answers.push(...(typeof step === 'string' ? await client.ask(query(step)) : await step(client)));
    return answers;
  });
}

describe('a COPY', () => {
  test('of keys that are there has the native tag', () =>
    inTurn(
      copying(USERS, '30,1,\n31,2,10\n32,,\n'),
      copying(USERS, ''),
      copying('COPY alone FROM STDIN', '1\t99\n'),
    ));

  test('of a key that is not there is refused with the native error, and leaves nothing', async () => {
    const answers = await inTurn(copying(USERS, '30,1,\n31,99,\n32,98,\n'));
    expect(answers.join()).toMatch(/23503.*users_org_fkey/s);
  });

  test('of rows that reference each other passes', () =>
    inTurn(copying(USERS, '30,1,31\n31,1,30\n32,1,32\n')));

  test('of keys of several columns, of other types, and of partitions', () =>
    inTurn(
      copying('COPY "Full" FROM STDIN (FORMAT csv)', '2,2,y\n3,,\n'),
      copying('COPY "Full" FROM STDIN (FORMAT csv)', '4,,y\n'),
      copying('COPY simple FROM STDIN (FORMAT csv)', '2,,q\n3,1,y\n'),
      copying('COPY wide FROM STDIN (FORMAT csv)', '2,9999999999\n'),
      copying('COPY parts FROM STDIN (FORMAT csv)', '1,1\n2,99\n'),
      copying('COPY parts_1 FROM STDIN (FORMAT csv)', '1,99\n'),
      copying('COPY parts FROM STDIN (FORMAT csv)', '1,1\n2,2\n'),
      copying('COPY trees (id, host, a, b) FROM STDIN (FORMAT csv)', '7,5,1,x\n8,7,2,y\n'),
      copying('COPY trees (id, host, a, b) FROM STDIN (FORMAT csv)', '9,1,1,x\n'),
      copying('COPY spots FROM STDIN (FORMAT csv)', '1,99\n2,1\n'),
      copying('COPY spots FROM STDIN (FORMAT csv)', '2,99\n'),
    ));

  test('names what is checked at once before what is deferred', () =>
    inTurn(
      copying('COPY late FROM STDIN (FORMAT csv)', '1,99,10\n2,1,99\n'),
      copying('COPY late FROM STDIN (FORMAT csv)', '1,99,10\n2,98,10\n'),
    ));

  test('that the server refuses, or the client gives up, has the native error', () =>
    inTurn(
      copying(USERS, '30,1,\nx,1,\n'),
      copying(USERS, '30,99,\n10,1,\n'),
      copying('COPY users (nothing) FROM STDIN', ''),
      (client) => client.ask(query(USERS), copyData('30,99,\n'), copyFail('enough')),
      'BEGIN READ ONLY',
      copying(USERS, ''),
    ));

  test('from a program is looked at', () =>
    inTurn(
      "COPY users (id, org_id) FROM PROGRAM 'echo 30,1' (FORMAT csv)",
      "COPY users (id, org_id) FROM PROGRAM 'echo 31,99' (FORMAT csv); SELECT 1",
    ));
});

describe('in a transaction, a COPY', () => {
  test('fails it, up to a savepoint', () =>
    inTurn(
      'BEGIN; INSERT INTO orgs VALUES (3); INSERT INTO users VALUES (30, 3)',
      copying(USERS, '31,3,30\n'),
      'SAVEPOINT s',
      copying(USERS, '32,99,\n'),
      'SELECT 1',
      'ROLLBACK TO s',
      copying(USERS, '33,3,31\n'),
      'RELEASE s; SAVEPOINT t',
      copying(USERS, '34,98,31\n'),
      'ROLLBACK TO t; COMMIT',
    ));

  test('does not look at what was rolled back, or is gone', () =>
    inTurn(
      'BEGIN; INSERT INTO orgs VALUES (3)',
      copying(USERS, '31,3,\n'),
      'SAVEPOINT s',
      copying(USERS, '32,3,\n'),
      'ROLLBACK TO s',
      'DELETE FROM orgs WHERE id = 3',
      copying(USERS, '33,2,\n'),
      'COMMIT',
    ));

  test('with FREEZE is looked at', () =>
    inTurn(
      'BEGIN; TRUNCATE wide',
      copying('COPY wide FROM STDIN (FORMAT csv, FREEZE)', '1,1\n2,2\n'),
      'COMMIT; BEGIN; TRUNCATE wide',
      copying('COPY wide FROM STDIN (FORMAT csv, FREEZE)', '3,1\n4,99\n'),
      'ROLLBACK; SELECT * FROM wide ORDER BY id',
    ));

  test('of any isolation is looked at', () =>
    inTurn(
      'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1',
      copying(USERS, '30,1,\n31,2,30\n'),
      copying(USERS, '32,99,\n'),
      'ROLLBACK',
    ));
});

test('in a string of several statements each COPY is looked at when it is done', () =>
  inTurn(
    copying(`INSERT INTO orgs VALUES (3); ${USERS}; SELECT 1`, '30,3,\n'),
    copying(`${USERS}; INSERT INTO orgs VALUES (4)`, '31,4,\n'),
    copying(`${USERS}; ${USERS};`, '31,1,\n', '32,1,31\n'),
    copying(`${USERS} -- a comment\n; ${USERS}`, '33,1,\n', '34,99,31\n'),
  ));

test('a transaction that has counted ages before it had a number is looked at', async () => {
  const { database } = twin.emulated;
  const client = await RawClient.login(twin.proxy, { database: database.name });
  const direct = await database.connect();
  const answered = async (answers: Promise<readonly RawMessage[]>) =>
    Buffer.concat((await answers).map(({ body }) => body)).toString();
  await client.ask(query("BEGIN; SELECT age('3'::xid)"));
  for (const id of [40, 41, 42]) await direct.query(`INSERT INTO orgs VALUES (${id})`);
  expect(await answered(copying(USERS, '30,1,\n')(client))).toContain('COPY 1');
  expect(await answered(copying(USERS, '31,99,\n')(client))).toContain('23503');
  await direct.end();
});

test('rows that another transaction has committed meanwhile are not looked at', async () => {
  const { database } = twin.emulated;
  const client = await twin.proxy.connect(database.name);
  const direct = await database.connect();
  await client.query('BEGIN; INSERT INTO users VALUES (30, 1)');
  await direct.query('INSERT INTO users VALUES (31, 99)');
  const copied = await client.query("COPY users (id, org_id) FROM PROGRAM 'echo 32,1' (FORMAT csv)");
  expect(copied.rowCount).toBe(1);
  await client.query('COMMIT');
  await direct.end();
});

test('what the copied rows reference is locked until the transaction is over', async () => {
  const { database } = twin.emulated;
  const client = await twin.proxy.connect(database.name);
  const direct = await database.connect();
  await client.query("BEGIN; COPY users (id, org_id) FROM PROGRAM 'echo 32,1' (FORMAT csv)");
  await expect(direct.query('SELECT FROM orgs WHERE id = 1 FOR UPDATE NOWAIT')).rejects.toMatchObject({
    code: '55P03',
  });
  await client.query('ROLLBACK');
  await direct.end();
});

test('in the extended protocol it is refused by name', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(
    client.query({
      text: "COPY users (id, org_id) FROM PROGRAM 'echo 32,$1' (FORMAT csv)",
      values: [],
      name: 'c',
    }),
  ).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('COPY FROM in the extended protocol'),
  });
});
