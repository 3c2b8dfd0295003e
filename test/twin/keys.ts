/** From what was generated to foreign keys, and to rows that satisfy them. */
import { nameOf } from './names.js';
import { keysOf } from './patterns.js';
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
  /** It has its first column from an earlier key. */
  readonly shared: Column | undefined;
}

/**
 * @param overridden the keys' actions come from the proxy's configuration, by their names
 * @param isWritten rows get new keys, which deferred keys check at COMMIT
 */
export function makeSchema(spec: SchemaSpec, overridden: boolean, isWritten = false): Schema {
  // Of the columns that identify a row, two have to be of one type for keys that share one.
  const alike = spec.patterns.some(({ kind }) => kind === 'one and both' || kind === 'both and one');
  const specs = alike ? spec.tables.map((each) => ({ ...each, idType: 'int4' as const })) : spec.tables;
  const tables = makeTables(specs, overridden);
  const keys: MadeKey[] = [];
  [...spec.keys, ...spec.patterns.flatMap(keysOf)].forEach((each, i) => {
    const key = makeKey(spec, each, i, tables, overridden);
    if (key && !(overridden && keys.some((older) => isTakenOver(older, key)))) keys.push(key);
  });
  keepKnownDifferencesOut(tables, keys);
  dropRowsWithoutParents(keys);
  for (const table of tables) {
    fillReferences(spec.tables[table.place]?.rows ?? [], table, keys);
    for (const row of table.rows) dropBrokenReferences(row, table, keys);
  }
  for (const { made, from } of keys) for (const column of made) allowNulls(column, from.table, tables);
  const late = keys.some(
    (key) => key.timing === 'DEFERRABLE INITIALLY DEFERRED' && (isWritten || checksLate(key, keys)),
  );
  return { tables, keys, relations: tables.flatMap(({ root }) => tree(root)), late, overridden };
}

/**
 * Whether PostgreSQL makes a partition's own key a part of this one, which is on the table around it and says the same
 * (tryAttachPartitionForeignKey). With overrides the server sees the same action in all keys, and an override of a part does
 * nothing; natively the actions differ, and both keys stay. Such a key has no column of its own that would be left over.
 */
function isTakenOver(own: MadeKey, by: MadeKey): boolean {
  const around = own.from !== by.from && tree(by.from).includes(own.from);
  const alike = (['to', 'target', 'onUpdate', 'timing', 'full'] as const).every(
    (each) => own[each] === by[each],
  );
  return around && alike && own.columns.join() === by.columns.join() && own.action !== by.action;
}

/** What a deferred key may find at COMMIT; RESTRICT and the actions themselves never wait for it. */
function checksLate({ action, full, from, columns }: MadeKey, keys: readonly MadeKey[]): boolean {
  const changed = keys.some(
    (by) =>
      by.action === 'SET DEFAULT' &&
      by.from.table === from.table &&
      (by.sets.length > 0 ? by.sets : by.columns).some((name) => columns.includes(name)),
  );
  return full || changed || action === 'NO ACTION' || action === 'SET DEFAULT';
}

function makeKey(
  { acyclic, mild, crowded, late, tables: specs }: SchemaSpec,
  spec: KeySpec,
  number: number,
  tables: readonly Table[],
  overridden: boolean,
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
  const action = harmless ? 'CASCADE' : spec.action;
  const sets = action === 'SET NULL' || action === 'SET DEFAULT';
  const hasDefault = action === 'SET DEFAULT' || spec.onUpdate === 'SET DEFAULT';
  // An override has no column list to go with its action.
  const subset = sets && target === 'pair' && spec.subset && !overridden;
  const types = targetColumns(toTable, target);
  const own = spec.own && (!sets || subset || target === 'code') && ownColumn(target, fromTable, toTable);
  const others = fromTable.keyColumns.filter(({ type }) => type === types[0]?.type);
  // PostgreSQL makes one of two keys of a table and its partition that are alike, as all are to it that have overrides.
  const alone = own || spec.shared === null || (overridden && fromTable.root.by !== undefined);
  const shared =
    alone || (!crowded && spec.shared !== 'newest')
      ? undefined
      : spec.shared === 'newest'
        ? others.at(-1)
        : others[spec.shared % Math.max(others.length, 1)];
  const names = target === 'pair' ? [`k${number}a`, `k${number}b`] : [`k${number}`];
  const owned = { id: fromTable.idColumn, code: 'code', pair: 'a' }[target];
  const first = own ? owned : shared?.name;
  const used = first === undefined ? names : [first, ...names.slice(1)];
  const made = names.slice(first === undefined ? 0 : 1).map((name): Column => {
    const { type } = types[names.indexOf(name)] ?? { type: toTable.idType };
    return {
      name,
      type,
      sqlType: referencingType(type, spec.otherType),
      notNull: spec.notNull,
      defaultValue: hasDefault ? defaultOf(name, spec) : null,
    };
  });
  fromTable.keyColumns.push(...made);
  const full = spec.full && !own;
  const suffix = overridden ? `_on_${action.toLowerCase().replace(' ', '_')}` : '';
  return {
    name: nameOf(specs[fromPlace]?.odd ?? 0, `f${number}${suffix}`),
    from,
    to,
    target,
    action,
    onUpdate: spec.onUpdate,
    columns: used,
    sets: subset ? [`k${number}b`] : [],
    indexed: spec.indexed,
    full,
    timing: timingOf(spec, action, late),
    spec,
    made,
    own,
    shared,
  };
}

