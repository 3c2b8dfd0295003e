/** How the parts of the one statement name tables, and the rows that other parts delete. */
import type { Relation } from '../graph/model.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import { identity } from './identity.js';
import type { Deleted } from './match.js';
import type { Plan } from './plan.js';

export function cteName(deletion: number): string {
  return `pgc_${deletion}`;
}

/** The rows of a deletion, for matching. */
export function deletedRows(plan: Plan, id: number): Deleted {
  const returns = plan.deletions[id]?.returns ?? [];
  return { cte: cteName(id), column: (name) => `c${returns.indexOf(name)}` };
}

/** `ONLY`, as a key never holds for inheritance children; a partitioned table's rows are all in its partitions. */
export function tableOf(relation: Relation): string {
  return `${relation.kind === 'p' ? '' : 'ONLY '}${quoteRelation(relation)}`;
}

/** The same rows with their place `n` in the order in which they were deleted. */
export function numbered(plan: Plan, id: number): string {
  return `(SELECT *, pg_catalog.row_number() OVER () AS n FROM ${deletedRows(plan, id).cte})`;
}

/** A condition: `row` is among the rows that a deletion takes. Never null. */
export function isDeleted(plan: Plan, id: number, row: string): string {
  const { cte, column } = deletedRows(plan, id);
  const relation = plan.deletions[id]?.relation;
  const same = (relation ? identity(relation) : []).map(
    (name) => `g.${column(name)} = ${row}.${quoteName(name)}`,
  );
  return `EXISTS (SELECT FROM ${cte} AS g WHERE ${same.join(' AND ')})`;
}
