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

/** The numbers in the titles of a folder's tests. */
function numbersOf(folder: string): ReadonlySet<number> {
  const url = new URL(`${folder}/`, import.meta.url);
  const files = readdirSync(url).filter((file) => file.endsWith('.test.ts'));
  return new Set(files.flatMap((file) => numbersIn(readFileSync(new URL(file, url), 'utf8'))));
}

test('every edge case has a test that begins with its number, and no number here is of none', () => {
  const [here, session] = [numbersOf('.'), numbersOf('../session')];
  const listed = Object.keys(EDGE_CASES).map(Number);
  // A number that goes together with its tests is missed here.
  expect(listed).toEqual(Array.from({ length: 78 }, (_, i) => i + 1));
  expect(listed.filter((number) => !here.has(number) && !session.has(number))).toEqual([]);
  expect([...here].filter((number) => EDGE_CASES[number] === undefined)).toEqual([]);
});

test('numbers are read from names in every form', () => {
  const source = `test('1 one', f); describe(\`2–4 x\`, f); test.each([\n['5, 7 y', 1]])('%s'); test('no 9', f); ['10 1']`;
  expect(numbersIn(source)).toEqual([1, 2, 3, 4, 5, 7]);
});
