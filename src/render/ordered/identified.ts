/** The plan as a sequence of statements goes by it: a later statement has to find the rows that an earlier one has found. */
import { identifyingColumns } from '../../plan/identifying-columns.js';
import { type Deletion, oncePerPlan, type Plan } from '../../plan/plan.js';

/**
 * The same plan, in which each deletion of which rows are known before they are deleted also returns what tells its rows apart. Of
 * the others nothing has to be known: they are found by the keys of the rows that they reference.
 */
export const identifiedPlan = oncePerPlan(
  (plan): Plan => ({ ...plan, deletions: plan.deletions.map(identified) }),
);

function identified(deletion: Deletion): Deletion {
  const { relation, returns, origin } = deletion;
  if (returns.length === 0 && origin === 'key') return deletion;
  return { ...deletion, returns: [...new Set([...returns, ...identifyingColumns(relation, deletion)])] };
}

/** Whether the keys of its rows are collected before they are deleted. */
export function isHeld({ returns }: Deletion): boolean {
  return returns.length > 0;
}
