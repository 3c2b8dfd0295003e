/** The relations of the configuration as keys of one database: those that can be followed, and those that are broken. Pure. */
import { quoteName } from '../sql/names.js';
import type { Catalog, CatalogConfiguredKey, KeyColumn } from './catalog/catalog.js';
import type { ConfiguredKey, KeySettings, Override, TableColumns } from './catalog/key-settings.js';
import { withoutDefaults } from './default-action.js';
import type { BrokenKey, ForeignKey, Relation } from './model.js';
import { overriddenName, overridesOf } from './overrides.js';
import type { GraphProblem } from './problems.js';

/** The ids of keys of the configuration begin here: they fire after every key of the catalog, in their order in the configuration. */
const CONFIGURED_IDS = 2 ** 32;

export interface ConfiguredKeys {
  readonly keys: readonly ForeignKey[];
  readonly broken: readonly BrokenKey[];
  /** Those that are broken, or whose referenced table is not there. */
  readonly problems: readonly GraphProblem[];
}

/**
 * A relation of the configuration is broken where PostgreSQL would not make such a foreign key (tablecmds.c,
 * ATAddForeignKeyConstraint): a DELETE from what it references is refused. Where the referenced table is not there, the
 * relation is left out.
 * @param declared the keys of the catalog
 */
export function configuredKeys(
  { configured }: Catalog,
  relations: ReadonlyMap<number, Relation>,
  { relations: wanted, overrides }: KeySettings,
  declared: readonly ForeignKey[],
): ConfiguredKeys {
  const keys: ForeignKey[] = [];
  const broken: BrokenKey[] = [];
  const problems: GraphProblem[] = [];
  const named = new Map([...relations.values()].map((each) => [`${each.schema}\0${each.name}`, each]));
  const find = ({ schema, table }: TableColumns) => named.get(`${schema}\0${table}`);
  const ofFiles = wanted.some(({ file }) => file !== undefined)
    ? byColumns(declared)
    : new Map<string, never>();
  wanted.forEach((each, number) => {
    const from = find(each.from);
    const to = find(each.to);
    if (to === undefined) {
      const text = `${placeOf(each)}: ${each.name} is left out: there is no ${missingTable(relations, each.to)}`;
      problems.push({ kind: 'missing relation', text });
      return;
    }
    const own = each.file === undefined ? undefined : ofFiles.get(columnsOf(each.from, each.to));
    if (own) {
      problems.push(...otherAction(each, own, overrides));
      return;
    }
    const followed = keyOrFault(each, number, from ?? missingTable(relations, each.from), to, configured);
    if (followed.kind === 'key') {
      keys.push(followed.key);
      return;
    }
    const { fault, remedy } = followed;
    const bases = to.viewOf.flatMap((oid) => relations.get(oid) ?? []);
    broken.push({ name: each.name, where: placeOf(each), referenced: [to, ...bases], fault, remedy });
    const refused = `every DELETE from ${tableName(each.to)} is refused`;
    problems.push({
      kind: 'broken relation',
      text: `${placeOf(each)}: ${each.name} is broken, and ${refused}: ${fault}`,
    });
  });
  return { keys, broken, problems };
}

/** The part of the configuration that has a relation. */
function placeOf({ file }: ConfiguredKey): string {
  return file === undefined ? 'cascade.relations' : `cascade.files: ${file}`;
}

/**
 * The keys of the catalog by the columns that they relate: where a schema file has the same, the catalog's is followed alone. One
 * that nobody performs stands in no file's way.
 */
function byColumns(declared: readonly ForeignKey[]): ReadonlyMap<string, ForeignKey> {
  const side = ({ schema, name }: Relation, columns: readonly string[]) => ({ schema, table: name, columns });
  return new Map(
    declared
      .filter(({ performer }) => performer !== 'nobody')
      .map((key) => {
        const from = side(
          key.referencing,
          key.columns.map((column) => column.referencing),
        );
        const to = side(
          key.referenced,
          key.columns.map((column) => column.referenced),
        );
        return [columnsOf(from, to), key];
      }),
  );
}

/** The same text for two keys that relate the same columns, in whatever order. */
export function columnsOf(from: TableColumns, to: TableColumns): string {
  const pairs = from.columns.map((column, i) => JSON.stringify([column, to.columns[i]])).sort();
  return JSON.stringify([from.schema, from.table, to.schema, to.table, pairs]);
}

/** The file says ON DELETE otherwise than the catalog, and nobody has decided for one of them. */
function otherAction(
  wanted: ConfiguredKey,
  key: ForeignKey,
  overrides: readonly Override[],
): readonly GraphProblem[] {
  const same = (action: string) => (action === 'restrict' ? 'no action' : action);
  if (same(wanted.on_delete) === same(key.action)) return [];
  const name = overriddenName(key);
  if (overridesOf(name, overrides).length > 0) return [];
  const text = `${placeOf(wanted)}: ${wanted.name} is ${wanted.on_delete} there, and ${key.action} in the catalog (${name}), which decides: cascade.overrides changes that`;
  return [{ kind: 'doubled relation', text }];
}

