/** Reads schema texts for tests. */
import { inSlices } from '../../src/pace.js';
import { readSchemaText, type SchemaText } from '../../src/schema-files/schema-text.js';
import type { Dialect } from '../../src/sql/dialects/dialect.js';

export function read(text: string, dialect: Dialect, schema?: string): Promise<SchemaText> {
  return inSlices(readSchemaText(text, dialect, schema));
}

/** `users(org_id) -> orgs(id) cascade [name, line 2]`, one for each key, in the order of the file. */
export async function keysIn(text: string, dialect: Dialect): Promise<readonly string[]> {
  const { tables, problems } = await read(text, dialect);
  if (problems.length > 0) return problems.map(({ line, text: what }) => `${line}: ${what}`);
  return tables
    .flatMap((from) => from.keys.map((key) => ({ from, key })))
    .sort((a, b) => a.key.line - b.key.line)
    .map(({ from, key }) => {
      const action = key.setColumns ? `${key.action} (${key.setColumns.join(', ')})` : key.action;
      return `${from.name}(${key.columns.join(', ')}) -> ${key.table.name}(${key.referencedColumns.join(', ')}) ${action} [${key.name}, line ${key.line}]`;
    });
}
