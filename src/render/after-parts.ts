/** Where CTEs of the proxy's begin in the client's WITH. */
import type { CteSite } from '../sql/statement/statement.js';

/** A part of the client's statement. */
export interface Part {
  readonly site: { readonly cte: CteSite | undefined };
}

/**
 * Where CTEs begin that read from parts of the client's statement and are carried out although nobody reads from them: directly after
 * the last of these parts. PostgreSQL carries out such CTEs from the last one to the first, so that they come after what the client
 * wrote further on, as that natively comes before these parts (execution-order.ts).
 *
 * @param statement where it begins, after its WITH: their place where one of the parts is the statement itself
 */
export function afterParts(parts: readonly Part[], statement: { readonly start: number }): number {
  const ends = parts.map(({ site: { cte } }) => cte?.end ?? statement.start);
  return Math.max(...ends);
}
