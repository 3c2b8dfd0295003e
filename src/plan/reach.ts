/** Which relations rows are deleted from, starting from those that a statement names, and by which keys. Pure. */
import type { ForeignKey, Graph, Relation } from '../graph/model.js';
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
  const found = new Map<Relation, ForeignKey[]>();
  const keys = new Set<ForeignKey>();
  const queue = [...clients];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const key of keysOf(graph, next)) {
      keys.add(key);
      if (!cascades(key)) continue;
      const by = found.get(key.from);
      if (by === undefined) queue.push({ relation: key.from, origin: 'key', inherits: false, keys: [] });
      if (by?.includes(key) !== true) found.set(key.from, [...(by ?? []), key]);
    }
  }
  const others = [...found].map(([relation, by]): Reached => {
    return { relation, origin: 'key', inherits: false, keys: by };
  });
  return { reached: [...clients, ...others], keys: [...keys].sort((a, b) => a.id - b.id) };
}

/** The keys that reference any of the rows which a deletion may take. */
function keysOf(graph: Graph, reached: Reached): readonly ForeignKey[] {
  return holding(graph, reached).flatMap((each) => graph.keysToFollow(each));
}

/** The relations that hold the rows which a deletion may take. */
export function holding(graph: Graph, { relation, inherits }: Reached): readonly Relation[] {
  return inherits ? [relation, ...graph.descendants(relation)] : graph.tree(relation);
}

/** The deletions that take rows of `relation`. */
export function membersOf(graph: Graph, relation: Relation, all: readonly Reached[]): readonly Member[] {
  const tree = graph.tree(relation);
  return all.flatMap((each, deletion): Member[] => {
    if (tree.includes(each.relation)) return [{ deletion, within: each.inherits ? oids(tree) : undefined }];
    const below = each.inherits ? graph.descendants(each.relation) : graph.tree(each.relation);
    return below.includes(relation) ? [{ deletion, within: oids(tree) }] : [];
  });
}

function oids(relations: readonly Relation[]): readonly number[] {
  return relations.map(({ oid }) => oid);
}

/**
 * Cycles of deletions: sets in which each brings rows to all, or one that brings rows to itself.
 * @param follows for each deletion those that it gets rows from
 * @returns all deletions in an order in which each stands behind those it gets rows from, cycles together (Tarjan 1972)
 */
export function ordered(follows: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const components: number[][] = [];
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const visit = (node: number): number => {
    const own = index.size;
    index.set(node, own);
    let least = own;
    stack.push(node);
    for (const next of follows[node] ?? []) {
      if (!index.has(next)) least = Math.min(least, visit(next));
      else if (stack.includes(next)) least = Math.min(least, index.get(next) ?? own);
    }
    low.set(node, least);
    if (least === own) components.push(stack.splice(stack.indexOf(node)));
    return least;
  };
  follows.forEach((_, node) => {
    if (!index.has(node)) visit(node);
  });
  return components;
}
