import { readdirSync, readFileSync } from 'node:fs';
import { posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One module that a source file imports. */
export interface Import {
  /** A file of src by its path there (`wire/framing.ts`), a package's name, or a module of Node (`node:net`). */
  readonly module: string;
  readonly kind: 'file' | 'package' | 'node';
  /** Nothing of it is left when the program runs: `import type` and `export type`. */
  readonly typeOnly: boolean;
}

/** A TypeScript file of src, by its path there. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Reads all TypeScript files of src. */
export function sourceFiles(): SourceFile[] {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(src + path, 'utf8');
      const name = path.split(sep).join('/');
      return { path: name, text, imports: importsOf(name, text) };
    });
}

// The formatter puts every import at the start of a line, where no line of a comment has the word.
const declaration = /^(?:import|export)\b(\s+type\b(?!\s+from\b))?(?:[^'";]*?\bfrom)?\s*['"]([^'"]+)['"]/gm;
const call = /\b(?:import|require|require\.resolve)\(\s*['"]([^'"]+)['"]/g;

/** The modules that a file of src imports, in any way, read from its text. */
export function importsOf(path: string, text: string): Import[] {
  const declared = [...text.matchAll(declaration)].map(([, type, name = '']) => {
    return { ...locate(path, name), typeOnly: type !== undefined };
  });
  const called = [...text.matchAll(call)].map(([, name = '']) => ({
    ...locate(path, name),
    typeOnly: false,
  }));
  return [...declared, ...called];
}

function locate(from: string, name: string): Pick<Import, 'module' | 'kind'> {
  if (name.startsWith('.')) {
    const file = posix.join(posix.dirname(from), name);
    return { module: file.replace(/\.js$/, '.ts'), kind: 'file' };
  }
  if (name.startsWith('node:')) return { module: name, kind: 'node' };
  const segments = name.split('/');
  return { module: segments.slice(0, name.startsWith('@') ? 2 : 1).join('/'), kind: 'package' };
}
