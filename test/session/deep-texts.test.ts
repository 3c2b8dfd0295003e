/** Texts that nest deeply, or are long: the parser has limits that are not the server's. */
import { expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 60_000 });
const twin = useTwin();
const { queries: queriesAsNative } = asNativeOn(twin);

const sum = (terms: number) => Array(terms).fill(1).join(' + ');

test.each([
  ['not deleting', `SELECT 'delete', ${sum(4000)}`],
  ['deleting', `DELETE FROM orgs WHERE id = ${sum(4000)} - 3999`],
])('a statement of thousands of terms, %s, is answered as natively', async (_, sql) => {
  await queriesAsNative(sql);
});

test('texts that are too deep for the parser leave it as it was', async () => {
  const client = await twin.connect();
  for (let i = 0; i < 60; i++) {
    const [answer] = await client.told(query(`SELECT 'delete ${i}', ${sum(20_000)}`));
    expect(answer).toContain('C=54001');
  }
  expect(await client.told(query('DELETE FROM orgs WHERE id = 1'))).toContain('C DELETE 1');
  expect(await twin.rowsLeft()).toMatchObject({ users: expect.not.stringContaining('11') });
});

test('a word that stands in a text many thousands of times holds nobody up', async () => {
  const [client, other] = [await twin.connect(), await twin.connect()];
  const words = 'copy '.repeat(100_000);
  const [deleted] = await Promise.all([
    client.told(query(`DELETE FROM orgs WHERE name = '${words}'`)),
    other.told(query('SELECT 1')),
  ]);
  expect(deleted).toContain('C DELETE 0');
}, 20_000);
