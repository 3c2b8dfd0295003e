/**
 * The steps that change something, after one that changes nothing and asks whether any rule is broken: SET NULL and SET
 * DEFAULT first, then the deletions, the referencing rows before those that they reference; the client's own come last.
 */
import type { Deletion, Plan } from '../../plan/plan.js';
import { quoteRelation } from '../../sql/names.js';
import { renderChange, renderUpdates } from '../single/actions/changes.js';
import { isReached } from '../single/actions/deletions.js';
import { isDeletedBy, tableOf } from '../single/actions/rows.js';
import { renderRules } from '../single/checks/checks.js';
import { isHeld } from './identified.js';
import { type Step, stepOf } from './step.js';

const EXACT = { suspecting: false, counting: false };

/**
 * All rules in one question, before anything is changed. Where a key is SET DEFAULT its rule is about the new keys, so the
 * changes are made by the same statement; and so they are where the order of two keys decides what is changed.
 *
 *     WITH pgc_0 (pgc_c0, …) AS (…), pgc_q (…) AS (…) SELECT WHERE CASE WHEN EXISTS (…) THEN (…)::int4 IS NULL ELSE true END
 *
 *     WITH pgc_0 (pgc_c0) AS (…) UPDATE ONLY notes AS r SET author = NULL WHERE (EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.author))
 */
export function checkAndChange(plan: Plan): readonly Step[] {
  const { ctes, conditions } = renderRules(plan, false);
  const isTogether =
    plan.checks.some(({ kind }) => kind === 'order') ||
    plan.keys.some(({ action }) => action === 'set default');
  const changing = isTogether
    ? plan.changes.flatMap((change, i) => renderChange(change, i, plan, EXACT))
    : [];
  const asked =
    conditions.length > 0 || changing.length > 0
      ? [taking(stepOf(plan, `SELECT${where(conditions)}`, [...ctes, ...changing]), changing.length)]
      : [];
  if (isTogether) return asked;
  return [
    ...asked,
    ...plan.changes.flatMap((change) =>
      renderUpdates(change, plan).map((update): Step => {
        return { ...stepOf(plan, update), takes: { relation: change.relation, action: 'set null' } };
      }),
    ),
  ];
}

function taking(step: Step, changes: number): Step {
  return changes > 0 ? { ...step, takes: 'several' } : step;
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join('\n AND ')}`;
}

/** The deletions that follow from the client's own, leaves first. */
export function deleteBelow(plan: Plan): readonly Step[] {
  return plan.deletions
    .filter(({ origin }) => origin === 'key')
    .toReversed()
    .map((deletion) => deleteRows(plan, deletion));
}

/**
 * One deletion. Its rows are locked where they were collected, and are deleted by what tells them apart; else they are those
 * that reference a row which is held:
 *
 *     WITH pgc_1 (pgc_c0) AS (…) DELETE FROM ONLY posts AS r WHERE EXISTS (SELECT FROM pgc_1 AS g WHERE g.pgc_c0 = r.id)
 *     WITH pgc_1 (pgc_c0) AS (…) DELETE FROM ONLY likes AS r WHERE EXISTS (SELECT FROM pgc_1 AS d WHERE d.pgc_c0 = r.post)
 */
export function deleteRows(plan: Plan, deletion: Deletion): Step {
  const { origin, relation } = deletion;
  const action = origin === 'client' ? 'delete' : 'cascade';
  return { ...stepOf(plan, deleteHeld(plan, deletion)), takes: { relation, action } };
}

/** The DELETE of `deleteRows`, without what it reads from. */
export function deleteHeld(plan: Plan, deletion: Deletion): string {
  const { relation, inherits } = deletion;
  const condition = isHeld(deletion) ? isDeletedBy(relation, deletion, 'r') : isReached(deletion, plan);
  const table = inherits ? quoteRelation(relation) : tableOf(relation);
  return `DELETE FROM ${table} AS r WHERE ${condition}`;
}
