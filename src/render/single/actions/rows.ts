/** How the CTEs of the one statement name tables, and the rows that other CTEs delete. */
import type { Relation } from '../../../graph/model.js';
import { identifyingColumns } from '../../../plan/identifying-columns.js';
import type { Deletion, Member, Plan } from '../../../plan/plan.js';
import { quoteName, quoteRelation } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import type { Deleted } from './match.js';

/** How a plan becomes SQL. */
export interface RenderMode {
  /** The statement only finds out whether any rule may be broken (checks.ts). */
  readonly suspecting: boolean;
  /** It tells how many rows each of its parts takes (counts.ts), so that all of them return rows. */
  readonly counting: boolean;
}

/** `pgc_0`: the CTE of a deletion. */
export function cteName(deletion: number): string {
  return ownName(`${deletion}`);
}

/** `pgc_f1`: the CTE with the rows that a deletion in a cycle is going to take, found beforehand. */
export function foundName(deletion: number): string {
  return ownName(`f${deletion}`);
}

/** `pgc_c0`: a column of a deletion's CTE. The columns of the client's RETURNING have other names (root.ts). */
export function columnName(index: number): string {
  return ownName(`c${index}`);
}

/** `ONLY posts`, as a key does not extend to inheritance children; `posts` where it is partitioned, as its partitions have the rows. */
export function tableOf(relation: Relation): string {
  return `${relation.kind === 'p' ? '' : 'ONLY '}${quoteRelation(relation)}`;
}

/**
 * The rows deleted from `relation`: one CTE, `pgc_0`, or several that take rows of it:
 *
 *     (SELECT m.pgc_c0 AS pgc_c0 FROM pgc_0 AS m UNION ALL SELECT m.pgc_c0 AS pgc_c0 FROM pgc_f2 AS m)
 */
export function deletedRows(plan: Plan, relation: Relation): Deleted {
  return rowsOf(plan, plan.members.get(relation) ?? [], cteName);
}

/** As `deletedRows`, for a deletion in a cycle: the rows of the other deletions in that cycle are those that the search has found. */
export function foundRows(plan: Plan, relation: Relation, cycle: number): Deleted {
  const members = plan.members.get(relation) ?? [];
  return rowsOf(plan, members, (id) => (plan.deletions[id]?.cycle === cycle ? foundName(id) : cteName(id)));
}

/** The rows of `relation` that deletions outside of the cycle take; undefined where there are none. */
export function enteringRows(plan: Plan, relation: Relation, cycle: number): Deleted | undefined {
  const outside = (plan.members.get(relation) ?? []).filter(
    ({ deletion }) => plan.deletions[deletion]?.cycle !== cycle,
  );
  return outside.length === 0 ? undefined : rowsOf(plan, outside, cteName);
}

function rowsOf(plan: Plan, members: readonly Member[], name: (id: number) => string): Deleted {
  const [first, ...more] = members;
  const only = first && plan.deletions[first.deletion];
  if (only && more.length === 0 && first.within === undefined)
    return { rows: name(only.id), column: (column) => columnName(only.returns.indexOf(column)) };
  // Each deletion returns its own columns in its own order; the union has the columns that all of them return.
  const deletions = members.flatMap(({ deletion }) => plan.deletions[deletion] ?? []);
  const shared = (only?.returns ?? []).filter((column) =>
    deletions.every(({ returns }) => returns.includes(column)),
  );
  const arms = members.map(({ deletion, within }) => {
    const returns = plan.deletions[deletion]?.returns ?? [];
    const columns = shared.map((column, i) => `m.${columnName(returns.indexOf(column))} AS ${columnName(i)}`);
    const condition = within
      ? ` WHERE ${isWithin(`m.${columnName(returns.indexOf('tableoid'))}`, within)}`
      : '';
    return `SELECT ${columns.join(', ')} FROM ${name(deletion)} AS m${condition}`;
  });
  return { rows: `(${arms.join(' UNION ALL ')})`, column: (column) => columnName(shared.indexOf(column)) };
}

/** `m.pgc_c1 = ANY (ARRAY[16385, 16390]::oid[])`: the row is in one of these relations. */
export function isWithin(tableoid: string, oids: readonly number[]): string {
  return `${tableoid} OPERATOR(pg_catalog.=) ANY (ARRAY[${oids.join(', ')}]::pg_catalog.oid[])`;
}

/**
 * A condition: this deletion deletes `row`, a row of `relation`. It is never null.
 *
 *     EXISTS (SELECT FROM pgc_0 AS g WHERE g.pgc_c0 = r.id)
 *
 * @param own the names of the relation's columns in `row`
 */
export function isDeletedBy(relation: Relation, deletion: Deletion, row: string, own = quoteName): string {
  const same = identifyingColumns(relation, deletion).map((column) => {
    const known = columnName(deletion.returns.indexOf(column));
    return `g.${known} OPERATOR(pg_catalog.=) ${row}.${own(column)}`;
  });
  return `EXISTS (SELECT FROM ${cteName(deletion.id)} AS g WHERE ${same.join(' AND ')})`;
}

/**
 * Conditions, one for each deletion that `which` chooses: it does not delete `row`, a row of `relation`.
 *
 *     NOT EXISTS (SELECT FROM pgc_0 AS g WHERE g.pgc_c0 = r.id)
 */
export function notDeletedBy(
  plan: Plan,
  relation: Relation,
  row: string,
  which: (deletion: Deletion) => boolean = () => true,
): readonly string[] {
  return (plan.overlaps.get(relation) ?? [])
    .flatMap((id) => plan.deletions[id] ?? [])
    .filter(which)
    .map((deletion) => `NOT ${isDeletedBy(relation, deletion, row)}`);
}
