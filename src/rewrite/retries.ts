/** What of a rewritten text may be sent again, and what that takes. Pure. */
import type { Plan } from '../plan/plan.js';
import type { Locks } from '../render/single/locks.js';
import type { Statement } from '../sql/statement/statement.js';
import type { ReplyRule } from './statement/reply-rule.js';

/** The plan of a text that is one expanded statement. */
export function planOf(parts: readonly ReplyRule[]): Plan | undefined {
  const [part, ...more] = parts;
  return part?.kind === 'cascade' && more.length === 0 ? part.plan : undefined;
}

/** The answers to more than these are not held. */
const MOST_STATEMENTS = 10_000;

/**
 * Whether nothing but their rows is lost with these statements, where they are a transaction of their own and fail. What
 * they answer has to be held until they have ended well: so they return no rows.
 */
export function mayBeSentAgain(statements: readonly Statement[]): boolean {
  if (statements.length === 1) return true;
  const isPlain = ({ meaning }: Statement) =>
    meaning.kind === 'deleting' &&
    meaning.outer === undefined &&
    !meaning.hasWith &&
    meaning.sites.every(({ command, returning }) => command === 'DELETE' && returning === undefined);
  return statements.length <= MOST_STATEMENTS && statements.every(isPlain);
}

/** Whether it fails on mere suspicion. */
export function isSuspecting(parts: readonly ReplyRule[]): boolean {
  return parts.some((part) => part.kind === 'cascade' && part.suspecting);
}

/** What locks the rows that a text of one expanded statement is going to delete. */
export function locksOf([part]: readonly ReplyRule[]): Locks | undefined {
  return part?.kind === 'cascade' ? part.locks : undefined;
}

/** Whether the server enforces a key that the plan follows, and may refuse where PostgreSQL would have cascaded. */
export function isGuarded(plan: Plan): boolean {
  return plan.keys.some(({ enforcedByServer }) => enforcedByServer);
}

/** Its savepoint in a transaction of the client's, under a name that the client has not. */
export const SAVEPOINT = `pgcascade_${Math.random().toString(36).slice(2, 10)}`;