/** docs/differences.md: NO ACTION, and what SET DEFAULT sets, is checked at the end of the statement, not at COMMIT: such a schema is `late`. */
function timingOf({ deferrable, indexed }: KeySpec, action: Key['action'], late: boolean): Key['timing'] {
  if (!deferrable && !late) return '';
  const acts = action !== 'NO ACTION' && action !== 'SET DEFAULT';
  return indexed && (late || acts) ? 'DEFERRABLE INITIALLY DEFERRED' : 'DEFERRABLE';
}

function ownColumn(target: Target, from: Table, to: Table): boolean {
  return target !== 'id' || (from !== to && from.idType === to.idType);
}

function defaultOf(name: string, { defaultValue }: KeySpec): number | null {
  if (defaultValue === null || !/[ab]$/.test(name)) return defaultValue;
  return (defaultValue % (name.endsWith('a') ? 2 : 3)) + 1;
}

function partOf(root: Relation, part: number | null, which: (part: Relation) => boolean): Relation {
  const parts = tree(root).slice(1).filter(which);
  return part === null || parts.length === 0 ? root : (parts[part % parts.length] ?? root);
}

/** docs/differences.md: a BEFORE UPDATE trigger that keeps a row as it is, where that is natively an error, or decides what another key does. */
function keepKnownDifferencesOut(tables: readonly Table[], keys: readonly MadeKey[]): void {
  for (const table of tables) {
    const own = keys.filter(({ from }) => from.table === table);
    const others = own.some(({ action, shared, own: owned, full }) => {
      return action === 'SET DEFAULT' || action === 'CASCADE' || shared || owned || full;
    });
    if (table.trigger === 'keeps from changes' && others) table.trigger = 'none';
  }
}

/** A row whose own id is the key needs the row of that id; the others go, and then those that needed these. Codes are dropped. */
function dropRowsWithoutParents(keys: readonly MadeKey[]): void {
  const needing = keys.filter(({ own, target }) => own && target === 'id');
  const coded = keys.filter(({ own, target }) => own && target === 'code');
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to } of needing) {
      const { rows } = from.table;
      const kept = rows.filter((row) => rowsIn(to).some(({ id }) => id === row.id));
      changed ||= kept.length < rows.length;
      rows.splice(0, rows.length, ...kept);
    }
    for (const { from, to } of coded)
      for (const row of from.table.rows) {
        if (row.code === null || rowsIn(to).some(({ code }) => code === row.code)) continue;
        row.code = null;
        changed = true;
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
        (parent) =>
          key.target !== 'pair' ||
          (!key.own && key.shared === undefined) ||
          String(parent.pair[0]) ===
            (key.own ? String(row.pair[0]) : row.references.get(key.shared as Column)),
      );
      const parent = choice === null ? undefined : parents[choice % Math.max(parents.length, 1)];
      // MATCH SIMPLE: one null column, and the key references nothing.
      const half = second !== undefined && !key.full && choice === 4;
      if (key.target === 'code' && key.own) return;
      if (column) row.references.set(column, valueFor(key, parent, half ? undefined : column));
      if (second) row.references.set(second, valueFor(key, parent, second));
    });
  });
}

/** Where columns are shared, a value that fits to one key may be none of another's. */
function dropBrokenReferences(row: Row, table: Table, keys: readonly MadeKey[]): void {
  const own = keys.filter(({ from, own }) => from.table === table && !own);
  for (let changed = true; changed; ) {
    changed = false;
    for (const { to, target, columns, full } of own) {
      const used = columns.flatMap((name) => table.keyColumns.filter((each) => each.name === name));
      const values = used.map((column) => row.references.get(column) ?? 'NULL');
      const some = values.some((value) => value !== 'NULL');
      if (!some || (!full && values.includes('NULL'))) continue;
      const types = targetColumns(to.table, target);
      const found = rowsIn(to).some((parent) => {
        const { id, code, pair } = parent;
        const all = target === 'id' ? [id] : target === 'code' ? [code] : pair;
        return types.every(({ type }, i) => {
          const value = all[i];
          return value !== null && value !== undefined && literal(type, value) === values[i];
        });
      });
      if (found) continue;
      for (const column of full ? used : used.slice(-1)) row.references.set(column, 'NULL');
      changed = true;
    }
  }
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
