/**
 * The triggers that fire where a statement deletes rows, or where its cascade deletes or changes some, and whose functions may
 * delete more: that happens inside of the server, where it is neither cascaded nor checked. Pure.
 */
import type { DeletingTrigger } from '../graph/catalog/catalog.js';
import type { Graph } from '../graph/graph.js';
import type { Relation } from '../graph/model.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import { cascades, setsColumns, type Target } from './plan.js';

export interface FiringTrigger {
  readonly on: Relation;
  readonly trigger: DeletingTrigger;
}

/** @returns the triggers that fire for DELETEs from these relations, and for what all keys do then, the proxy's and the server's */
export function firedByDelete(
  graph: Graph,
  targets: readonly Pick<Target, 'relation' | 'only'>[],
): readonly FiringTrigger[] {
  const reached = new Set<string>();
  const fired: FiringTrigger[] = [];
  const queue = [...targets];
  for (const { relation, only } of queue) {
    const target = `${relation.oid}/${only}`;
    if (reached.has(target)) continue;
    reached.add(target);
    const holding = only ? graph.tree(relation) : [relation, ...graph.descendants(relation)];
    for (const each of firing(graph, relation, holding, ({ deletes }) => deletes)) fired.push(each);
    for (const key of holding.flatMap((each) => graph.keysTo(each))) {
      if (key.performer === 'nobody') continue;
      if (cascades(key)) queue.push({ relation: key.referencing, only: true });
      if (!setsColumns(key)) continue;
      const updates = ({ updates, columns }: DeletingTrigger) =>
        updates && (columns === null || columns.some((column) => key.setColumns.includes(column)));
      for (const each of firing(graph, key.referencing, graph.tree(key.referencing), updates))
        fired.push(each);
    }
  }
  return distinct(fired);
}

/** @returns the triggers ON TRUNCATE of these relations */
export function firedByTruncate(relations: Iterable<Relation>): readonly FiringTrigger[] {
  return [...relations].flatMap((on) =>
    on.triggers.filter(({ truncates }) => truncates).map((trigger) => ({ on, trigger })),
  );
}

/** `trigger "t" on "s"."items" (function s.f)`, for messages. */
export function describeTrigger({ on, trigger }: FiringTrigger): string {
  return `trigger ${quoteName(trigger.name)} on ${quoteRelation(on)} (function ${trigger.function})`;
}

/** The triggers of the relation that is named; and those FOR EACH ROW of the relations that hold its rows, and of their ancestors. */
function firing(
  graph: Graph,
  named: Relation,
  holding: readonly Relation[],
  fires: (trigger: DeletingTrigger) => boolean,
): readonly FiringTrigger[] {
  const others = new Set([...holding, ...holding.flatMap((each) => graph.ancestors(each))]);
  return [...others].flatMap((on) =>
    on.triggers
      .filter((trigger) => fires(trigger) && (trigger.row || on === named))
      .map((trigger) => ({ on, trigger })),
  );
}

function distinct(fired: readonly FiringTrigger[]): readonly FiringTrigger[] {
  return [...new Map(fired.map((each) => [each.trigger, each])).values()];
}
