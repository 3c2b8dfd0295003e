/** From what was generated to foreign keys, and to rows that satisfy them. */
import { nameOf } from './names.js';
import {
  type Column,
  type Key,
  type Relation,
  type Row,
  type Schema,
  type Table,
  type Target,
  targetColumns,
  tree,
} from './schema.js';
import type { KeySpec, RowSpec, SchemaSpec } from './schema-spec.js';
import { makeTables } from './tables.js';
import { literal, referencingType } from './values.js';

interface MadeKey extends Key {
  /** The columns that belong to this key alone. */
  readonly made: readonly Column[];
  readonly own: boolean;
}

/** @param overridden the keys' actions come from the proxy's configuration, by their names */
export function makeSchema(spec: SchemaSpec, overridden: boolean): Schema {
  const tables = makeTables(spec.tables, overridden);
  const keys: MadeKey[] = [];
  spec.keys.forEach((each, i) => {
    const key = makeKey(spec, each, i, tables, overridden, keys);
    if (key) keys.push(key);
  });
  keepKnownDifferencesOut(tables, keys);
  dropRowsWithoutParents(keys);
  for (const table of tables) fillReferences(spec.tables[table.place]?.rows ?? [], table, keys);
  for (const { made, from } of keys) for (const column of made) allowNulls(column, from.table, tables);
  return { tables, keys, relations: tables.flatMap(({ root }) => tree(root)) };
}

function makeKey(
  { acyclic, mild, tables: specs }: SchemaSpec,
  spec: KeySpec,
  number: number,
  tables: readonly Table[],
  overridden: boolean,
  before: readonly MadeKey[],
): MadeKey | undefined {
  const fromPlace = spec.from % tables.length;
  const fromTable = tables[fromPlace];
  const toTable = tables[spec.to % (acyclic ? Math.max(fromPlace, 1) : tables.length)];
  if (!fromTable || !toTable || (acyclic && fromPlace === 0)) return undefined;
  const from = partOf(fromTable.root, spec.fromPart, () => true);
  const to = partOf(toTable.root, spec.toPart, ({ holds }) => holds !== undefined);
  // PostgreSQL takes no key from a partitioned table to a partition of its own.
  if (from.table === to.table && from !== to && from.by !== undefined) return undefined;
  const target = toTable.unique[spec.target % Math.max(toTable.unique.length, 1)];
  if (target === undefined) return undefined;
  const harmless = mild && (spec.action === 'RESTRICT' || spec.action === 'NO ACTION') && number % 4 > 0;
  const action = harmless || setsBesides(spec.action, from, before) ? 'CASCADE' : spec.action;
  const sets = action === 'SET NULL' || action === 'SET DEFAULT';
  const own = spec.own && !sets && ownColumn(target, fromTable, toTable);
  const names = target === 'pair' ? [`k${number}a`, `k${number}b`] : [`k${number}`];
  const used = own ? [target === 'id' ? fromTable.idColumn : 'a', ...names.slice(1)] : names;
  const types = targetColumns(toTable, target);
  const made = names.slice(own ? 1 : 0).map((name): Column => {
    const { type } = types[names.indexOf(name)] ?? { type: toTable.idType };
    return {
      name,
      type,
      sqlType: referencingType(type, spec.otherType),
      notNull: spec.notNull,
      defaultValue: action === 'SET DEFAULT' ? defaultOf(name, spec) : null,
    };
  });
  fromTable.keyColumns.push(...made);
  // An override has no column list to go with its action.
  const subset = sets && target === 'pair' && spec.subset && !overridden;
  // README, Not yet: MATCH FULL with a column list, or with SET DEFAULT.
  const full = spec.full && !own && !subset && action !== 'SET DEFAULT';
  const suffix = overridden ? `_on_${action.toLowerCase().replace(' ', '_')}` : '';
  return {
    name: nameOf(specs[fromPlace]?.odd ?? 0, `f${number}${suffix}`),
    from,
    to,
    target,
    action,
    columns: used,
    sets: subset ? [`k${number}b`] : [],
    indexed: spec.indexed,
    full,
    timing: timingOf(spec, action),
    spec,
    made,
    own,
  };
}

/** README, Not yet: SET keys of a table and of its partition. Nothing but refusals would come of such a schema. */
function setsBesides(action: Key['action'], from: Relation, before: readonly MadeKey[]): boolean {
  const above = (one: Relation, other: Relation) => one !== other && tree(one).includes(other);
  const sets = (each: Key['action']) => each.startsWith('SET');
  return (
    sets(action) &&
    before.some((other) => sets(other.action) && (above(from, other.from) || above(other.from, from)))
  );
}

