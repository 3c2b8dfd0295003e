/** What holds for every document: what it names is there. */
import { dirname, join } from 'node:path/posix';
import { describe, expect, test } from 'vitest';
import { variableOf } from '../../src/config/environment.js';
import { leafPaths } from '../../src/config/json-schema.js';
import { ERRORS } from '../../src/errors.js';
import { documents, files, manifest, read } from './documents.js';

const all = files();
const folders = new Set(all.flatMap(foldersOf));
const texts = all.filter(
  (path) => !/\.(png|jpg|pglite|gz)$/.test(path) && !path.endsWith('package-lock.json'),
);
const variables = ['PGCASCADE_CONFIG', ...leafPaths().map(variableOf)];

describe.each(documents)('%s', (document) => {
  const text = read(document);

  test('links to files, folders and headings that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(#[^)]*)?\)/g)];
    const broken = links.filter(([, target = '', anchor]) => {
      const path = target === '' ? document : join(dirname(document), target);
      if (anchor !== undefined) return !documents.includes(path) || !anchors(read(path)).includes(anchor);
      return !all.includes(path) && !folders.has(path.replace(/\/$/, ''));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('names no script that package.json does not have', () => {
    const named = [...text.matchAll(/\bnpm run ([\w-]+(?::[\w-]+)?)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });

  test('names no variable that does not exist', () => {
    const named = [...text.matchAll(/\bPGCASCADE_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => !variables.includes(name))).toEqual([]);
  });

  test('names no error that does not exist', () => {
    const named = [...text.matchAll(/\bPGC_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => !(name in ERRORS))).toEqual([]);
  });
});

test('no file names a document that is not there', () => {
  const known = new Set(documents.flatMap((path) => [path, path.split('/').at(-1)]));
  const named = texts.flatMap((path) =>
    [...read(path).matchAll(/[\w./-]*\w\.md\b(?![\w(])/g)].flatMap(([name]) => {
      const stands = known.has(name) || known.has(join(dirname(path), name));
      return stands ? [] : [`${path}: ${name}`];
    }),
  );
  expect(named).toEqual([]);
});

/** The folders above a file. */
function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === '.' ? [] : [folder, ...foldersOf(folder)];
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(text: string): readonly string[] {
  return [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    return `#${heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')}`;
  });
}
