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

/** A condition: `row` is not among the rows that a deletion takes. */
export function notDeleted(plan: Plan, id: number, row: string): string {
  const { cte, column } = deletedRows(plan, id);
  const relation = plan.deletions[id]?.relation;
  const same = (relation ? identity(relation) : []).map(
    (name) => `g.${column(name)} = ${row}.${quoteName(name)}`,
  );
  return `NOT EXISTS (SELECT FROM ${cte} AS g WHERE ${same.join(' AND ')})`;
}
