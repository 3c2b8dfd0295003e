/** Texts that are long are answered as natively, and hold up nobody else. */
import { expect, test, vi } from 'vitest';
import { message, query } from '../support/frontend-messages.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 120_000 });
const twin = useTwin();
const { queries: queriesAsNative } = asNativeOn(twin);

/** A condition that is true of one row, and so many constants long; each has characters of several bytes before it. */
const among = (constants: number, id = 1) =>
  `name <> 'é語𝄞' AND id IN (${Array.from({ length: constants }, (_, i) => i + 1000).join(', ')}, ${id})`;

test.each([
  ['a DELETE', `DELETE FROM orgs WHERE ${among(1500)}`],
  ['one with RETURNING', `DELETE FROM orgs WHERE ${among(1500)} RETURNING id, name || 'é' AS named`],
  ['one in a WITH', `WITH d AS (DELETE FROM orgs WHERE ${among(1500)} RETURNING *) SELECT count(*) FROM d`],
  ['a syntax error at its end', `DELETE FROM orgs WHERE ${among(1500)} RETURNING id id id`],
  ['a column that is not there', `DELETE FROM orgs WHERE ${among(1500)} RETURNING nothing`],
  ['an error while it is executed', `DELETE FROM orgs WHERE ${among(1500)} RETURNING 1 / (id - 1)`],
  [
    'hundreds of statements',
    Array.from({ length: 150 }, (_, i) => `DELETE FROM orgs WHERE id = ${i + 2}`).join('; '),
  ],
  ['a literal', `DELETE FROM orgs WHERE name = '${'delete 𝄞 '.repeat(100_000)}' OR id = 1`],
  ['an INSERT that speaks of DELETE', `INSERT INTO orgs SELECT 9, left('${'delete '.repeat(2000)}', 6)`],
])('%s', async (_, sql) => {
  await queriesAsNative(`BEGIN; ${sql}`, 'SELECT count(*) FROM users', 'ROLLBACK');
  await queriesAsNative(sql);
});

test('another client is answered before a long text is sent on', async () => {
  const [client, other] = [await twin.connect(), await twin.connect()];
  const order: string[] = [];
  const deleted = client.told(query(`DELETE FROM orgs WHERE ${among(50_000, -1)}`)).then((told) => {
    order.push('long text');
    return told;
  });
  for (let i = 0; i < 5; i++) {
    expect(await other.told(query('SELECT 1'))).toContain('C SELECT 1');
    order.push('SELECT');
  }
  expect(await deleted).toContain('C DELETE 0');
  expect(order).toEqual([...Array(5).fill('SELECT'), 'long text']);
});

test('a client that ends while its text is read leaves the others alone', async () => {
  const [client, other] = [await twin.connect(), await twin.connect()];
  client.send(query(`DELETE FROM orgs WHERE ${among(50_000, -1)}`));
  client.socket.destroySoon();
  expect(await other.told(query(`DELETE FROM orgs WHERE ${among(1500, -1)}`))).toContain('C DELETE 0');
});

/** More than can be spread into the arguments of a call. */
const MANY = 124_000;
const list = (each: (i: number) => string) => Array.from({ length: MANY }, (_, i) => each(i)).join(', ');

test.each([
  [
    'an INSERT of many values with the word as data',
    `INSERT INTO alone VALUES ${list((i) => `(${i + 10}, 'delete')`)}`,
  ],
  [
    'an INSERT of many values from a query with the word',
    `INSERT INTO alone SELECT "delete".* FROM (VALUES ${list((i) => `(${i + 10})`)}) AS delete`,
  ],
  [
    'a DELETE of many constants',
    `DELETE FROM orgs WHERE id < 4 AND id IN (${list((i) => `${i + 2}`)}) RETURNING id`,
  ],
  ['a DELETE after a long comment', `/*${' a comment'.repeat(838_861)}*/ DELETE FROM orgs WHERE id = 1`],
  [
    'a DELETE in parentheses that are too deep',
    `DELETE FROM orgs WHERE id = ${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
  ],
  [
    'a DELETE after a million comments in each other',
    `${'/* '.repeat(1_000_000)}${'*/'.repeat(1_000_000)} DELETE FROM orgs WHERE id = 1`,
  ],
  ['a million comments without an end', `${'/* '.repeat(1_000_000)} delete`],
])('%s is answered as natively', async (_, sql) => {
  await queriesAsNative(sql);
});

test('a text that is longer than the parser takes is refused by name, and the connection lives', async () => {
  const client = await twin.connect();
  const sql = Buffer.alloc(128 * 1024 * 1024 + 1, ' ');
  sql.write('DELETE FROM orgs');
  const [answer] = await client.told(message('Q', Buffer.concat([sql, Buffer.alloc(1)])));
  expect(answer).toContain('PGC_TOO_LARGE');
  expect(await client.told(query('DELETE FROM orgs WHERE id = 1'))).toContain('C DELETE 1');
});
