/** Long texts are read in threads, as short ones are read here. */
import { afterEach, expect, test } from 'vitest';
import { StatementCache } from '../../src/rewrite/statement-cache.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { type LongTextLimits, LongTexts } from '../../src/sql/reading/long-texts.js';
import { readStatements } from '../../src/sql/statement/statement.js';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

function longTexts(limits?: Partial<LongTextLimits>, onCrash?: (name: string) => void): LongTexts {
  const texts = new LongTexts(limits, onCrash);
  opened.push(texts);
  return texts;
}

const isWanted = () => true;
const read = (texts: LongTexts, text: string) => texts.read(text, 'UTF8', isWanted);
const named = (name: string) => expect.objectContaining({ errorName: name });

/** A DELETE with so many constants. */
const inList = (constants: number) => `DELETE FROM t WHERE a IN (${Array(constants).fill(1).join()})`;
/** One with so many conditions. */
const conditions = (count: number) => `DELETE FROM t WHERE a = 1${' OR a = 1'.repeat(count)}`;
const deletes = (count: number) =>
  Array.from({ length: count }, (_, i) => `DELETE FROM t${i} WHERE name = 'é𝄞' RETURNING id`).join(';\n');

test.each([
  ['one statement', inList(1000)],
  ['hundreds of statements', deletes(250)],
  ['statements that do not delete', `SELECT ${Array(1000).fill(1).join()}; ROLLBACK`],
  ['a text that is not SQL', `DELETE FROM t WHERE ((${Array(1000).fill(1).join()}`],
  ['a text that nests deeply', `DELETE FROM t WHERE a = ${Array(4000).fill(1).join('+')}`],
])('%s means the same', async (_, text) => {
  await parserReady();
  expect(await read(longTexts(), text)).toEqual(readStatements(text));
});

test('a text that is not certain is refused as it is here', async () => {
  const text = `DELETE FROM t WHERE U&"\\0645" = '\udc81${'x'.repeat(5000)}'`;
  await expect(longTexts().read(text, 'EUC_JP', isWanted)).rejects.toEqual(named('PGC_ENCODING'));
});

test('the event loop goes on while a long text is read', async () => {
  const cache = new StatementCache();
  opened.push(cache);
  let turns = 0;
  let reading = true;
  const turn = () => {
    turns++;
    if (reading) setImmediate(turn);
  };
  const statements = cache.statements(inList(20_000), 'UTF8', isWanted);
  setImmediate(turn);
  expect(await statements).toHaveLength(1);
  reading = false;
  expect(turns).toBeGreaterThan(10);
});

test('a very long text holds up no other long one', async () => {
  const texts = longTexts();
  const order: string[] = [];
  await Promise.all([
    read(texts, `DELETE FROM t WHERE name = '${'x'.repeat(20 * 1024 * 1024)}'`).then(() =>
      order.push('very long'),
    ),
    read(texts, inList(2000)).then(() => order.push('long')),
  ]);
  expect(order).toEqual(['long', 'very long']);
});

test('a text that is more than its thread has room for is refused, and the next one is read', async () => {
  const texts = longTexts({ memory: 32 });
  const [large, next] = await Promise.allSettled([read(texts, conditions(200_000)), read(texts, inList(10))]);
  expect(large).toEqual({ status: 'rejected', reason: named('PGC_TOO_LARGE') });
  expect(next).toMatchObject({ status: 'fulfilled', value: [{ meaning: { kind: 'deleting' } }] });
});

test('a list of constants needs little room, however long it is', async () => {
  const texts = longTexts({ memory: 128 });
  const text = `DELETE FROM t WHERE a IN (1${', 1000000'.repeat(1_200_000)}) RETURNING b`;
  expect(await read(texts, text)).toMatchObject([
    { end: text.length, meaning: { kind: 'deleting', sites: [{ returning: { list: text.length - 1 } }] } },
  ]);
});

test.each([
  ['comments in each other', `${'/* '.repeat(300_000)}${'*/'.repeat(300_000)} DELETE FROM t`, 1],
  ['comments without an end', `DELETE FROM t ${'/*'.repeat(500_000)}`, undefined],
])('%s do not hold the thread', async (_, text, statements) => {
  const found = await read(longTexts(), text);
  expect(found?.length).toBe(statements);
});

test('so many signs in a row that the scanner would go back over all of them are refused', async () => {
  const text = `DELETE FROM t WHERE a = ${'+'.repeat(500_000)}1`;
  await expect(read(longTexts(), text)).rejects.toEqual(named('PGC_TOO_LARGE'));
});

test('a text that takes too long is refused, and the next one is read', async () => {
  const texts = longTexts({ time: 1000 });
  const [slow, next] = await Promise.allSettled([
    read(texts, conditions(400_000)),
    read(texts, 'DELETE FROM t'),
  ]);
  expect(slow).toEqual({ status: 'rejected', reason: named('PGC_TOO_LARGE') });
  expect(next).toMatchObject({ status: 'fulfilled', value: [{ meaning: { kind: 'deleting' } }] });
});

test('more than may wait is refused, and what waits is read', async () => {
  const texts = longTexts({ waiting: 10_000 });
  const [first, second] = await Promise.allSettled([read(texts, inList(3000)), read(texts, inList(3000))]);
  expect(first).toMatchObject({ status: 'fulfilled' });
  expect(second).toEqual({ status: 'rejected', reason: named('PGC_WAITING') });
  expect(await read(texts, inList(3000))).toHaveLength(1);
});

test('the text of a client that has gone is not read', async () => {
  const texts = longTexts();
  let wanted = true;
  const before = read(texts, inList(10));
  const gone = texts.read(inList(10), 'UTF8', () => wanted);
  wanted = false;
  expect(await before).toHaveLength(1);
  expect(await gone).toBeUndefined();
});

test('what waits at the end is told so, and no thread is left', async () => {
  const texts = longTexts();
  const waiting = Promise.allSettled([read(texts, inList(50_000)), read(texts, inList(10))]);
  await new Promise(setImmediate);
  await texts.close();
  const over = { status: 'rejected', reason: named('PGC_SHUTDOWN') };
  expect(await waiting).toEqual([over, over]);
  await expect(read(texts, inList(10))).rejects.toEqual(named('PGC_SHUTDOWN'));
});

test('a thread that runs out of memory is told by the name of its end, and one that is closed is not', async () => {
  const crashes: string[] = [];
  const texts = longTexts({ memory: 32 }, (name) => crashes.push(name));
  await expect(read(texts, inList(200_000))).rejects.toEqual(named('PGC_TOO_LARGE'));
  expect(crashes).toEqual(['ERR_WORKER_OUT_OF_MEMORY']);
  await read(texts, inList(1));
  await texts.close();
  expect(crashes).toHaveLength(1);
});
