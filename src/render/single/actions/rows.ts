/** How the parts of the one statement name tables, and the rows that other parts delete. */
import type { Relation } from '../../../graph/model.js';
import { identifyingColumns } from '../../../plan/identifying-columns.js';
import type { Deletion, Member, Plan } from '../../../plan/plan.js';
import { quoteName, quoteRelation } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import type { Deleted } from './match.js';

export function cteName(deletion: number): string {
  return ownName(`${deletion}`);
}

/** The rows that a deletion in a cycle is going to take, found beforehand. */
export function foundName(deletion: number): string {
  return ownName(`f${deletion}`);
}

/** The columns of a deletion's CTE. Those of the client's RETURNING stand beside them, under names of their own. */
export function columnName(index: number): string {
  return ownName(`c${index}`);
}

/** `ONLY`, as a key never holds for inheritance children; a partitioned table's rows are all in its partitions. */
export function tableOf(relation: Relation): string {
  return `${relation.kind === 'p' ? '' : 'ONLY '}${quoteRelation(relation)}`;
}

/** The rows deleted from `relation`. */
export function deletedRows(plan: Plan, relation: Relation): Deleted {
  return rowsOf(plan, plan.members.get(relation) ?? [], cteName);
}

/** The same as a deletion in a cycle must see them: of the deletions in that cycle those found beforehand. */
export function foundRows(plan: Plan, relation: Relation, cycle: number): Deleted {
  const members = plan.members.get(relation) ?? [];
  return rowsOf(plan, members, (id) => (plan.deletions[id]?.cycle === cycle ? foundName(id) : cteName(id)));
}

/** Those that come into the cycle from outside of it; undefined where there are none. */
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
  // Each deletion returns other columns at other places; here all have those that they have in common.
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

function isWithin(tableoid: string, oids: readonly number[]): string {
  return `${tableoid} OPERATOR(pg_catalog.=) ANY (ARRAY[${oids.join(', ')}]::pg_catalog.oid[])`;
}

/**
 * A condition: `row`, one of `relation`, is among the rows that a deletion takes. Never null.
 * @param own the names of the relation's columns in `row`
 */
export function isAmong(relation: Relation, deletion: Deletion, row: string, own = quoteName): string {
  const same = identifyingColumns(relation, deletion).map((column) => {
    const known = columnName(deletion.returns.indexOf(column));
    return `g.${known} OPERATOR(pg_catalog.=) ${row}.${own(column)}`;
  });
  return `EXISTS (SELECT FROM ${cteName(deletion.id)} AS g WHERE ${same.join(' AND ')})`;
}

/** Conditions that `row`, one of `relation`, is not deleted by any of these deletions. */
export function staysClearOf(
  plan: Plan,
  relation: Relation,
  row: string,
  which: (deletion: Deletion) => boolean = () => true,
): readonly string[] {
  return (plan.overlaps.get(relation) ?? [])
    .flatMap((id) => plan.deletions[id] ?? [])
    .filter(which)
    .map((deletion) => `NOT ${isAmong(relation, deletion, row)}`);
}
