/** How the rows of a referencing table are found from the keys of deleted rows. Only the database compares values. */
import type { KeyColumn } from '../../../graph/catalog/catalog.js';
import type { ForeignKey } from '../../../graph/model.js';
import { quoteName } from '../../../sql/names.js';

/** Where a statement has deleted rows: a CTE or a subquery, and the names of their columns there. */
export interface Deleted {
  readonly rows: string;
  readonly column: (name: string) => string;
}

/**
 * A condition on `row`, a row of the referencing table: the row that it references by this key was deleted.
 *
 *     r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d))            -- author has an index
 *     EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.author)          -- it has none, or the key has more columns
 *
 * With an index on the column, the keys are collected into an array: the server then finds the rows by the index, however
 * many keys its planner expects. Without an index, and for several columns, the server makes a hashed semi-join.
 */
export function references(key: ForeignKey, row: string, deleted: Deleted): string {
  return (
    isInKeyArray(key, row, deleted) ??
    `EXISTS (SELECT FROM ${deleted.rows} AS d WHERE ${equals(key, 'd', deleted.column, row)})`
  );
}

/**
 * The same by an array of the keys: `r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d))`
 *
 * @param where a condition on a deleted row `d`
 * @returns undefined where no index could be used for it
 */
export function isInKeyArray(
  key: ForeignKey,
  row: string,
  deleted: Deleted,
  where?: string,
): string | undefined {
  const [column, ...more] = key.columns;
  if (!column || more.length > 0 || !indexed(key) || !collectable(key, column)) return undefined;
  const some = where === undefined ? '' : ` WHERE ${where}`;
  const keys = `ARRAY(SELECT ${cast(`d.${deleted.column(column.referenced)}`, column.left)} FROM ${deleted.rows} AS d${some})`;
  return `${referencing(column, row)} ${spell(column.commutator ?? column.operator)} ANY (${keys})`;
}

/**
 * The key's comparison, column by column: `d.pgc_c0 = r.shop AND d.pgc_c1 = r.number`.
 * @param parent rows that hold the referenced columns, under the names that `column` gives
 * @param own the names of the referencing columns in `row`
 */
export function equals(
  key: ForeignKey,
  parent: string,
  column: (name: string) => string,
  row: string,
  own: (name: string) => string = quoteName,
): string {
  return key.columns
    .map((each) => {
      const referenced = cast(`${parent}.${column(each.referenced)}`, each.left);
      return `${referenced} ${spell(each.operator)} ${referencing(each, row, own)}`;
    })
    .join(' AND ');
}

/**
 * Two rows have the same referenced columns: `p.id = n.pgc_c0`. The operator is found by its name, for two values of the
 * referenced column's type.
 * @param column the names of the referenced columns in `other`; in `row` they have their own
 */
export function sameReferenced(
  key: ForeignKey,
  row: string,
  other: string,
  column: (name: string) => string,
): string {
  return key.columns
    .map(({ referenced, left, operator }) => {
      const [one, two] = [`${row}.${quoteName(referenced)}`, `${other}.${column(referenced)}`];
      return `${cast(one, left)} ${spell(operator)} ${cast(two, left)}`;
    })
    .join(' AND ');
}

/** `r.author`, cast to the operator's type and under the key's collation, where these are not the column's own. */
function referencing(column: KeyColumn, row: string, own = quoteName): string {
  const value = cast(`${row}.${own(column.referencing)}`, column.right);
  return column.collation === null ? value : `(${value} COLLATE ${column.collation})`;
}

/** Whether an index begins with a column of the key. */
function indexed(key: ForeignKey): boolean {
  return key.columns.some(({ referencing }) => key.referencing.indexed.includes(referencing));
}

/** Values that are arrays, composites or domains do not keep their type inside of an array. */
function collectable(key: ForeignKey, column: KeyColumn): boolean {
  return key.referenced.columns.some(({ name, scalar }) => name === column.referenced && scalar);
}

function cast(expression: string, type: string | null): string {
  return type === null ? expression : `${expression}::${type}`;
}

/** `OPERATOR(pg_catalog.=)`: with its schema, so that the search_path does not matter. */
function spell(operator: string): string {
  return `OPERATOR(${operator})`;
}
