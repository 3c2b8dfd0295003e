/**
 * In which order PostgreSQL fires the actions of a DELETE.
 *
 * Natively every deleted row queues one event a key, oldest key first; the rows that an action deletes or changes queue
 * theirs behind (trigger.c, AfterTriggerSaveEvent; ri_triggers.c runs its queries with fire_triggers = false). A RESTRICT
 * or NO ACTION check therefore sees the rows gone that were deleted by an earlier event, and no others. Here the queue is
 * played through once for the tables, as if every key had one match: what it gives holds for every row, but where a
 * table is reached over paths of several lengths.
 */
import type { ForeignKey, Graph, Relation } from '../graph/model.js';

/** One key's action on the rows deleted from `parent`, or the check of the keys that SET DEFAULT gave. */
export interface Firing {
  readonly kind: 'action' | 'new keys';
  readonly key: ForeignKey;
  /** The relation deleted from: `key.to`, or the partition of it that the statement names. */
  readonly parent: Relation;
  /** The place in the queue of the rows that fire it: all of a stage fire before those of the next. */
  readonly stage: number;
}

export interface FiringOrder {
  /** By stage, and within one by the age of the keys. */
  readonly firings: readonly Firing[];
  /** Every relation that rows are deleted from. */
  readonly deleted: ReadonlySet<Relation>;
}

export function firingOrder(graph: Graph, target: Relation): FiringOrder {
  const firings: Firing[] = [];
  const deleted = new Set<Relation>([target]);
  const queue: (Relation | Firing)[] = [target];
  for (let stage = 0; stage < queue.length; stage++) {
    const next = queue[stage];
    if (next === undefined) break;
    if ('key' in next) {
      firings.push({ ...next, kind: 'new keys', stage });
      continue;
    }
    for (const key of graph.keysToFollow(next)) {
      const firing: Firing = { kind: 'action', key, parent: next, stage };
      firings.push(firing);
      if (key.action === 'set default') queue.push(firing);
      if (key.action !== 'cascade' || deleted.has(key.from)) continue;
      deleted.add(key.from);
      queue.push(key.from);
    }
  }
  return { firings, deleted };
}
