/** The graph that the proxy acts on: the catalog's keys, and over them what the configuration says. Pure. */
import type { Catalog, CatalogKey, CatalogRelation, KeyColumn } from './catalog.js';
import { type Action, type ForeignKey, Graph, type Performer, type Relation } from './model.js';

/** Changes the action of keys in the catalog: `schema.table.constraint`, the table being the referencing one; globs. */
export interface Override {
  readonly match: string;
  readonly on_delete: Action;
}

export interface TableColumns {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** A key that the catalog does not have. */
export interface ConfiguredKey {
  readonly name: string;
  readonly from: TableColumns;
  readonly to: TableColumns;
  readonly on_delete: Action;
}

export interface Rules {
  /** Act on keys whose action is declared and not performed by the server. */
  readonly declared: boolean;
  readonly overrides: readonly Override[];
  readonly relations: readonly ConfiguredKey[];
}

const ACTIONS: Readonly<Record<string, Action>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** Behind every key of the catalog, in the order of the configuration. */
const CONFIGURED_IDS = 2 ** 32;

/** @param report is told of every configured relation that this database does not have */
export function mergeGraph(catalog: Catalog, rules: Rules, report: (problem: string) => void): Graph {
  const relations = new Map(
    catalog.relations.map((relation) => [relation.oid, { ...relation, keeps: keepsRows(catalog, relation) }]),
  );
  const declared = catalog.keys.flatMap((key) => {
    const from = relations.get(key.from);
    const to = relations.get(key.to);
    return from && to ? [declaredKey(key, from, to, rules)] : [];
  });
  const left: string[] = [];
  const configured = rules.relations.flatMap((key, i) => {
    const from = find(relations, key.from);
    // A DELETE from a view is one from its table.
    const found = find(relations, key.to);
    const to = found?.kind === 'v' || found?.kind === 'm' ? undefined : found;
    const missing = [
      ...(from ? missingColumns(from, key.from.columns) : [`table ${key.from.schema}.${key.from.table}`]),
      ...(to ? missingColumns(to, key.to.columns) : [`table ${key.to.schema}.${key.to.table}`]),
    ];
    if (!from || !to || missing.length > 0) {
      report(`cascade.relations: ${key.name} is left out: there is no ${missing.join(', no ')}`);
      left.push(key.name);
      return [];
    }
    return [configuredKey(key, CONFIGURED_IDS + i, from, to)];
  });
  return new Graph(relations, [...declared, ...configured], left);
}

/** A partition may have triggers of its own, which fire whatever table the statement names. */
function keepsRows(catalog: Catalog, relation: CatalogRelation): boolean {
  const partitions = () =>
    catalog.relations.filter(({ partition, parents }) => partition && parents.includes(relation.oid));
  return relation.keeps || (relation.kind === 'p' && partitions().some((each) => keepsRows(catalog, each)));
}

function declaredKey(key: CatalogKey, from: Relation, to: Relation, rules: Rules): ForeignKey {
  const name = `${from.schema}.${from.name}.${key.name}`;
  const override = rules.overrides.find(({ match }) => glob(match).test(name));
  const setColumns = key.setColumns ?? key.columns.map((column) => column.from);
  const action = withoutDefaults(override?.on_delete ?? ACTIONS[key.action] ?? 'no action', from, setColumns);
  const performer: Performer =
    override || (!key.enforced && rules.declared) ? 'proxy' : key.enforced ? 'server' : 'nobody';
  return {
    declared: true,
    id: key.id,
    name: key.name,
    from,
    to,
    columns: key.columns,
    action,
    performer,
    guarded: performer === 'proxy' && key.enforced && action !== 'restrict' && action !== 'no action',
    enforced: key.enforced,
    deferred: key.deferred,
    setColumns,
    full: key.full,
    period: key.period,
    copies: key.copies ?? [],
  };
}

/** SET DEFAULT of columns that have no default sets nulls. */
function withoutDefaults(action: Action, from: Relation, columns: readonly string[]): Action {
  const isNull = (column: string) =>
    from.columns.some(({ name, constant }) => name === column && constant === 'NULL');
  return action === 'set default' && columns.every(isNull) ? 'set null' : action;
}

function configuredKey(key: ConfiguredKey, id: number, from: Relation, to: Relation): ForeignKey {
  const columns = key.from.columns.map(
    (column, i): KeyColumn => ({
      from: column,
      to: key.to.columns[i] ?? '',
      operator: null,
      commutator: null,
      left: null,
      right: null,
      collation: null,
    }),
  );
  return {
    declared: false,
    id,
    name: key.name,
    from,
    to,
    columns,
    action: withoutDefaults(key.on_delete, from, key.from.columns),
    performer: 'proxy',
    guarded: false,
    enforced: false,
    deferred: false,
    setColumns: key.from.columns,
    full: false,
    period: false,
    copies: [],
  };
}

function find(relations: ReadonlyMap<number, Relation>, wanted: TableColumns): Relation | undefined {
  for (const relation of relations.values())
    if (relation.schema === wanted.schema && relation.name === wanted.table) return relation;
  return undefined;
}

function missingColumns(relation: Relation, columns: readonly string[]): readonly string[] {
  return columns
    .filter((column) => !relation.columns.some(({ name }) => name === column))
    .map((column) => `column ${column} in table ${relation.schema}.${relation.name}`);
}

/** `*` is any run of characters, `?` one: of the whole name, dots included. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
