/** Holds what "The rooms" of CONTRIBUTING says: who may import whom, and which file is the door to which package. */
import { isAscii } from 'node:buffer';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mutating } from '../vitest.config.js';
import { rooms } from './support/rooms.js';
import { type Import, importsOf, type SourceFile, sourceFiles } from './support/source-files.js';

const doors: Readonly<Record<string, RegExp>> = {
  pg: /^graph\//,
  'libpg-query': /^sql\//,
  'node-sql-parser': /^sql\//,
  'pg-protocol': /^wire\//,
  '@mongodb-js/saslprep': /^auth\/scram\//,
  'lru-cache': /cache[^/]*\.ts$/,
  '@electric-sql/pglite': /^net\//,
  zod: /^config\//,
  yaml: /^config\//,
  pino: /^observe\//,
  'prom-client': /^observe\//,
};

const inputOutput = /^node:(net|fs|https?|http2|tls|dns|dgram|child_process)(\/|$)/;
const withoutInputOutput = /^(?:wire|auth\/scram|sql|plan|profiles|render|rewrite|script)(?:\/|$)/;

const src = new URL('../src/', import.meta.url);
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
        return from === to || names(rooms[from]?.may, to) || (typeOnly && names(rooms[from]?.types, to));
      }),
    ).toEqual([]);
  });

  test('has no room that may import from one above it', () => {
    const order = Object.keys(rooms);
    const upwards = Object.entries(rooms).flatMap(([room, { may, types = [] }]) =>
      [...may, ...types]
        .filter((name) => order.indexOf(name) < order.indexOf(room))
        .map((name) => `${room} → ${name}`),
    );
    expect(upwards).toEqual([]);
  });

  test('has no folder of more than fourteen files', () => {
    const mostFiles = 14;
    const counts = new Map<string, number>();
    for (const entry of readdirSync(src, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > mostFiles)).toEqual([]);
  });

  test('has its rooms in CONTRIBUTING, each with its purpose', () => {
    const contributing = readFileSync(new URL('../CONTRIBUTING.md', import.meta.url), 'utf8');
    const lines = Object.entries(rooms).map(([room, { purpose }]) => `| \`${nameOf(room)}\` | ${purpose} |`);
    expect(contributing).toContain(lines.join('\n'));
  });

  test('does no input or output in the rooms of pure functions', () => {
    expect(
      violations(({ path }, { module }) => {
        return !inputOutput.test(module) || !withoutInputOutput.test(roomOf(path));
      }),
    ).toEqual([]);
  });

  test('reads nothing but files in the graph, and not even these in its model', () => {
    expect(
      violations(({ path }, { module }) => {
        if (!path.startsWith('graph/') || !inputOutput.test(module)) return true;
        return module.startsWith('node:fs') && !/^graph\/(?:model|graph)\./.test(path);
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
    const found = readdirSync(new URL('graph/', src), { recursive: true, encoding: 'utf8' });
    const names = found.filter((name) => name.endsWith('.sql'));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isAscii(readFileSync(new URL(`graph/${name}`, src))))).toEqual([]);
  });

  test('names each member of a union that it switches over: a new one is asked for by the compiler', () => {
    const silent = files.flatMap(({ path, text }) =>
      [...text.matchAll(/^( *)switch \((.*\.kind)\) \{\n[\s\S]*?^\1\}/gm)]
        .filter(([body, indent]) => /^ {2}default:/m.test(body.replaceAll(`\n${indent}`, '\n')))
        .filter(([body]) => !/default:\s+(?:return )?[\w.]+ satisfies never;/.test(body))
        .map(([, , value]) => `${path}: ${value}`),
    );
    expect(silent).toEqual([]);
  });

  test('has no file of more than 260 lines', () => {
    const mostLines = 260;
    const lines = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
    expect(lines.filter((file) => file.lines > mostLines)).toEqual([]);
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

test('a module of src is mocked in the project of the mutants alone', () => {
  const test = new URL('./', import.meta.url);
  // The packages of test/clients are beside its folders.
  const folders = readdirSync(test).map((name) => (name === 'clients' ? 'clients/node' : name));
  const files = folders.flatMap((folder) =>
    statSync(new URL(folder, test)).isDirectory()
      ? readdirSync(new URL(folder, test), { recursive: true, encoding: 'utf8' }).map(
          (file) => `${folder}/${file}`,
        )
      : [folder],
  );
  const mocking = files.filter((file) => {
    return (
      file.endsWith('.test.ts') && /^\s*vi\.(?:do)?[mM]ock\(/m.test(readFileSync(new URL(file, test), 'utf8'))
    );
  });
  expect(mocking.map((file) => `test/${file}`).sort()).toEqual([...mutating].sort());
});

/** The room that a path of src belongs to: its folder, or, of the files at the top, its name; cli.ts has a folder beside it. */
function roomOf(path: string): string {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  return folder || path.replace(/\.ts$/, '');
}

/** Whether a list of rooms names one: `session` is the room alone, where its inner rooms have lines of their own. */
function names(list: readonly string[] | undefined, room: string): boolean {
  return list?.some((each) => each === room || (WHOLE.has(each) && room.startsWith(`${each}/`))) ?? false;
}

/** Rooms whose names stand for their inner rooms too. */
const WHOLE: ReadonlySet<string> = new Set(['session', 'rewrite', 'render', 'graph', 'sql']);

/** As CONTRIBUTING writes it. */
function nameOf(room: string): string {
  return existsSync(new URL(`${room}.ts`, src)) && !existsSync(new URL(room, src))
    ? `${room}.ts`
    : `${room}/`;
}

/** The imports that are not allowed, as readable lines. */
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
