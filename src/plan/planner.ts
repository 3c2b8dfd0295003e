/** From the relations that a statement deletes from to a Plan, over the graph. Pure. */

import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import type { Steps } from '../pace.js';
import { changersAmong, conflictsOf, type PlanSoFar, within } from './conflicts.js';
import { refuseBroken, refuseDefaults, refuseUnplannable } from './limits.js';
import { hasOrder } from './order.js';
import {
  type Change,
  type Check,
  cascades,
  grouped,
  isLate,
  type Member,
  type Plan,
  setsColumns,
  type Target,
} from './plan.js';
import { membership, ordered, type Reached, reachOf } from './reach.js';
import { returnsOf } from './returns.js';

/**
 * @param targets what the statement's DELETEs name, in their order: the plan's first deletions
 * @returns undefined where the statement concerns no key that the proxy has to perform
 * @throws ProxyError where it does, and cannot be planned with certainty
 */
export function* planDelete(graph: Graph, targets: readonly Target[]): Steps<Plan | undefined> {
  const { reached, keys } = reachOf(graph, targets);
  yield;
  refuseBroken(graph, targets, reached);
  if (keys.length === 0) return undefined;
  const referenced = [...new Set(keys.map(({ referenced }) => referenced))];
  const bare = inOrder(reached, targets.length, (all) => membersByRelation(graph, referenced, all));
  yield;
  const all = bare.map(({ reached }) => reached);
  const members = membersByRelation(graph, referenced, all);
  const depths = depthsOf(bare, members);
  yield;
  const overlaps = overlapsOf(graph, keys, all);
  refuseUnplannable(graph, targets, all, keys);

  yield;
  const changes = [...grouped(keys.filter(setsColumns), ({ referencing }) => referencing)].map(
    ([relation, setting]): Change => ({ relation, keys: setting }),
  );
  refuseDefaults(targets, changes);
  const indexes = new Map(changes.map(({ relation }, index) => [relation, index]));
  const change = (relation: Relation) => indexes.get(relation) ?? -1;
  const depth = (key: ForeignKey) => depthOf(members.get(key.referenced) ?? [], depths);
  const followed = new Set(keys);
  const changers = changersAmong(followed, graph);
  const known: PlanSoFar = { graph, keys: followed, cascading: keys.some(cascades), depth, change, changers };
  const checks = [
    ...keys.flatMap((key): readonly Check[] => {
      if (cascades(key)) return [];
      if (setsColumns(key)) return settingChecks(key, change(key.referencing));
      const gone = goneBy(key, overlaps, depth(key), depths);
      const changedBy = changers(key).map((by) => ({ key: by, within: within(by, key, graph) }));
      return [{ kind: 'rows', key, gone, changers: changedBy }];
    }),
    ...keys.filter(setsColumns).flatMap((key) => conflictsOf(key, known)),
  ];
  yield;
  const plan: Plan = {
    deletions: bare.map(({ reached, cycle }, id) => ({ ...reached, id, cycle, returns: [] })),
    members,
    overlaps,
    keys,
    changes,
    checks,
    hasOrder: hasOrder(graph, all),
    names: namesOf(graph, [...all, ...changes]),
  };
  yield;
  const returned = returnsOf(plan);
  return {
    ...plan,
    deletions: plan.deletions.map((each) => ({ ...each, returns: returned[each.id] ?? [] })),
  };
}

interface Placed {
  readonly reached: Reached;
  readonly cycle: number | undefined;
}

type Members = ReadonlyMap<Relation, readonly Member[]>;

function membersByRelation(graph: Graph, relations: readonly Relation[], all: readonly Reached[]): Members {
  const membersOf = membership(graph, all);
  return new Map(relations.map((relation) => [relation, membersOf(relation)]));
}

