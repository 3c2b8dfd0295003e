/** The graph of the tables of a schema file: all its keys are followed, whatever the database does with them. */
import type { Catalog, CatalogKey, CatalogRelation } from '../graph/catalog/catalog.js';
import { ACTION_LETTERS } from '../graph/catalog/key-settings.js';
import type { Graph } from '../graph/graph.js';
import { mergeGraph } from '../graph/merge.js';
import type { Relation } from '../graph/model.js';
import { type Dialect, LEXIS } from '../sql/dialects/dialect.js';
import type { FileName } from './definition.js';
import { defaultSchema } from './schema-text.js';
import type { FileTable, TableKey } from './tables.js';

export interface FileGraph {
  readonly graph: Graph;
  /** The relation that a statement means by a name; undefined where the file has none. */
  relation(name: FileName): Relation | undefined;
  /** The columns that tell the rows of a relation apart, in this dialect; none where nothing does. */
  identity(relation: Relation): readonly string[];
}

/** @param tables of a file without problems */
export async function fileGraph(tables: readonly FileTable[], dialect: Dialect): Promise<FileGraph> {
  const ids = new Map(tables.map((table, i) => [table, i + 1]));
  const id = (table: FileTable) => ids.get(table) ?? 0;
  const relations = tables.map((table) => relationOf(table, id));
  const keys = tables.flatMap((table) => table.keys.map((key) => ({ table, key })));
  const catalog: Catalog = {
    relations,
    keys: keys.map(({ table, key }, i) => keyOf(key, i + 1, table, id, dialect)),
    configured: [],
  };
  const graph = await mergeGraph(catalog, { declared: true, overrides: [], relations: [] });
  const same = LEXIS[dialect].ignoresCase ? (name: string) => name.toLowerCase() : (name: string) => name;
  const named = new Map(
    tables.map((table) => [`${same(table.schema)}\0${same(table.name)}`, graph.relation(id(table))]),
  );
  const identities = new Map(tables.map((table) => [id(table), identityOf(table, dialect)]));
  const inSchema = (schema: string, name: string) => named.get(`${same(schema)}\0${same(name)}`);
  return {
    graph,
    relation({ schema, name }) {
      const found = inSchema(schema ?? defaultSchema(dialect), name);
      if (found || schema !== undefined) return found;
      // Whatever the search_path is: where one table alone has the name, it is meant.
      const [only, ...others] = tables.filter((table) => same(table.name) === same(name));
      return only && others.length === 0 ? graph.relation(id(only)) : undefined;
    },
    identity: ({ oid }) => identities.get(oid) ?? [],
  };
}

/**
 * A row's address where there is one, as SQLite's primary keys may be NULL (sqlite.org/lang_createtable.html); PostgreSQL's ctid only
 * where there is no primary key, as it is another one for each version of a row.
 */
function identityOf({ columns, primaryKey, withoutRowid }: FileTable, dialect: Dialect): readonly string[] {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  switch (dialect) {
    case 'sqlite': {
      const [only, ...more] = primaryKey;
      if (withoutRowid) return primaryKey;
      if (more.length === 0 && columns.some(({ name, isInteger }) => name === only && isInteger))
        return primaryKey;
      const rowid = ['rowid', '_rowid_', 'oid'].find((name) => !taken.has(name));
      return rowid === undefined ? primaryKey : [rowid];
    }
    case 'postgresql':
    case 'greenplum':
      return primaryKey.length > 0 ? primaryKey : ['ctid'];
    case 'mysql':
    case 'mariadb':
    case 'redshift':
      return primaryKey;
    default:
      return dialect satisfies never;
  }
}

function relationOf(table: FileTable, id: (table: FileTable) => number): CatalogRelation {
  return {
    oid: id(table),
    schema: table.schema,
    name: table.name,
    kind: 'r',
    rewriteRules: false,
    mayKeepRows: false,
    redirectsWrites: false,
    triggers: [],
    partition: table.isPartition,
    parents: table.parents.map(id),
    definition: null,
    viewOf: [],
    reads: [],
    columns: table.columns.map(({ name, notNull, constant }) => ({
      name,
      notNull,
      scalar: true,
      constant,
      generated: false,
    })),
    primaryKey: table.primaryKey,
    indexed: [],
  };
}

function keyOf(
  key: TableKey,
  id: number,
  table: FileTable,
  oid: (table: FileTable) => number,
  dialect: Dialect,
): CatalogKey {
  return {
    id,
    name: key.name,
    referencing: oid(table),
    referenced: oid(key.table),
    action: ACTION_LETTERS[key.action],
    updateAction: ACTION_LETTERS['no action'],
    enforced: false,
    deferred: key.deferred,
    matchFull: key.matchFull && dialect === 'postgresql',
    period: key.period,
    columns: key.columns.map((referencing, i) => {
      const referenced = key.referencedColumns[i] ?? '';
      const collation = collationOf(table, referencing, key.table, referenced, dialect);
      const types = { type: '', ownType: '' };
      const compared = { ...types, operator: '=', commutator: '=', left: null, right: null, collation };
      return { referencing, referenced, ...compared };
    }),
    setColumns: key.setColumns ?? null,
    copies: null,
  };
}

/** SQLite compares by the collation of the referenced column (sqlite.org/foreignkeys.html, section 3). */
function collationOf(
  from: FileTable,
  referencing: string,
  to: FileTable,
  referenced: string,
  dialect: Dialect,
): string | null {
  if (dialect !== 'sqlite') return null;
  const of = (table: FileTable, wanted: string) =>
    (table.columns.find(({ name }) => name === wanted)?.collation ?? 'BINARY').toUpperCase();
  return of(from, referencing) === of(to, referenced) ? null : of(to, referenced);
}
