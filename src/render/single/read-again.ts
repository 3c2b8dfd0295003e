/** What the conditions of a DELETE read that a part of its cascade has taken already when they are evaluated again. */
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from './root.js';

/**
 * @param names what the client's statement calls
 * @param sharing as that of Graph
 * @returns what stands against it
 */
export function readGone(
  { read }: CalledNames,
  { target }: Root,
  plan: Plan,
  sharing: Graph['sharing'],
): string | undefined {
  const changed = [target.relation, ...plan.keys.map(({ referencing }) => referencing)];
  const taken = new Set(changed.flatMap(sharing).map(({ name }) => name));
  const gone = read.find((name) => taken.has(name));
  return gone && `a WHERE that reads "${gone}", whose rows go before it is evaluated again`;
}
