/** Much data: it arrives whole, and is never all in the proxy at once. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import {
  bind,
  copyDone,
  describePortal,
  execute,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { message, type RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { pidOf } from '../support/server-sessions.js';
import { until } from '../support/until.js';
import { useDirectly } from '../wire/as-directly.js';

vi.setConfig({ testTimeout: 60_000 });
// To compress a long line would take the server longer than all else.
const directly = useDirectly('CREATE TABLE item (line text STORAGE EXTERNAL)');
const MB = 1_000_000;

/** What came, in few words: how many messages of which type, and a digest of all their bytes. */
function digest(messages: readonly RawMessage[]): string {
  const hash = createHash('sha256');
  for (const { type, body } of messages) hash.update(type).update(body);
  const types = messages.map(({ type }) => type).join('');
  return `${types.replace(/(.)\1+/g, (run) => `${run[0]}×${run.length}`)} ${hash.digest('hex')}`;
}

async function expectSameAnswer(steps: (client: RawClient) => Promise<readonly RawMessage[]>) {
  const direct = digest(await steps(await directly.connectDirect()));
  expect(digest(await steps(await directly.connect()))).toBe(direct);
  return direct;
}

describe('50 MB', () => {
  test('in one value are answered as directly', async () => {
    const answer = await expectSameAnswer((client) =>
      client.ask(query(`SELECT repeat('x', ${50 * MB}) AS it`)),
    );
    expect(answer).toMatch(/^TDCZ /);
  });

  test('in many rows are answered as directly', async () => {
    const sql = `SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) AS i`;
    expect(await expectSameAnswer((client) => client.ask(query(sql)))).toMatch(/^TD×50000CZ /);
  });

  test('in rows of RETURNING are answered as directly', async () => {
    await directly.connectDirect().then((client) => client.ask(query('INSERT INTO parent VALUES (1), (2)')));
    // Rolled back, so that the second side has the rows as well.
    const sql = `BEGIN; DELETE FROM parent RETURNING repeat('x', ${25 * MB}) AS it; ROLLBACK`;
    expect(await expectSameAnswer((client) => client.ask(query(sql)))).toMatch(/^CTD×2C×2Z /);
  });

  test('in one parameter, in text and in binary, arrive', async () => {
    const big = Buffer.alloc(50 * MB, 'abcdefg');
    for (const values of [[big.toString()], [big]])
      await expectSameAnswer((client) =>
        client.ask(
          parse('SELECT length($1::text), md5($1)'),
          bind({ values }),
          describePortal(),
          execute(),
          sync,
        ),
      );
  });

  test('in one parameter of a DELETE arrive', async () => {
    const sql = 'DELETE FROM parent WHERE id = -length($1::text)';
    await expectSameAnswer((client) => client.ask(run(sql, ['x'.repeat(50 * MB)]), sync));
  });

  test('in the text of a query arrive', () =>
    expectSameAnswer((client) => client.ask(query(`SELECT length('${'x'.repeat(50 * MB)}')`))));

  test('there and back in a pipeline do not block it', async () => {
    const values = [Buffer.alloc(MB, 'x')];
    const echo = Buffer.concat([parse('SELECT $1::text'), bind({ values }), execute()]);
    await expectSameAnswer((client) => client.ask(...Array<Buffer>(50).fill(echo), sync));
  });
});

/** What this process, the proxy in it, holds in buffers. What a stalled test itself sends is one buffer, again and again. */
function buffered(): number {
  return process.memoryUsage().arrayBuffers;
}

const BOUND = 40 * MB;

/**
 * Waits until the session waits for the same thing at 50 looks in a row, and `progress` does not change.
 * @throws where more is in buffers than what was there before and the bound
 */
async function stalled(watcher: pg.Client, pid: number, waitsFor: string, progress: () => number) {
  const sql = 'SELECT wait_event FROM pg_stat_activity WHERE pid = $1';
  const held = buffered();
  let [same, before] = [0, -1];
  await until(`session ${pid} waits for ${waitsFor}, and nothing moves`, async () => {
    const { rows } = await watcher.query(sql, [pid]);
    const now = progress();
    same = rows[0]?.wait_event === waitsFor && now === before ? same + 1 : 0;
    before = now;
    expect(buffered() - held).toBeLessThan(BOUND);
    return same >= 50;
  });
}

describe('backpressure', () => {
  const ROWS = 120;

  test.each([
    ['a SELECT', `SELECT repeat('x', ${MB}) FROM generate_series(1, ${ROWS})`],
    ['an expanded DELETE', `DELETE FROM parent RETURNING repeat('x', ${MB})`],
  ])('a slow reader of 120 MB from %s makes the server wait, not the proxy grow', async (_, sql) => {
    const client = await directly.connect();
    const pid = await pidOf(client);
    const watcher = await directly.database.connect();
    await watcher.query('TRUNCATE child, parent');
    await watcher.query('INSERT INTO parent SELECT generate_series(1, $1)', [ROWS]);
    client.socket.pause();
    client.send(query(sql));
    await stalled(watcher, pid, 'ClientWrite', () => client.socket.bytesRead);
    client.socket.resume();
    const types = [];
    for (let came = await client.next(); came; came = await client.next()) {
      types.push(came.type);
      if (came.type === 'Z') break;
    }
    expect(types.join('')).toBe(`T${'D'.repeat(ROWS)}CZ`);
  });

  test('a server that does not read makes the client wait, not the proxy grow', async () => {
    const client = await directly.connect();
    const pid = await pidOf(client);
    const [watcher, locker] = await Promise.all([directly.database.connect(), directly.database.connect()]);
    await locker.query('BEGIN; LOCK TABLE item');
    const line = message('d', Buffer.alloc(MB, 'x').fill('\n', MB - 1));
    client.send(query('COPY item FROM STDIN'));
    for (let i = 0; i < ROWS; i++) client.socket.write(line);
    client.send(copyDone);
    const written = () => client.socket.bytesWritten - client.socket.writableLength;
    await stalled(watcher, pid, 'relation', written);
    await locker.query('COMMIT');
    expect(readable(await client.untilReady()).at(-2)).toBe(`C COPY ${ROWS}`);
  });
});
