/** What documents name in code is there: files, keys of the configuration and their values, commands, and numbers of src. */
import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.js';
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.js';
import { configSchema } from '../../src/config/schema.js';
import { documents, files, read } from './documents.js';

const all = files();
const sections = Object.keys(configJsonSchema().properties ?? {}).filter((key) => keyOf([key])?.properties);

describe.each(documents)('%s', (document) => {
  const text = read(document);
  const inline = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  );

  test('names no file that is not there', () => {
    const named = inline.filter((code) =>
      /^[\w./*-]+\.(?:ts|js|sql|py|yaml|json|golden|service)$/.test(code),
    );
    // A configuration of the reader's own.
    const missing = named.filter((code) => code !== 'pgcascade.yaml' && !isThere(code));
    expect(missing).toEqual([]);
  });

  test('names no key of the configuration that does not exist', () => {
    const named = inline.filter((code) => sections.some((section) => code.startsWith(`${section}.`)));
    expect(named.filter((code) => keyOf(code.split(':')[0]?.split('.') ?? []) === undefined)).toEqual([]);
  });

  test('gives no value to a key that would be refused, unless it says so', () => {
    const given = inline.flatMap((code) => {
      const [, section = '', key = '', value] = /^(\w+)\.(\w+): (.+)$/.exec(code) ?? [];
      return sections.includes(section) && value !== undefined
        ? [{ code, path: [section, key], file: { [section]: { [key]: value === 'false' ? false : value } } }]
        : [];
    });
    // A value may want another key beside it: then that one has the problem.
    const isRefused = ({ file, path }: (typeof given)[number]) =>
      configSchema
        .safeParse(file)
        .error?.issues.some((issue) => String(issue.path.slice(0, 2)) === String(path));
    const refused = given.filter(isRefused).map(({ code }) => code);
    expect(refused.filter((code) => !notYet().includes(`\`${code}\``))).toEqual([]);
  });

  test('gives the defaults that there are', () => {
    const given = [...text.matchAll(/`(\w+\.\w+)` \((\d+) s\)/g)];
    const wrong = given.filter(([, key = '', seconds]) => keyOf(key.split('.'))?.default !== `${seconds}s`);
    expect(wrong.map(([told]) => told)).toEqual([]);
  });

  test('has commands that the program takes', () => {
    const lines = [
      ...text.matchAll(/^ {4}(?:\w+=\S+ )?(?:npx pgcascade|npm start --|node dist\/cli\.js) ?(.*)$/gm),
    ];
    const refused = lines.filter(([, words = '']) => {
      const given = [...words.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
      return parseArguments(given).command === 'refuse';
    });
    expect(refused.map(([line]) => line)).toEqual([]);
  });
});

test.each([
  ['docs/operations.md', 'read some 64 KiB ahead', 'READ_AHEAD'],
  ['docs/operations.md', 'after the\n  first 256 KiB of each', 'UNCOUNTED'],
  ['docs/operations.md', 'A statement of more than 4 KiB', 'LONGEST_HERE'],
  ['docs/operations.md', 'those above a megabyte apart', 'VERY_LONG'],
  ['docs/differences.md', 'Up to 1 MiB of what a `RETURNING` gives', 'MOST_HELD'],
])('%s: "%s" is what src says', (document, phrase, constant) => {
  expect(read(document)).toContain(phrase);
  const [, amount = '1', unit = ''] = /(\d+)? ?(KiB|MiB|megabyte)/.exec(phrase) ?? [];
  expect(constantOf(constant)).toBe(Number(amount) * (unit === 'KiB' ? 1024 : 1024 * 1024));
});

/** Whether a path is that of a file, from the top, from src, or by its last folders: `sql/names.ts`, `all/*.golden`. */
function isThere(path: string): boolean {
  if (!path.includes('*')) return all.some((file) => file === path || file.endsWith(`/${path}`));
  const [before = '', after = ''] = path.split('*');
  return all.some((file) => file.startsWith(before) && file.endsWith(after));
}

function keyOf(path: readonly string[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((node, key) => {
    const found = node?.properties?.[key.replace('[]', '')];
    return key.endsWith('[]') ? found?.items : found;
  }, configJsonSchema());
}

/** What is documented as not supported. */
function notYet(): string {
  return read('docs/differences.md').split('## Not yet')[1] ?? '';
}

/** The value of a constant of src: a product of numbers. */
function constantOf(name: string): number | undefined {
  const declared = new RegExp(`^const ${name} = ([\\d_* ]+);$`, 'm');
  const [factors] = files('src').flatMap((path) => declared.exec(read(path))?.[1] ?? []);
  return factors?.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1);
}
