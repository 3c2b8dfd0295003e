/** Whether the conditions of a DELETE read tables of its cascade. Where they are evaluated again, rows of these tables are already deleted. */
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from './root.js';

/**
 * @param names the names in the client's statement
 * @param sharing as that of Graph
 * @returns why the conditions cannot be evaluated again; undefined where they can
 */
export function reevaluationObstacle(
  { read }: CalledNames,
  { target }: Root,
  plan: Plan,
  sharing: Graph['sharing'],
): string | undefined {
  const changed = [target.relation, ...plan.keys.map(({ referencing }) => referencing)];
  const names = new Set(changed.flatMap(sharing).map(({ name }) => name));
  const gone = read.find((name) => names.has(name));
  return gone && `a WHERE that reads "${gone}", whose rows go before it is evaluated again`;
}
