import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EDGE_CASES } from './list.js';

/** The numbers with which names of tests begin: `29 a child …`, `44–46 …`, `61, 62 …`. */
function numbersIn(source: string): number[] {
  const titles = source.matchAll(/(?:^|[\s([])['"`](\d+(?:(?:–|, )\d+)*) [^\s\d]/gmu);
  return [...titles].flatMap(([, numbers = '']) =>
    numbers.split(', ').flatMap((range) => {
      const [first = 0, last = first] = range.split('–').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    }),
  );
}

test('every edge case has a test that begins with its number', () => {
  const folders = ['.', '../session'].map((folder) => new URL(`${folder}/`, import.meta.url));
  const covered = new Set(
    folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.test.ts'))
        .flatMap((file) => numbersIn(readFileSync(new URL(file, folder), 'utf8'))),
    ),
  );
  const listed = Object.keys(EDGE_CASES).map(Number);
  expect(listed).toEqual(Array.from({ length: 68 }, (_, i) => i + 1));
  expect(listed.filter((number) => !covered.has(number))).toEqual([]);
});

test('numbers are read from names in every form', () => {
  const source = `test('1 one', f); describe(\`2–4 x\`, f); test.each([\n['5, 7 y', 1]])('%s'); test('no 9', f); ['10 1']`;
  expect(numbersIn(source)).toEqual([1, 2, 3, 4, 5, 7]);
});
