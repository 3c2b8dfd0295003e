/**
 * The graph of a database whose catalog cannot be asked what PostgreSQL's can: what it tells of its keys, if it does, and what the
 * configuration says of them. Nothing is known of its tables but their names and the columns of keys. Pure.
 */
import type { RelationName } from '../sql/names.js';
import type { GraphCache, KnownGraph } from './cache.js';
import type { ConfiguredKey, KeySettings, Override, TableColumns } from './catalog/key-settings.js';
import { columnsOf } from './configured.js';
import type { Graph } from './graph.js';
import { mergeGraph } from './merge.js';
import type { Relation } from './model.js';
import { overriddenName } from './overrides.js';
import type { Told, ToldKey } from './told/told.js';
import { catalogByNames } from './told/told-catalog.js';

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
  const made = mergeGraph(catalogByNames(keySettings.relations), keySettings).then((graph) =>
    graphs.ownGraph(graph),
  );
  known.set(keySettings, made);
  return made;
}

/**
 * The graph of the keys that a server has told, and of the relations of the configuration. A relation with the columns of a key
 * that was told says what is done for that key: the two are one, under the name of the relation.
 * @param ignoresCase the server compares names without case
 */
export function graphOfTold(told: Told, keySettings: KeySettings, ignoresCase: boolean): Promise<Graph> {
  const { relations, overrides } = keySettings;
  const spelled = ignoresCase ? asSpelled(told, relations) : told;
  const said = new Map(
    relations
      .filter(({ file }) => file === undefined)
      .map((relation) => [columnsOf(relation.from, relation.to), relation]),
  );
  const decided = new Set<ConfiguredKey>();
  const own: Override[] = [];
  const keys = spelled.keys.map((key): ToldKey => {
    const relation = said.get(columnsOf(key.from, key.to));
    if (relation === undefined) return key;
    const { name, on_delete } = relation;
    decided.add(relation);
    const referencing = { schema: key.from.schema, name: key.from.table } as Relation;
    own.push({ match: overriddenName({ referencing, name }), on_delete });
    return { ...key, name };
  });
  const left = relations.filter((relation) => !decided.has(relation));
  const settings = { ...keySettings, relations: left, overrides: [...own, ...overrides] };
  return mergeGraph(catalogByNames(left, { ...spelled, keys }), settings);
}

/** The same tables as the configuration spells them. */
function asSpelled(told: Told, relations: readonly ConfiguredKey[]): Told {
  const id = ({ schema, table }: Omit<TableColumns, 'columns'>) =>
    JSON.stringify([inLower(schema), inLower(table)]);
  const tables = new Map(relations.flatMap(({ from, to }) => [from, to]).map((each) => [id(each), each]));
  const spelled = (each: TableColumns): TableColumns => {
    const { schema, table, columns = [] } = tables.get(id(each)) ?? each;
    const names = new Map(columns.map((column) => [inLower(column), column]));
    return {
      schema,
      table,
      columns: each.columns.map((column) => names.get(inLower(column)) ?? column),
    };
  };
  return {
    ...told,
    keys: told.keys.map((key) => ({ ...key, from: spelled(key.from), to: spelled(key.to) })),
    unique: told.unique.map(spelled),
  };
}

/**
 * The relation of the graph that a name means.
 * @param ignoresCase the server compares names without case
 * @returns undefined where it means none; `unclear` where the graph has several of that name, or one in another case, and rows are
 * cascaded to from one of them
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
  if (more.length === 0 && isExact) return only;
  return found.some((each) => cascadesFrom(graph, each)) ? 'unclear' : undefined;
}

/** Those that compare names without case do so with ASCII alone: the sign of Kelvin is no `k` to them. */
function inLower(name: string | undefined): string | undefined {
  return name?.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether rows are cascaded to from a table, or from one of which this is another name. */
export function cascadesFrom(graph: Graph, relation: Relation): boolean {
  return [relation, ...graph.viewed(relation)].some((each) => graph.acts(each));
}

/** Tables that something references. */
interface ConcerningTables {
  readonly overrides: KeySettings['overrides'];
  readonly relations: readonly { readonly to: Pick<TableColumns, 'table'> }[];
}

/** The tables of a graph with rows to cascade to, as tableInText wants them. */
export function cascadingTables(graph: Graph): ConcerningTables {
  const acting = [...graph.relations].filter((each) => cascadesFrom(graph, each));
  return { overrides: [], relations: acting.map(({ name }) => ({ to: { table: name } })) };
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
export function tableInText(text: string, { overrides, relations }: ConcerningTables): string | undefined {
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
