/**
 * Locks on the referencing tables, before a statement that deletes. The statement waits for transactions that have written there, so that it
 * sees what they wrote, and later writers wait for its end. Unlike locks on rows (locks.ts) these also stop writers that lock nothing.
 */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { oncePerPlan } from '../../plan/plan.js';
import { quoteLiteral, quoteRelation } from '../../sql/names.js';
import { depthsOf } from './levels.js';

/**
 * Locks all referencing tables of the plan, from the top down, as writers do, and in the order of their names within one depth: so two sessions
 * lock the same tables in the same order. Tables whose key the server enforces are locked too: a session that has written there has locked
 * the referenced row, and would wait for the tables below. The mode is the weakest that conflicts with writes and with itself (lock.c,
 * LockConflicts). PostgreSQL refuses a LOCK TABLE that comes first in a pipeline outside of a transaction block (RequireTransactionBlock),
 * but not within a DO.
 *
 *     DO LANGUAGE plpgsql 'BEGIN LOCK TABLE posts, comments IN SHARE ROW EXCLUSIVE MODE; END'
 *
 * @returns undefined where the server enforces all keys
 */
export const renderTableLocks = oncePerPlan((plan): string | undefined => {
  const depths = depthsOf(plan);
  const depthOf = ({ referenced }: ForeignKey) =>
    Math.max(0, ...(plan.members.get(referenced) ?? []).map(({ deletion }) => depths[deletion] ?? 0));
  const tables = new Map<Relation, number>();
  if (plan.keys.every(({ enforced }) => enforced)) return undefined;
  for (const key of plan.keys)
    tables.set(key.referencing, Math.max(tables.get(key.referencing) ?? 0, depthOf(key)));
  const names = [...tables]
    .map(([relation, depth]) => ({ name: quoteRelation(relation), depth }))
    .sort((one, other) => one.depth - other.depth || (one.name < other.name ? -1 : 1))
    .map(({ name }) => name);
  const body = `BEGIN LOCK TABLE ${names.join(', ')} IN SHARE ROW EXCLUSIVE MODE; END`;
  return `DO LANGUAGE plpgsql ${quoteLiteral(body)}`;
});
