/** The keys of schema files as relations of the configuration: cascade.files. */
import type { ConfiguredKey } from '../graph/catalog/key-settings.js';
import { columnsOf } from '../graph/configured.js';
import type { Dialect } from '../sql/dialects/dialect.js';
import { readSchemaFile } from './schema-file.js';
import type { FileTable, TableKey } from './tables.js';

/** An entry of cascade.files. */
export interface ConfiguredFile {
  /** Absolute. */
  readonly path: string;
  readonly dialect: Dialect;
  /** Of the tables that the file names without a schema. */
  readonly schema: string;
}

/**
 * The relations of the configuration, and after them the keys of its schema files. Of several that relate the same columns the first
 * counts, so that a relation of the configuration decides. A key with a PERIOD is left to the catalog.
 * @throws SchemaFileError, which has a line for each problem
 */
export async function relationsWithFiles(
  relations: readonly ConfiguredKey[],
  files: readonly ConfiguredFile[],
): Promise<readonly ConfiguredKey[]> {
  const all = [...relations];
  const known = new Set(relations.map(({ from, to }) => columnsOf(from, to)));
  for (const [index, file] of files.entries()) {
    const label = `cascade.files[${index}]: ${file.path}`;
    for (const table of await readSchemaFile({ ...file, label }))
      for (const key of table.keys) {
        const relation = relationOf(key, table, file.path);
        const columns = columnsOf(relation.from, relation.to);
        if (key.period || known.has(columns)) continue;
        known.add(columns);
        all.push(relation);
      }
  }
  return all;
}

function relationOf(key: TableKey, from: FileTable, path: string): ConfiguredKey {
  const { name, columns, table, referencedColumns, action, matchFull, deferred, setColumns, line } = key;
  return {
    name,
    from: { schema: from.schema, table: from.name, columns },
    to: { schema: table.schema, table: table.name, columns: referencedColumns },
    on_delete: action,
    unique: true,
    file: `${path}:${line}`,
    matchFull,
    deferred,
    ...(setColumns === undefined ? {} : { setColumns }),
  };
}