/** Why a relation cannot be followed, and what to do. */
interface Fault {
  readonly kind: 'broken';
  readonly fault: string;
  readonly remedy: string;
}

function keyOrFault(
  wanted: ConfiguredKey,
  number: number,
  from: Relation | string,
  to: Relation,
  configured: readonly CatalogConfiguredKey[],
): { readonly kind: 'key'; readonly key: ForeignKey } | Fault {
  const naming = 'name a table and columns that are there';
  if (typeof from === 'string') return broken(`there is no ${from}`, naming);
  const other = [from, to].find(({ kind }) => !TABLES.has(kind));
  if (other)
    return broken(`${other.schema}.${other.name} is not a table`, 'name the table that has the rows');
  const missing = [...missingColumns(from, wanted.from), ...missingColumns(to, wanted.to)];
  if (missing.length > 0) return broken(`there is no ${missing.join(', no ')}`, naming);
  const found = configured.find((each) => each.number === number);
  if (wanted.unique && found?.unique !== true)
    return broken(
      `no unique index covers exactly ${tableName(wanted.to)}(${wanted.to.columns.join(', ')})`,
      'make the columns unique, or say "unique: false" if several rows may have one key',
    );
  const columns = (found?.columns ?? []).flatMap((column): KeyColumn[] => {
    const { operator } = column;
    return operator === null ? [] : [{ ...column, operator }];
  });
  if (columns.length < wanted.from.columns.length)
    return broken(
      `PostgreSQL has no operator to compare ${incomparable(wanted, columns)}`,
      'relate columns of types that a foreign key can have',
    );
  return { kind: 'key', key: keyOf(wanted, number, from, to, columns) };
}

function broken(fault: string, remedy: string): Fault {
  return { kind: 'broken', fault, remedy };
}

function keyOf(
  wanted: ConfiguredKey,
  number: number,
  from: Relation,
  to: Relation,
  columns: readonly KeyColumn[],
): ForeignKey {
  return {
    declared: false,
    id: CONFIGURED_IDS + number,
    name: wanted.name,
    referencing: from,
    referenced: to,
    columns,
    action: withoutDefaults(wanted.on_delete, from, wanted.setColumns ?? wanted.from.columns),
    onUpdate: withoutDefaults(wanted.on_update ?? 'no action', from, wanted.from.columns),
    performer: 'proxy',
    enforcedByServer: false,
    enforced: false,
    deferred: wanted.deferred ?? false,
    setColumns: wanted.setColumns ?? wanted.from.columns,
    matchFull: wanted.matchFull ?? false,
    period: false,
    copies: [],
  };
}

/** pg_class.relkind: tables, partitioned and foreign ones. */
const TABLES: ReadonlySet<string> = new Set(['r', 'p', 'f']);

function missingColumns(relation: Relation, { columns }: TableColumns): readonly string[] {
  const names = relation.columns.map(({ name }) => name);
  return columns
    .filter((column) => !names.includes(column))
    .map((column) => {
      const near = names.find((name) => name.toLowerCase() === column.toLowerCase());
      return `column ${column} in table ${relation.schema}.${relation.name}${near === undefined ? '' : isMeant(near)}`;
    });
}

/** `table shop.Items (is shop.items meant?)`: what differs only in the case of its letters may be. */
function missingTable(relations: ReadonlyMap<number, Relation>, wanted: TableColumns): string {
  const near = [...relations.values()].find(
    ({ schema, name }) => `${schema}.${name}`.toLowerCase() === tableName(wanted).toLowerCase(),
  );
  const other = near === undefined ? '' : isMeant(near.schema, near.name);
  return `table ${tableName(wanted)}${other}`;
}

/** As the configuration has to spell it. */
function isMeant(...names: readonly string[]): string {
  const spelled = names.map((name) => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteName(name)));
  return ` (is ${spelled.join('.')} meant?)`;
}

/** `shop.tags.region with shop.orders.id`: the first pair without an operator. */
function incomparable({ from, to }: ConfiguredKey, columns: readonly KeyColumn[]): string {
  const at = from.columns.findIndex(
    (column, i) => !columns.some((each) => each.referencing === column && each.referenced === to.columns[i]),
  );
  return `${tableName(from)}.${from.columns[at]} with ${tableName(to)}.${to.columns[at]}`;
}

function tableName({ schema, table }: TableColumns): string {
  return `${schema}.${table}`;
}