/** README: NO ACTION, and what SET DEFAULT sets, is checked at the end of the statement, not at COMMIT. */
function timingOf({ deferrable, indexed }: KeySpec, action: Key['action']): Key['timing'] {
  if (!deferrable) return '';
  const late = indexed && action !== 'NO ACTION' && action !== 'SET DEFAULT';
  return late ? 'DEFERRABLE INITIALLY DEFERRED' : 'DEFERRABLE';
}

function ownColumn(target: Target, from: Table, to: Table): boolean {
  return target === 'pair' || (target === 'id' && from !== to && from.idType === to.idType);
}

function defaultOf(name: string, { defaultValue }: KeySpec): number | null {
  if (defaultValue === null || !/[ab]$/.test(name)) return defaultValue;
  return (defaultValue % (name.endsWith('a') ? 2 : 3)) + 1;
}

function partOf(root: Relation, part: number | null, which: (part: Relation) => boolean): Relation {
  const parts = tree(root).slice(1).filter(which);
  return part === null || parts.length === 0 ? root : (parts[part % parts.length] ?? root);
}

/**
 * README: a row that one key would change and another one deletes is only deleted. Natively the change comes first
 * where its key is older, and may fail: on a NOT NULL column, or with a default that is the deleted key.
 * README: a BEFORE UPDATE trigger that keeps a row from SET DEFAULT is natively an error.
 */
function keepKnownDifferencesOut(tables: readonly Table[], keys: readonly MadeKey[]): void {
  for (const table of tables) {
    const own = keys.filter(({ from }) => from.table === table);
    if (own.some(({ action }) => action === 'SET DEFAULT') && table.trigger === 'keeps from changes')
      table.trigger = 'none';
    if (!own.some(({ action }) => action === 'CASCADE')) continue;
    for (const { action, made } of own)
      if (action.startsWith('SET'))
        for (const column of made) Object.assign(column, { notNull: false, defaultValue: null });
  }
}

/** A row whose own id is the key needs the row of that id; the others go, and then those that needed these. */
function dropRowsWithoutParents(keys: readonly MadeKey[]): void {
  const needing = keys.filter(({ own, target }) => own && target === 'id');
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to } of needing) {
      const { rows } = from.table;
      const kept = rows.filter((row) => rowsIn(to).some(({ id }) => id === row.id));
      changed ||= kept.length < rows.length;
      rows.splice(0, rows.length, ...kept);
    }
  }
}

function rowsIn({ table, holds }: Relation): readonly Row[] {
  return table.rows.filter((row) => holds?.(row) ?? false);
}

function fillReferences(given: readonly RowSpec[], table: Table, keys: readonly MadeKey[]): void {
  const origins = ancestors(table);
  table.rows.forEach((row, i) => {
    const references = given[i % Math.max(given.length, 1)]?.references ?? [null];
    keys.forEach((key, number) => {
      if (!origins.includes(key.from.table)) return;
      const choice = references[number % references.length] ?? null;
      const [column, second] = key.made;
      const parents = rowsIn(key.to).filter(
        ({ pair }) => !key.own || key.target !== 'pair' || pair[0] === row.pair[0],
      );
      const parent = choice === null ? undefined : parents[choice % Math.max(parents.length, 1)];
      // MATCH SIMPLE: one null column, and the key references nothing.
      const half = second !== undefined && !key.full && choice === 4;
      if (column) row.references.set(column, valueFor(key, parent, half ? undefined : column));
      if (second) row.references.set(second, valueFor(key, parent, second));
    });
  });
}

function valueFor({ target }: Key, parent: Row | undefined, column: Column | undefined): string {
  if (!parent || !column) return 'NULL';
  const place = column.name.endsWith('b') ? 1 : 0;
  const value = target === 'id' ? parent.id : target === 'code' ? parent.code : parent.pair[place];
  return value === null ? 'NULL' : literal(column.type, value);
}

function ancestors(table: Table): readonly Table[] {
  return table.inherits ? [table, ...ancestors(table.inherits)] : [table];
}

/** NOT NULL is for columns that have no nulls. */
function allowNulls(column: Column, table: Table, tables: readonly Table[]): void {
  const heirs = tables.filter((each) => ancestors(each).includes(table));
  if (heirs.some(({ rows }) => rows.some((row) => row.references.get(column) === 'NULL')))
    column.notNull = false;
}
