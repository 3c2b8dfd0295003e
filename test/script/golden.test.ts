/**
 * The scripts for some of the cases, as they are printed: test/script/golden. `UPDATE_GOLDEN=1 npx vitest run test/script/golden.test.ts`
 * writes them anew; the difference shows what a change changes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { cases } from './cases.js';
import { scriptOf } from './runs.js';

beforeAll(() => parserReady());

test.each([
  ['chain.sqlite', 'a chain'],
  ['rules.sqlite', 'SET DEFAULT'],
  ['cycle.sqlite', 'a cycle over two tables'],
  ['diamond.mysql', 'a diamond'],
  ['restrict.mysql', 'RESTRICT'],
  ['self-reference.mariadb', 'a self-reference'],
  ['composite.postgresql', 'composite keys, with NULLs'],
  ['cycle.postgresql', 'a cycle over two tables'],
] as const)('%s', async (name, title) => {
  const given = cases.find((each) => each.title === title);
  if (!given) throw new Error(`there is no case ${title}`);
  const dialect = name.split('.')[1] as Parameters<typeof scriptOf>[2];
  const text = scriptText(await scriptOf(given.schema, given.statement, dialect));
  const file = new URL(`golden/${name}.golden`, import.meta.url);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(new URL('./', file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
});

test('no statement for MySQL names a temporary table twice: it cannot be opened again', async () => {
  for (const { schema, statement } of cases) {
    if (/"/.test(schema)) continue;
    const { steps } = await scriptOf(schema, statement, 'mysql');
    for (const line of steps.flatMap(({ lines }) => lines)) {
      const named = [...line.matchAll(/(?:FROM|JOIN|INTO) `(pgc_\w+)`/g)].map(([, name]) => name);
      expect(named).toEqual([...new Set(named)]);
    }
  }
});
