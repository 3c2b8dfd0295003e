/** Holds the rules of "The rooms" in CONTRIBUTING: who may import whom, and which file is the door to which package. */
import { isAscii } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Import, importsOf, type SourceFile, sourceFiles } from './support/source-files.js';

// What each room may import beside itself: always from further down.
const ground = ['sql', 'graph', 'profiles', 'errors', 'pace'];
const middle = ['plan', 'wire', ...ground];
const upper = ['net', 'admin', 'session', ...middle, 'config', 'observe'];
const rooms: Readonly<Record<string, readonly string[]>> = {
  cli: ['app', ...upper],
  app: upper,
  // How an address is written is the configuration's to know.
  net: ['session', ...middle, 'config'],
  admin: ['session', ...middle, 'config'],
  session: middle,
  plan: ground,
  wire: ground,
  graph: ['sql', 'errors', 'pace'],
  sql: ['errors'],
  profiles: ['errors'],
  observe: ['config'],
  config: ['errors'],
  errors: [],
  pace: [],
};

// As types only: what is configured, and what is logged to, comes to these rooms as arguments.
const types: Readonly<Record<string, readonly string[]>> = {
  net: ['observe'],
  admin: ['observe'],
  session: ['config', 'observe'],
};

const doors: Readonly<Record<string, RegExp>> = {
  pg: /^graph\//,
  'libpg-query': /^sql\//,
  'node-sql-parser': /^sql\//,
  'pg-protocol': /^wire\//,
  'lru-cache': /cache[^/]*\.ts$/,
  '@electric-sql/pglite': /^net\//,
  zod: /^config\//,
  yaml: /^config\//,
  pino: /^observe\//,
};

const inputOutput = /^node:(net|fs|https?|http2|tls|dns|dgram|child_process)(\/|$)/;
const withoutInputOutput = ['wire', 'sql', 'plan', 'profiles'];
const maxLines = 300;

const files = sourceFiles();

describe('src', () => {
  test('has every file in a room', () => {
    expect(files.map(({ path }) => path).filter((path) => rooms[roomOf(path)] === undefined)).toEqual([]);
  });

  test('imports from lower rooms only', () => {
    expect(
      violations((file, { module, kind, typeOnly }) => {
        if (kind !== 'file') return true;
        const [from, to] = [roomOf(file.path), roomOf(module)];
        return from === to || rooms[from]?.includes(to) || (typeOnly && types[from]?.includes(to));
      }),
    ).toEqual([]);
  });

  test('does no input or output in the rooms of pure functions', () => {
    expect(
      violations(({ path }, { module }) => {
        return !inputOutput.test(module) || !withoutInputOutput.includes(roomOf(path));
      }),
    ).toEqual([]);
  });

  test('reads nothing but files in the graph, and not even these in its model', () => {
    expect(
      violations(({ path }, { module }) => {
        if (roomOf(path) !== 'graph' || !inputOutput.test(module)) return true;
        return module.startsWith('node:fs') && !path.startsWith('graph/model');
      }),
    ).toEqual([]);
  });

  test('has one door for every package', () => {
    expect(
      violations(({ path }, { module, kind }) => {
        return kind !== 'package' || doors[module]?.test(path);
      }),
    ).toEqual([]);
  });

  test('imports no file that is not there', () => {
    const known = new Set(files.map(({ path }) => path));
    expect(violations((_, { module, kind }) => kind !== 'file' || known.has(module))).toEqual([]);
  });

  test('has no circle of imports', () => {
    expect(
      circles(new Map(files.map((file) => [file.path, file.imports.map(({ module }) => module)]))),
    ).toEqual([]);
  });

  test('has SQL in ASCII alone, comments too: it is sent to servers of every encoding', () => {
    const folder = new URL('../src/graph/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.sql'));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((name) => !isAscii(readFileSync(new URL(name, folder))))).toEqual([]);
  });

  test(`has no file of more than ${maxLines} lines`, () => {
    const lines = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
    expect(lines.filter((file) => file.lines > maxLines)).toEqual([]);
  });
});

describe('this test', () => {
  test('sees imports in every form', () => {
    const text = [
      `import './a.js';`,
      `import {\n  one,\n  two,\n} from '../sql/b.js';`,
      `import type { T } from './c.js';`,
      `export * from './d.js';`,
      `export type { U } from './e.js';`,
      `import fs from 'node:fs/promises';`,
      `const { x } = await import('@scope/name/deep.js');`,
      ` * import { not } from 'a-comment';`,
      `export const text = 'from "nowhere"';`,
    ].join('\n');
    expect(importsOf('wire/file.ts', text)).toEqual([
      { module: 'wire/a.ts', kind: 'file', typeOnly: false },
      { module: 'sql/b.ts', kind: 'file', typeOnly: false },
      { module: 'wire/c.ts', kind: 'file', typeOnly: true },
      { module: 'wire/d.ts', kind: 'file', typeOnly: false },
      { module: 'wire/e.ts', kind: 'file', typeOnly: true },
      { module: 'node:fs/promises', kind: 'node', typeOnly: false },
      { module: '@scope/name', kind: 'package', typeOnly: false },
    ]);
  });

  test('sees circles', () => {
    const imports = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts', 'node:fs']],
      ['c.ts', ['b.ts']],
    ]);
    expect(circles(imports)).toEqual(['b.ts → c.ts → b.ts']);
  });
});

/** The room that a path of src belongs to: its folder, or, of the files at the top, its name. */
function roomOf(path: string): string {
  return path.split('/')[0]?.replace(/\.ts$/, '') ?? path;
}

/** The imports that a rule does not allow, as readable lines. */
function violations(allows: (file: SourceFile, imported: Import) => boolean | undefined): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((imported) => !allows(file, imported))
      .map(({ module, typeOnly }) => `${file.path} imports ${typeOnly ? 'types' : 'values'} from ${module}`),
  );
}

/** The circles found on a walk through the imports: none are missed altogether, though not each way round is told. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const next of imports.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return found;
}