/** The client's deletions first; then the others, each after the deletions that it gets rows from. */
function inOrder(
  reached: readonly Reached[],
  clients: number,
  membersAmong: (all: readonly Reached[]) => Members,
): readonly Placed[] {
  const follows = parentsOf(reached, membersAmong(reached));
  const placed = ordered(follows).flatMap((nodes, cycle) =>
    nodes.map((node) => {
      const cyclic = nodes.length > 1 || follows[node]?.includes(node);
      return { node, cycle: cyclic ? cycle : undefined };
    }),
  );
  const own = placed.filter(({ node }) => node < clients).sort((a, b) => a.node - b.node);
  const others = placed.filter(({ node }) => node >= clients);
  return [...own, ...others].flatMap(({ node, cycle }) => {
    const each = reached[node];
    return each ? [{ reached: each, cycle }] : [];
  });
}

/** For each deletion the deletions that it gets rows from: those of what its keys reference. */
function parentsOf(all: readonly Reached[], members: Members): readonly (readonly number[])[] {
  return all.map(({ keys }) => [
    ...new Set(keys.flatMap((key) => (members.get(key.referenced) ?? []).map(({ deletion }) => deletion))),
  ]);
}

/**
 * How many keys lie between the client's rows and those of each deletion. PostgreSQL fires the actions on all rows of
 * one depth before those of the next. Undefined where there are several ways, or a cycle.
 */
function depthsOf(placed: readonly Placed[], members: Members): readonly (number | undefined)[] {
  const parents = parentsOf(
    placed.map(({ reached }) => reached),
    members,
  );
  const depths: (number | undefined)[] = [];
  placed.forEach(({ reached, cycle }, id) => {
    const above = new Set((parents[id] ?? []).map((parent) => depths[parent]));
    const [depth] = above;
    const one = cycle === undefined && above.size === 1 && depth !== undefined;
    depths.push(reached.origin === 'client' ? 0 : one ? depth + 1 : undefined);
  });
  return depths;
}

/** The depth of all rows of some deletions, if they have one in common. */
function depthOf(
  members: readonly { readonly deletion: number }[],
  depths: readonly (number | undefined)[],
): number | undefined {
  const found = new Set(members.map(({ deletion }) => depths[deletion]));
  return found.size === 1 ? [...found][0] : undefined;
}

function overlapsOf(
  graph: Graph,
  keys: readonly ForeignKey[],
  all: readonly Reached[],
): ReadonlyMap<Relation, readonly number[]> {
  const changed = new Set(keys.filter(setsColumns).map(({ referencing }) => referencing));
  const relations = new Set([
    ...keys.map(({ referencing }) => referencing),
    ...all.map(({ relation }) => relation),
    ...[...changed].flatMap((relation) => [
      ...graph.tree(relation),
      ...graph.keysToRows(relation).map(({ referencing }) => referencing),
    ]),
  ]);
  const membersOf = membership(graph, all);
  return new Map(
    [...relations].map((relation) => [relation, membersOf(relation).map(({ deletion }) => deletion)]),
  );
}

function settingChecks(key: ForeignKey, change: number): readonly Check[] {
  if (key.action === 'set null') return [];
  return [
    { kind: 'same key', key, by: key, change, within: undefined },
    { kind: 'new key', key, by: key, change, within: undefined },
  ];
}

/** Rows of one depth are deleted by what fires for the rows of the depth above; at COMMIT all are gone. */
function goneBy(
  key: ForeignKey,
  overlaps: ReadonlyMap<Relation, readonly number[]>,
  check: number | undefined,
  depths: readonly (number | undefined)[],
): 'none' | 'all' | 'some' {
  const deleting = overlaps.get(key.referencing) ?? [];
  if (deleting.length === 0) return 'none';
  if (isLate(key)) return 'all';
  if (check === undefined) return 'some';
  const inTime = deleting.every((id) => {
    const depth = depths[id];
    return depth !== undefined && depth <= check;
  });
  return inTime ? 'all' : 'some';
}

function namesOf(graph: Graph, all: readonly { readonly relation: Relation }[]): ReadonlyMap<number, string> {
  return new Map(
    all.flatMap(({ relation }) => graph.tree(relation)).map(({ oid, name }): [number, string] => [oid, name]),
  );
}
