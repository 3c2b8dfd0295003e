/** What a server has told of its keys, and the relations of the configuration, as a catalog: what a graph is made of. Pure. */
import type { Catalog, CatalogKey, CatalogRelation } from '../catalog/catalog.js';
import { ACTION_LETTERS, type ConfiguredKey, type TableColumns } from '../catalog/key-settings.js';
import { NOTHING_TOLD, type Told, type ToldKey, type ToldSynonym } from './told.js';

/** A table, and what tells its rows apart. */
interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: Set<string>;
  identity: readonly string[];
}

/** Its tables have numbers of the proxy's own as object ids, and no columns but those of keys. */
export function catalogByNames(relations: readonly ConfiguredKey[], told: Told = NOTHING_TOLD): Catalog {
  const tables = new Map<string, Table>();
  const note = ({ schema, table, columns }: TableColumns) => {
    const id = idOf(schema, table);
    const known = tables.get(id) ?? { oid: tables.size + 1, schema, table, columns: new Set(), identity: [] };
    for (const column of columns) known.columns.add(column);
    tables.set(id, known);
    return known;
  };
  const keys = told.keys.map((key, i) => keyOf(key, i + 1, note(key.from).oid, note(key.to).oid));
  for (const { from, to, unique } of relations) {
    note(from);
    const referenced = note(to);
    // What is referenced is unique.
    if (unique && referenced.identity.length === 0) referenced.identity = to.columns;
  }
  for (const each of told.unique.toReversed())
    if (tables.has(idOf(each.schema, each.table))) note(each).identity = each.columns;
  const synonyms = told.synonyms.flatMap(({ of, ...name }, i) => {
    const shown = tables.get(idOf(of.schema, of.table));
    return shown ? [synonymOf(name, tables.size + i + 1, shown)] : [];
  });
  return {
    relations: [...[...tables.values()].map(relationOf), ...synonyms],
    keys,
    configured: relations.map(({ from, to }, number) => ({
      number,
      unique: true,
      columns: from.columns.flatMap((referencing, i) => columnPair(referencing, to.columns[i])),
    })),
  };
}

function keyOf(key: ToldKey, id: number, referencing: number, referenced: number): CatalogKey {
  return {
    id,
    name: key.name,
    referencing,
    referenced,
    action: ACTION_LETTERS[key.action],
    updateAction: ACTION_LETTERS[key.updateAction],
    enforced: key.enforced,
    deferred: false,
    matchFull: false,
    period: false,
    columns: key.from.columns.flatMap((column, i) => columnPair(column, key.to.columns[i])),
    setColumns: null,
    copies: null,
  };
}

/** Of a table of which nothing tells rows apart the referenced rows cannot be told either. */
function relationOf({ oid, schema, table, columns, identity }: Table): CatalogRelation {
  return {
    oid,
    schema,
    name: table,
    kind: 'r',
    rewriteRules: false,
    redirectsWrites: false,
    mayKeepRows: false,
    triggers: [],
    partition: false,
    parents: [],
    definition: null,
    viewOf: [],
    reads: [],
    columns: [...columns].map((name) => ({
      name,
      notNull: false,
      scalar: true,
      constant: null,
      generated: false,
    })),
    primaryKey: identity,
    indexed: [],
  };
}

/** As a view of which nobody knows what it shows: what is deleted from it is refused, where rows would have to be cascaded to. */
function synonymOf(
  { schema, name }: Pick<ToldSynonym, 'schema' | 'name'>,
  oid: number,
  table: Table,
): CatalogRelation {
  const shown = { ...relationOf(table), oid, schema, name, columns: [], primaryKey: [] };
  return { ...shown, kind: 'v', viewOf: [table.oid] };
}

function columnPair(referencing: string, referenced: string | undefined): CatalogKey['columns'] {
  if (referenced === undefined) return [];
  const unknown = { type: '', ownType: '', commutator: null, left: null, right: null, collation: null };
  return [{ referencing, referenced, operator: '=', ...unknown }];
}

function idOf(schema: string, table: string): string {
  return JSON.stringify([schema, table]);
}
