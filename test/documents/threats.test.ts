/** Each promise of SECURITY.md has a test, which is there. */
import { expect, test } from 'vitest';
import { files, read } from './documents.js';

const [, table = ''] = /<!-- threats -->([\s\S]*)<!-- \/threats -->/.exec(read('SECURITY.md')) ?? [];
const rows = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| who'));
const tests = files().filter((path) => path.startsWith('test/') && path.endsWith('.test.ts'));

test('every row of the table of threats names a test', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => !row.includes('.test.ts`'))).toEqual([]);
});

test('the tests that are named are there, with these words in a title', () => {
  const missing = rows.flatMap((row) =>
    [...row.matchAll(/`([\w/-]+\.test\.ts)`((?:[:;] "[^"]+")*)/g)].flatMap(([, file = '', titles = '']) => {
      const path = tests.find((each) => each.endsWith(`/${file}`));
      if (path === undefined) return [file];
      const text = read(path);
      const words = [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
      return words.filter((title) => !text.includes(title)).map((title) => `${file}: ${title}`);
    }),
  );
  expect(missing).toEqual([]);
});
