/**
 * In which order PostgreSQL fires the actions of a DELETE.
 *
 * Natively every deleted row queues one event a key, oldest key first; the rows that an action deletes queue theirs
 * behind (trigger.c, AfterTriggerSaveEvent; ri_triggers.c runs its queries with fire_triggers = false). A RESTRICT or
 * NO ACTION check therefore sees the rows gone that were deleted by an earlier event, and no others. Here the queue is
 * played through once for the tables, as if one row were deleted and every key had one match: that order decides
 * for every row. (Natively rows that reach a table over paths of several lengths can each have their own.)
 */
import type { ForeignKey, Graph, Relation } from '../graph/model.js';

/** One key's action on the rows deleted from `parent`. */
export interface Firing {
  readonly key: ForeignKey;
  /** The relation deleted from: `key.to`, or the partition of it that the statement names. */
  readonly parent: Relation;
}

export interface FiringOrder {
  /** All actions, in their order. */
  readonly firings: readonly Firing[];
  /** For each relation that rows are deleted from: the position in `firings` that deletes them first; -1 for the target. */
  readonly deletedAt: ReadonlyMap<Relation, number>;
}

export function firingOrder(graph: Graph, target: Relation): FiringOrder {
  const firings: Firing[] = [];
  const deletedAt = new Map<Relation, number>([[target, -1]]);
  // A Map gives its keys in the order they were added, those added meanwhile too: it is the queue.
  for (const parent of deletedAt.keys()) {
    for (const key of graph.keysToFollow(parent)) {
      if (key.action === 'cascade' && !deletedAt.has(key.from)) deletedAt.set(key.from, firings.length);
      firings.push({ key, parent });
    }
  }
  return { firings, deletedAt };
}
