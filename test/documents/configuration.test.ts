/** The document about the configuration has every key, and examples that the program takes. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { OPTIONS } from '../../src/cli/arguments.js';
import { HELP } from '../../src/cli/help.js';
import { variableOf } from '../../src/config/environment.js';
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.js';
import { configSchema } from '../../src/config/schema.js';
import { guaranteeOf } from '../../src/doctor/guarantees.js';
import { blocks, documents, expectSection } from './documents.js';

test('docs/configuration.md has every key, its variable and its default', () => {
  const rows = keysOf(configJsonSchema(), []).map(({ path, node, inList }) => {
    const key = `\`${path.join('.').replaceAll('.[]', '[]')}\``;
    const variable = inList ? '' : `<br>\`${variableOf(path)}\``;
    return `| ${key}${variable} | ${defaultOf(node)} | ${meaningOf(node)} |`;
  });
  expectSection(
    'docs/configuration.md',
    'keys',
    ['| key, variable | default | meaning |', '|---|---|---|', ...rows].join('\n'),
  );
});

test('docs/configuration.md says what holds with each guard and locks, as doctor does', () => {
  const rows = (['off', 'lock', 'check'] as const).flatMap((guard) =>
    (['none', 'rows', 'tables'] as const).map((lock) => {
      const { unknownKey, throughProxy, pastProxy } = guaranteeOf(guard, lock);
      return `| \`${guard}\` | \`${lock}\` | ${unknownKey} | ${throughProxy} | ${pastProxy} |`;
    }),
  );
  const head =
    '| `guard` | `locks` | a key that names nothing, written through pgcascade | a child written through pgcascade | a child written past it |';
  expectSection('docs/configuration.md', 'guarantees', [head, '|---|---|---|---|---|', ...rows].join('\n'));
});

test('--help has every flag, and no other', () => {
  const told = [...HELP.matchAll(/^ {2}.*?--([a-z-]+)/gm)].map(([, name]) => name);
  expect(told).toEqual(Object.keys(OPTIONS));
});

describe('an example of a configuration', () => {
  const examples = documents.flatMap((document) =>
    blocks(document)
      .filter(({ language, code }) => language === 'yaml' && code.startsWith('# pgcascade.yaml\n'))
      .map(({ code }) => ({ document, code })),
  );

  test('is in these documents', () => {
    expect(new Set(examples.map(({ document }) => document))).toEqual(
      new Set(['README.md', 'docs/configuration.md', 'docs/orms.md']),
    );
  });

  test.each(examples)('of $document is taken', ({ code }) => {
    expect(configSchema.safeParse(parse(code)).error).toBeUndefined();
  });
});

interface Key {
  readonly path: readonly string[];
  readonly node: JsonSchema;
  /** A key of the objects in a list: no variable has it for itself. */
  readonly inList: boolean;
}

/** The keys that hold a value, and those of the objects in lists: `cascade.relations[].name`. */
function keysOf(node: JsonSchema, path: readonly string[], inList = false): readonly Key[] {
  if (node.properties)
    return Object.entries(node.properties).flatMap(([key, child]) => keysOf(child, [...path, key], inList));
  return [
    { path, node, inList },
    ...(node.items?.properties ? keysOf(node.items, [...path, '[]'], true) : []),
  ];
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function meaningOf({ description = '', enum: values }: JsonSchema): string {
  const one = Array.isArray(values) && values.length > 1 ? values : [];
  // SET NULL is also set_null: the document has each word once.
  const words = one.map(String).filter((word) => !word.includes('_'));
  const text = description.replace(/\b\w+:\/\/\S+[^\s,.;]/g, (url) => `\`${url}\``);
  return [...(words.length > 0 ? [`${words.map((word) => `\`${word}\``).join(', ')}.`] : []), text].join(' ');
}
