import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema, type JsonSchema, leafPaths } from '../../src/config/json-schema.js';
import { loadConfig } from '../../src/config/load.js';
import { workspace } from './workspace.js';

const checkedIn = (name: string) => fileURLToPath(new URL(`../../config/${name}`, import.meta.url));

test('the checked-in schema is that of the program; else: npm run schema', () => {
  expect(JSON.parse(readFileSync(checkedIn('pgcascade.schema.json'), 'utf8'))).toEqual(configJsonSchema());
});

test('every key is described', () => {
  const undescribed = (node: JsonSchema, path: string): readonly string[] =>
    Object.entries(node.properties ?? node.items?.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description ? [] : [`${path}${key}`]),
      ...undescribed(child, `${path}${key}.`),
    ]);
  expect(undescribed(configJsonSchema(), '')).toEqual([]);
});

test('the example has every key, at its default', () => {
  const cwd = workspace();
  const example = loadConfig({ flags: { config: checkedIn('pgcascade.yaml') }, env: {}, cwd });
  expect(example).toEqual(loadConfig({ flags: {}, env: {}, cwd }));

  const text: unknown = parse(readFileSync(checkedIn('pgcascade.yaml'), 'utf8'));
  const missing = leafPaths().filter((path) => valueAt(text, path) === undefined);
  expect(missing).toEqual([]);
});

function valueAt(node: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], node);
}
