/**
 * CONTRIBUTING says where things are: each file and folder that it sends a reader to is there, by its whole path, and has
 * what is named before it. A name that a file only imports is another one's.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { read, section } from './documents.js';

const top = new URL('../../', import.meta.url);
const parts = ['where', 'find', 'walk'];

test.each(parts)('the part "%s" of CONTRIBUTING names files that are there', (name) => {
  const named = rowsOf(name).flatMap(codesIn).filter(isPath);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(path, top)))).toEqual([]);
});

test.each(parts)('a name in the part "%s" of CONTRIBUTING is in the file that it stands before', (name) => {
  const pairs = rowsOf(name).flatMap((row) => row.split('|').flatMap(namesWithFiles));
  expect(pairs.length).toBeGreaterThan(name === 'where' ? 40 : -1);
  expect(pairs.filter((pair) => !isIn(pair))).toEqual([]);
});

test('a name that is not in its file is found', () => {
  const cell =
    '`Frontend` and `Nothing` of `src/wire/types.ts`, `Answered` of `src/wire/types.ts`; `Frontend` there';
  const imported = '`orderOf` of `src/session/decide/decider.ts`';
  expect(namesWithFiles(imported).filter(isIn)).toEqual([]);
  expect(namesWithFiles(cell).filter((pair) => !isIn(pair))).toEqual([
    { name: 'Nothing', file: 'src/wire/types.ts' },
    { name: 'Answered', file: 'src/wire/types.ts' },
  ]);
});

test('the questions of CONTRIBUTING are fifteen', () => {
  const questions = rowsOf('where').filter((row) => row.startsWith('### '));
  expect(questions).toHaveLength(15);
});

test('every benchmark has its row in CONTRIBUTING', () => {
  const benchmarks = [...read('bench/main.ts').matchAll(/^ {2}(\w+): \{ usage:/gm)].map(([, name]) => name);
  const rows = [...read('CONTRIBUTING.md').matchAll(/^\| `npm run bench -- (\w+)/gm)].map(([, name]) => name);
  expect(benchmarks).not.toEqual([]);
  expect(rows.sort()).toEqual(benchmarks.sort());
});

interface Named {
  readonly name: string;
  readonly file: string;
}

/** The rows of a table, or the items of lists with their headings: an item goes on where a line begins with spaces. */
function rowsOf(part: string): readonly string[] {
  return section('CONTRIBUTING.md', part).split(/\n(?! )/);
}

function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

function isPath(code: string): boolean {
  return /^(?:src|test|bench|config|docs)\/[\w./-]+$/.test(code) || code === 'README.md';
}

/** Each identifier of a cell or an item, with the next file in it; one after the last file belongs to that. */
function namesWithFiles(cell: string): readonly Named[] {
  const codes = codesIn(cell);
  const isFile = (code: string) => isPath(code) && !code.endsWith('/');
  const last = codes.findLast(isFile);
  return codes.flatMap((name, i) => {
    const file = codes.slice(i).find(isFile) ?? last;
    return /^#?[A-Za-z_]\w*$/.test(name) && file !== undefined ? [{ name, file }] : [];
  });
}

function isIn({ name, file }: Named): boolean {
  const url = new URL(file, top);
  if (!existsSync(url) || !statSync(url).isFile()) return false;
  const source = readFileSync(url, 'utf8');
  const word = new RegExp(`(?<![\\w#])${name}(?!\\w)`);
  return word.test(source) && !importsOf(source).some((clause) => word.test(clause));
}

/** What stands between `import`, or `export`, and `from`: the names of other files. */
function importsOf(source: string): readonly string[] {
  return [...source.matchAll(/^(?:import|export) (?:type )?([^;'"=()]*) from '/gm)].map(
    ([, clause = '']) => clause,
  );
}
