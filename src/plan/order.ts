/** Whether what a plan deletes can be deleted by one statement after the other. Pure. */
import type { Graph } from '../graph/graph.js';
import { holding, membership, type Reached } from './reach.js';

/**
 * The server looks at each key that it enforces when a statement ends, whoever performs the action of that key, and a statement
 * would delete what rows reference that a later one deletes: those of a cycle, or inheritance children among the client's own rows.
 * @param all the plan's deletions; the last one is carried out first
 */
export function hasOrder(graph: Graph, all: readonly Reached[]): boolean {
  const membersOf = membership(graph, all);
  const keys = new Set(
    all.flatMap((each) => holding(graph, each)).flatMap((relation) => graph.keysToRows(relation)),
  );
  return [...keys]
    .filter(({ enforced }) => enforced)
    .every(({ referenced, referencing }) => {
      const deletions = membersOf(referenced).map(({ deletion }) => deletion);
      return membersOf(referencing).every(({ deletion: later }) => deletions.every((each) => each <= later));
    });
}
