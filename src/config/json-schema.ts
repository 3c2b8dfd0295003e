import { z } from 'zod';
import { configSchema } from './schema.js';

/** The part of JSON Schema that is used here. */
export interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}

/** Gives the JSON Schema of a configuration file. `npm run schema` writes it to config/pgcascade.schema.json. */
export function configJsonSchema(): JsonSchema {
  return { title: 'pgcascade configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) } as JsonSchema;
}

/** Gives the keys that may stand at `path` of a file, none where there are no fixed keys. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let node: JsonSchema | undefined = configJsonSchema();
  for (const step of path) node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)];
  return Object.keys(node?.properties ?? {});
}

/** Gives the path of every key that holds a value and not further keys: `['graph', 'refresh']`. */
export function leafPaths(): readonly (readonly string[])[] {
  const walk = (node: JsonSchema, path: readonly string[]): readonly (readonly string[])[] =>
    node.properties
      ? Object.entries(node.properties).flatMap(([key, child]) => walk(child, [...path, key]))
      : [path];
  return walk(configJsonSchema(), []);
}
