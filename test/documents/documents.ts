/** The documents of the repository, and the parts of them that the program writes. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What git ignores, and git's own. */
const others = ['node_modules', 'dist', 'coverage', 'generated', '.git'];

export const manifest: {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
} = JSON.parse(read('package.json'));

/** The paths of all files, from the top of the repository. */
export function files(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (others.includes(entry.name) || entry.isSymbolicLink()) return [];
    return entry.isDirectory() ? files(path) : [path];
  });
}

/** The paths of all documents. */
export const documents = files().filter((path) => path.endsWith('.md'));

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** What stands in a document between `<!-- name -->` and `<!-- /name -->`. */
export function section(document: string, name: string): string {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(read(document))?.[1];
  if (found === undefined) throw new Error(`there is no section ${name} in ${document}`);
  return found.trimEnd();
}

/** The code in a section. */
export function fenced(document: string, name: string): string {
  return /```\w*\n([\s\S]*?)```/.exec(section(document, name))?.[1] ?? '';
}

/** A block of code. */
export interface Block {
  readonly language: string;
  readonly code: string;
}

/** All blocks of code that a document has. */
export function blocks(document: string): readonly Block[] {
  return [...read(document).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}

/** Holds what stands in a section. With UPDATE_DOCS=1 it is written instead. */
export function expectSection(document: string, name: string, expected: string): void {
  if (process.env.UPDATE_DOCS) {
    const before = section(document, name);
    const text = read(document).replace(
      `<!-- ${name} -->\n${before}`,
      () => `<!-- ${name} -->\n${expected}${before === '' ? '\n' : ''}`,
    );
    writeFileSync(join(root, document), text);
  }
  expect(section(document, name)).toBe(expected);
}
