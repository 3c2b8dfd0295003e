/** The document about a reload has every key, and says of each what the program does with it. */
import { test } from 'vitest';
import { leafPaths } from '../../src/config/json-schema.js';
import { configSchema } from '../../src/config/schema.js';
import { merged } from '../../src/reload/merged.js';
import { expectSection } from './documents.js';

const PROGRAM = configSchema.parse({});

test('docs/operations.md has every key, and whether a reload changes it', () => {
  const rows = leafPaths().map((path) => {
    const { config } = merged(PROGRAM, withMark(PROGRAM, path));
    return `| \`${path.join('.')}\` | ${valueAt(config, path) === MARK ? 'changes it' : 'leaves it: restart'} |`;
  });
  expectSection('docs/operations.md', 'reload', ['| key | a reload |', '|---|---|', ...rows].join('\n'));
});

const MARK = 'another value';

/** The configuration with another value of one key. */
function withMark(config: typeof PROGRAM, path: readonly string[]): typeof PROGRAM {
  const copy = structuredClone(config);
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string, unknown>;
  parent[path.at(-1) ?? ''] = MARK;
  return copy;
}

function valueAt(config: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], config);
}
