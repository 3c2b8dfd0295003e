/** Where the proxy's CTEs begin in the client's WITH. */
import type { CteSite } from '../sql/statement/statement.js';

/** A part of the client's statement. */
export interface Part {
  readonly site: { readonly cte: CteSite | undefined };
}

/**
 * The place for data-modifying CTEs of the proxy's that read from parts of the client's statement, and from which nothing reads: directly after
 * the last of these parts. PostgreSQL executes such CTEs from the last one to the first, so that the client's own CTEs further on are
 * executed before them, as they are executed before these parts natively (execution-order.ts).
 *
 * @param statement where it begins, after its WITH: that is the place where one of the parts is the statement itself
 */
export function afterParts(parts: readonly Part[], statement: { readonly start: number }): number {
  const ends = parts.map(({ site: { cte } }) => cte?.end ?? statement.start);
  return Math.max(...ends);
}
