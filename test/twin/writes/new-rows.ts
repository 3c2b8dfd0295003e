/** The values of rows that are written: keys that reference rows there are, rows of the same statement, or nothing. */
import type { Write } from '../delete-sql.js';
import { type Column, type Key, type Row, type Schema, type Table, targetColumns } from '../schema.js';
import type { ValueType } from '../values.js';
import type { NewRow, Reference, WriteSpec } from './write-spec.js';

/** What a column gets. */
export type Cell = 'NULL' | 'DEFAULT' | { readonly type: ValueType; readonly value: number };

export function spelled(cell: Cell, write: Write): string {
  return typeof cell === 'string' ? cell : write(cell.type, cell.value);
}

/** The keys that the rows of a table can have, those of a partition too. */
export function keysOf({ keys }: Schema, { root }: Table): readonly Key[] {
  const tables = origins(root.table);
  return keys.filter(({ from }) => tables.includes(from.table));
}

/** The one of them that the spec names; undefined where there is none. */
export function keyFor(schema: Schema, table: Table, { help }: Pick<WriteSpec, 'help'>): Key | undefined {
  const keys = keysOf(schema, table);
  return keys[help % Math.max(keys.length, 1)];
}

/** The columns of its keys, own and inherited ones, that it has or shows. */
export function keyColumnsOf({ root, isNarrow }: Table): readonly Column[] {
  const hidden = isNarrow ? root.table.keyColumns.at(-1) : undefined;
  return origins(root.table).flatMap(({ keyColumns }) => keyColumns.filter((each) => each !== hidden));
}

/** All columns but `note`, as the relation calls them, with the type of the values that they get. */
export function columnsOf(table: Table): readonly Pick<Column, 'name' | 'type'>[] {
  return [
    { name: table.idColumn, type: table.idType },
    { name: 'code', type: 'varchar' },
    { name: 'a', type: 'int4' },
    { name: 'b', type: 'label' },
    ...keyColumnsOf(table),
  ];
}

function origins(table: Table): readonly Table[] {
  return table.inherits ? [table, ...origins(table.inherits)] : [table];
}

/**
 * What a key's columns get, each in turn.
 * @param value where the reference is to `some`
 * @param sibling the row of the same statement that may be referenced
 */
export function referencing(
  { to, target }: Key,
  reference: Reference,
  value: number,
  sibling: NewRow | undefined,
): readonly Cell[] {
  const types = targetColumns(to.table, target);
  const rows = to.table.rows.filter((row) => to.holds?.(row) ?? true);
  const some = { id: value, code: value, pair: [(value % 2) + 1, value] as const };
  const of = ({ id, code, pair }: Pick<Row, 'id' | 'code' | 'pair'>) =>
    types.map(({ type }, i): Cell => {
      const given = { id, code, pair: pair[i] ?? 1 }[target];
      return given === null ? 'NULL' : { type, value: given };
    });
  switch (reference) {
    case 'none':
      return types.map(() => 'NULL');
    case 'default':
      return types.map(() => 'DEFAULT');
    case 'some':
      return of(some);
    case 'sibling':
      return of(sibling ?? some);
    default:
      return of(rows[reference % Math.max(rows.length, 1)] ?? some);
  }
}

/**
 * A row for INSERT: a value for each of `columnsOf`.
 * @param siblings the rows of the same statement
 * @param place which of them it is
 */
export function rowCells(
  schema: Schema,
  table: Table,
  siblings: readonly NewRow[],
  place: number,
): readonly Cell[] {
  const row = siblings[place];
  if (row === undefined) return [];
  const sibling = siblings[(place + 1) % siblings.length];
  const { idColumn, idType } = table;
  const cells = new Map<string, Cell>([
    [idColumn, { type: idType, value: row.id }],
    ['code', row.code === null ? 'NULL' : { type: 'varchar', value: row.code }],
    ['a', { type: 'int4', value: row.pair[0] }],
    ['b', { type: 'label', value: row.pair[1] }],
    ...keyColumnsOf(table).map(({ name }): [string, Cell] => [name, 'NULL']),
  ]);
  const own = new Set([idColumn, 'a', 'b']);
  const has = new Set(columnsOf(table).map(({ name }) => name));
  keysOf(schema, table).forEach((key, i) => {
    const reference = row.references[i % row.references.length] ?? 'none';
    const given = referencing(key, reference, row.value, sibling);
    key.columns.forEach((name, at) => {
      const cell = given[at] ?? 'NULL';
      const called = name === table.root.table.idColumn ? idColumn : name;
      if (!has.has(called)) return;
      // These take no NULL, and have no default.
      if (!(own.has(called) && typeof cell === 'string')) cells.set(called, cell);
    });
  });
  return [...cells.values()];
}
