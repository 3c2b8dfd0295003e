/** The relations that rows are deleted from, starting from those that a statement names, and the keys that lead there. Pure. */

import { append } from '../graph/append.js';
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { cascades, type Member, type Target } from './plan.js';

/** A deletion as the walk finds it; its place in the list is its id. */
export interface Reached {
  readonly relation: Relation;
  readonly origin: 'client' | 'key';
  readonly inherits: boolean;
  readonly keys: readonly ForeignKey[];
}

export interface Reach {
  readonly reached: readonly Reached[];
  /** The keys that reference rows which may be deleted, oldest first. */
  readonly keys: readonly ForeignKey[];
}

export function reachOf(graph: Graph, targets: readonly Target[]): Reach {
  const clients = targets.map(({ relation, only }): Reached => {
    const inherits = !only && graph.descendants(relation).some(({ partition }) => !partition);
    return { relation, origin: 'client', inherits, keys: [] };
  });
  const found = new Map<Relation, Set<ForeignKey>>();
  const keys = new Set<ForeignKey>();
  const queue = [...clients];
  for (const next of queue) {
    for (const key of keysOf(graph, next)) {
      keys.add(key);
      if (!cascades(key)) continue;
      const by = found.get(key.referencing);
      if (by) by.add(key);
      else {
        found.set(key.referencing, new Set([key]));
        queue.push({ relation: key.referencing, origin: 'key', inherits: false, keys: [] });
      }
    }
  }
  const others = [...found].map(([relation, by]): Reached => {
    return { relation, origin: 'key', inherits: false, keys: [...by] };
  });
  return { reached: [...clients, ...others], keys: [...keys].sort((a, b) => a.id - b.id) };
}

/** The keys that reference any of the rows which a deletion may take. */
function keysOf(graph: Graph, reached: Reached): readonly ForeignKey[] {
  // Partitions share their lists.
  const lists = new Set(holding(graph, reached).map((each) => graph.keysToFollow(each)));
  return [...lists].flat();
}

/** The relations that hold the rows which a deletion may take. */
export function holding(graph: Graph, { relation, inherits }: Reached): readonly Relation[] {
  return inherits ? [relation, ...graph.descendants(relation)] : graph.tree(relation);
}

/** @returns for a relation the deletions that take rows of it, in their order */
export function membership(graph: Graph, all: readonly Reached[]): (relation: Relation) => readonly Member[] {
  const from = new Map<Relation, number[]>();
  const through = new Map<Relation, number[]>();
  all.forEach((each, deletion) => {
    append(from, each.relation, deletion);
    for (const below of holding(graph, each)) if (below !== each.relation) append(through, below, deletion);
  });
  return (relation) => {
    const tree = graph.tree(relation);
    const within = oids(tree);
    const own = new Set(tree.flatMap((each) => from.get(each) ?? []));
    const deletions = new Set([...own, ...(through.get(relation) ?? [])]);
    return [...deletions]
      .sort((a, b) => a - b)
      .map((deletion) => {
        const whole = own.has(deletion) && all[deletion]?.inherits !== true;
        return { deletion, within: whole ? undefined : within };
      });
  };
}

function oids(relations: readonly Relation[]): readonly number[] {
  return relations.map(({ oid }) => oid);
}

/**
 * Cycles of deletions: sets in which each brings rows to all, or one that brings rows to itself.
 * @param follows for each deletion those that it gets rows from
 * @returns all deletions, each after those that it gets rows from, and the members of a cycle together (Tarjan 1972)
 */
export function ordered(follows: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const components: number[][] = [];
  const index = new Map<number, number>();
  const stack: number[] = [];
  const open = new Set<number>();
  // The way from a first node to the one that is looked at. Not by recursion: a chain may be thousands of tables long.
  const path: { node: number; own: number; least: number; rest: Iterator<number> }[] = [];
  const enter = (node: number) => {
    const own = index.size;
    index.set(node, own);
    stack.push(node);
    open.add(node);
    path.push({ node, own, least: own, rest: (follows[node] ?? []).values() });
  };
  follows.forEach((_, first) => {
    if (!index.has(first)) enter(first);
    for (let at = path.at(-1); at; at = path.at(-1)) {
      const next = at.rest.next();
      if (next.done !== true) {
        const seen = index.get(next.value);
        if (seen === undefined) enter(next.value);
        else if (open.has(next.value)) at.least = Math.min(at.least, seen);
        continue;
      }
      path.pop();
      const before = path.at(-1);
      if (before) before.least = Math.min(before.least, at.least);
      if (at.least < at.own) continue;
      const component = stack.splice(stack.lastIndexOf(at.node));
      for (const node of component) open.delete(node);
      components.push(component);
    }
  });
  return components;
}
