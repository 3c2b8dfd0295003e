/** The relations of the configuration as keys of one database: those that can be followed, and those that are broken. Pure. */
import { quoteName } from '../sql/names.js';
import type { Catalog, CatalogConfiguredKey, KeyColumn } from './catalog/catalog.js';
import type { ConfiguredKey, TableColumns } from './catalog/key-settings.js';
import { withoutDefaults } from './default-action.js';
import type { BrokenKey, ForeignKey, Relation } from './model.js';
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
 */
export function configuredKeys(
  { configured }: Catalog,
  relations: ReadonlyMap<number, Relation>,
  wanted: readonly ConfiguredKey[],
): ConfiguredKeys {
  const keys: ForeignKey[] = [];
  const broken: BrokenKey[] = [];
  const problems: GraphProblem[] = [];
  const named = new Map([...relations.values()].map((each) => [`${each.schema}\0${each.name}`, each]));
  const find = ({ schema, table }: TableColumns) => named.get(`${schema}\0${table}`);
  wanted.forEach((each, number) => {
    const from = find(each.from);
    const to = find(each.to);
    if (to === undefined) {
      const text = `cascade.relations: ${each.name} is left out: there is no ${missingTable(relations, each.to)}`;
      problems.push({ kind: 'missing relation', text });
      return;
    }
    const followed = keyOrFault(each, number, from ?? missingTable(relations, each.from), to, configured);
    if (followed.kind === 'key') {
      keys.push(followed.key);
      return;
    }
    const { fault, remedy } = followed;
    const bases = to.viewOf.flatMap((oid) => relations.get(oid) ?? []);
    broken.push({ name: each.name, referenced: [to, ...bases], fault, remedy });
    const refused = `every DELETE from ${tableName(each.to)} is refused`;
    problems.push({
      kind: 'broken relation',
      text: `cascade.relations: ${each.name} is broken, and ${refused}: ${fault}`,
    });
  });
  return { keys, broken, problems };
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
    action: withoutDefaults(wanted.on_delete, from, wanted.from.columns),
    onUpdate: 'no action',
    performer: 'proxy',
    enforcedByServer: false,
    enforced: false,
    deferred: false,
    setColumns: wanted.from.columns,
    matchFull: false,
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
