/**
 * The order in which PostgreSQL carries out what a WITH deletes. What is read is carried out when it is read; the rest
 * behind the statement itself, the last one first (ExecInitModifyTable puts each before the others in
 * es_auxmodifytables, which ExecPostprocessPlan goes through).
 */
import { nodesOf } from './deletes.js';
import type { Node } from './parser.js';

export interface Cte {
  readonly name: string;
  readonly query: Node;
}

/**
 * @param main the statement without its WITH
 * @returns the places of the CTEs, and -1 for the statement itself
 */
export function executionOrder(ctes: readonly Cte[], main: Node): readonly number[] {
  const order = new Set<number>();
  const seen = new Set<number>();
  const execute = (place: number, query: Node) => {
    seen.add(place);
    const read = namesIn(query);
    ctes.forEach((cte, i) => {
      if (read.has(cte.name) && !seen.has(i)) execute(i, cte.query);
    });
    order.add(place);
  };
  execute(-1, main);
  for (const [i, { query }] of [...ctes.entries()].reverse()) if (!seen.has(i)) execute(i, query);
  return [...order];
}

/** What may be the names of CTEs. */
function namesIn(query: Node): ReadonlySet<string> {
  return new Set(
    [...nodesOf(query)].flatMap(([type, { relname, schemaname }]) =>
      type === 'RangeVar' && schemaname === undefined ? [String(relname)] : [],
    ),
  );
}
