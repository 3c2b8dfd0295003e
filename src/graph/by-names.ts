/**
 * The graph of a database whose catalog cannot be asked what PostgreSQL's can: what the configuration says of its keys, and the names in
 * that. Nothing is known of its tables but the columns of keys. Pure.
 */
import type { RelationName } from '../sql/names.js';
import type { GraphCache, KnownGraph } from './cache.js';
import type { Catalog, CatalogRelation } from './catalog/catalog.js';
import type { ConfiguredKey, KeySettings, TableColumns } from './catalog/key-settings.js';
import type { Graph } from './graph.js';
import { mergeGraph } from './merge.js';
import type { Relation } from './model.js';

const known = new WeakMap<KeySettings, Promise<KnownGraph>>();

/**
 * The graph of the relations of the configuration alone. Its tables have numbers of the proxy's own as object ids.
 * @param graphs gives it its id
 * @returns the same for the same settings
 */
export function graphByNames(
  keySettings: KeySettings,
  graphs: Pick<GraphCache, 'ownGraph'>,
): Promise<KnownGraph> {
  const before = known.get(keySettings);
  if (before) return before;
  const made = mergeGraph(catalogOf(keySettings.relations), keySettings).then((graph) =>
    graphs.ownGraph(graph),
  );
  known.set(keySettings, made);
  return made;
}

/**
 * The relation of the graph that a name means.
 * @param ignoresCase the server compares names without case
 * @returns undefined where it means none; `unclear` where the configuration has several of that name, or one in another case
 */
export function relationNamed(
  graph: Graph,
  { schema, name }: RelationName,
  ignoresCase: boolean,
): Relation | 'unclear' | undefined {
  const found = [...graph.relations].filter((each) =>
    mayMean({ schema, name }, { schema: each.schema, table: each.name }),
  );
  const [only, ...more] = found;
  if (only === undefined) return undefined;
  const same = (a: string, b: string | undefined) => a === b || (ignoresCase && inLower(a) === inLower(b));
  const isExact = same(name, only.name) && (schema === undefined || same(schema, only.schema));
  return more.length > 0 || !isExact ? 'unclear' : only;
}

/** Those that compare names without case do so with ASCII alone: the sign of Kelvin is no `k` to them. */
function inLower(name: string | undefined): string | undefined {
  return name?.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * The first of some names that may be that of a table with rows to cascade to: without case, as not every server folds names as
 * PostgreSQL does, and in any schema where it has none.
 */
export function nameConcerned(
  names: readonly RelationName[],
  { overrides, relations }: KeySettings,
): RelationName | undefined {
  // Which table a key references that has an override, only the catalog could tell.
  return names.find((name) => overrides.length > 0 || relations.some(({ to }) => mayMean(name, to)));
}

/**
 * The table with rows to cascade to that a text may concern whose statements are not understood: not even what a literal is can be told,
 * so names count wherever they stand, whatever their quotes.
 * @returns undefined where none is in it; `a table` where that cannot be told
 */
export function tableInText(text: string, { overrides, relations }: KeySettings): string | undefined {
  const bare = (name: string) => name.toLowerCase().replace(/["`]/g, '');
  const words = bare(text);
  const named = relations.find(({ to }) => words.includes(bare(to.table)));
  // What an escape spells may be any name, and which table a key references that has an override, only a catalog could tell.
  const isUnclear = overrides.length > 0 || (relations.length > 0 && /u&"/i.test(text));
  return named?.to.table ?? (isUnclear ? 'a table' : undefined);
}

function mayMean(
  { schema, name }: RelationName,
  table: { readonly schema: string | undefined; readonly table: string },
): boolean {
  const same = (a: string, b = '') => a.toLowerCase() === b.toLowerCase();
  return same(name, table.table) && (schema === undefined || same(schema, table.schema));
}

function catalogOf(keys: readonly ConfiguredKey[]): Catalog {
  const tables = new Map<string, TableColumns>();
  for (const side of keys.flatMap(({ from, to }) => [from, to])) {
    const known = tables.get(idOf(side));
    const columns = [...new Set([...(known?.columns ?? []), ...side.columns])];
    tables.set(idOf(side), { ...side, columns });
  }
  return {
    relations: [...tables.values()].map((table, i) => relationOf(table, i + 1, keys)),
    keys: [],
    configured: keys.map(({ from, to }, number) => ({
      number,
      unique: true,
      columns: from.columns.flatMap((referencing, i) => columnPair(referencing, to.columns[i])),
    })),
  };
}

/** What tells its rows apart is what a key references that is unique. */
function relationOf(table: TableColumns, oid: number, keys: readonly ConfiguredKey[]): CatalogRelation {
  const unique = keys.find((key) => key.unique && idOf(key.to) === idOf(table));
  return {
    oid,
    schema: table.schema,
    name: table.table,
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
    columns: table.columns.map((name) => ({ name, notNull: false, scalar: true, constant: null })),
    primaryKey: unique?.to.columns ?? [],
    indexed: [],
  };
}

function columnPair(
  referencing: string,
  referenced: string | undefined,
): Catalog['configured'][number]['columns'] {
  if (referenced === undefined) return [];
  const unknown = { type: '', ownType: '', commutator: null, left: null, right: null, collation: null };
  return [{ referencing, referenced, operator: '=', ...unknown }];
}

function idOf({ schema, table }: TableColumns): string {
  return JSON.stringify([schema, table]);
}
