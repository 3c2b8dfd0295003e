/** From the relations that a statement deletes from to a Plan, over the graph. Pure. */
import type { ForeignKey, Graph, Relation } from '../graph/model.js';
import { changersOf, conflictsOf } from './conflicts.js';
import { identity } from './identity.js';
import { refuseBroken, refuseUnplannable } from './limits.js';
import {
  type Change,
  type Check,
  cascades,
  type Deletion,
  isLate,
  type Member,
  type Plan,
  setsColumns,
  type Target,
} from './plan.js';
import { membersOf, ordered, type Reached, reachOf } from './reach.js';

/**
 * @param targets what the statement's DELETEs name, in their order: the plan's first deletions
 * @returns undefined where the statement concerns no key that the proxy has to perform
 * @throws ProxyError where it does, and cannot be planned with certainty
 */
export function planDelete(graph: Graph, targets: readonly Target[]): Plan | undefined {
  const { reached, keys } = reachOf(graph, targets);
  refuseBroken(graph, targets, reached);
  if (keys.length === 0) return undefined;
  const referenced = [...new Set(keys.map(({ to }) => to))];
  const bare = inOrder(reached, targets.length, (all) => membersByRelation(graph, referenced, all));
  const all = bare.map(({ reached }) => reached);
  const members = membersByRelation(graph, referenced, all);
  const depths = depthsOf(bare, members);
  const overlaps = overlapsOf(graph, keys, all);
  refuseUnplannable(graph, targets, all, keys);

  const changed = [...new Set(keys.filter(setsColumns).map(({ from }) => from))];
  const changes = changed.map((relation): Change => {
    return { relation, keys: keys.filter((key) => key.from === relation && setsColumns(key)) };
  });
  const depth = (key: ForeignKey) => depthOf(members.get(key.to) ?? [], depths);
  const known = { graph, keys, depth, changed };
  const checks = [
    ...keys.flatMap((key): readonly Check[] => {
      if (cascades(key)) return [];
      if (setsColumns(key)) return settingChecks(key, changed.indexOf(key.from));
      const gone = goneBy(key, overlaps, depth(key), depths);
      return [{ kind: 'rows', key, gone, changers: changersOf(key, keys, graph) }];
    }),
    ...keys.filter(setsColumns).flatMap((key) => conflictsOf(key, known)),
  ];
  const plan: Plan = {
    deletions: bare.map(({ reached, cycle }, id) => ({ ...reached, id, cycle, returns: [] })),
    members,
    overlaps,
    keys,
    changes,
    checks,
    names: namesOf(graph, [...all, ...changes]),
  };
  return { ...plan, deletions: plan.deletions.map((each) => ({ ...each, returns: returnsOf(each, plan) })) };
}

interface Placed {
  readonly reached: Reached;
  readonly cycle: number | undefined;
}

type Members = ReadonlyMap<Relation, readonly Member[]>;

function membersByRelation(graph: Graph, relations: readonly Relation[], all: readonly Reached[]): Members {
  return new Map(relations.map((relation) => [relation, membersOf(graph, relation, all)]));
}

/** The client's deletions first, then each behind those it gets rows from. */
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

/** For each deletion those that it gets rows from. */
function parentsOf(all: readonly Reached[], members: Members): readonly (readonly number[])[] {
  return all.map(({ keys }) => [
    ...new Set(keys.flatMap((key) => (members.get(key.to) ?? []).map(({ deletion }) => deletion))),
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
  const changed = keys.filter(setsColumns).map(({ from }) => from);
  const relations = new Set([
    ...keys.map(({ from }) => from),
    ...all.map(({ relation }) => relation),
    ...changed.flatMap((relation) => [
      ...graph.tree(relation),
      ...graph.keysToRows(relation).map(({ from }) => from),
    ]),
  ]);
  return new Map(
    [...relations].map((relation) => [
      relation,
      membersOf(graph, relation, all).map(({ deletion }) => deletion),
    ]),
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
  const deleting = overlaps.get(key.from) ?? [];
  if (deleting.length === 0) return 'none';
  if (isLate(key)) return 'all';
  if (check === undefined) return 'some';
  const inTime = deleting.every((id) => {
    const depth = depths[id];
    return depth !== undefined && depth <= check;
  });
  return inTime ? 'all' : 'some';
}

function returnsOf(deletion: Deletion, plan: Plan): readonly string[] {
  const has = (relation: Relation) =>
    (plan.members.get(relation) ?? []).find((member) => member.deletion === deletion.id);
  const referenced = plan.keys.flatMap((key) => {
    const { to, columns } = key;
    const member = has(to);
    if (member === undefined) return [];
    const place = plan.checks.some((check) => imageBy(check) === key) ? ['tableoid', 'ctid'] : [];
    return [...columns.map((column) => column.to), ...place, ...(member.within ? ['tableoid'] : [])];
  });
  const others = plan.deletions.filter(({ relation, origin, cycle }) => {
    return origin === 'key' && (deletion.origin === 'client' || (cycle !== undefined && relation.keeps));
  });
  const told = [
    ...others.map(({ relation }) => relation),
    ...plan.changes.map(({ relation }) => relation),
    ...plan.checks.flatMap((check) => lookedAt(check)),
    ...plan.keys.map(({ from }) => from).filter(({ keeps }) => keeps && plan.checks.length > 0),
  ].flatMap((relation) => toldApart(deletion, relation, plan));
  // What was found is compared with what several deletions took.
  const found = deletion.cycle !== undefined && deletion.relation.keeps;
  const all = found ? [...deletion.relation.primaryKey, 'tableoid', 'ctid'] : [];
  const queued = deletion.origin === 'client' && plan.checks.length > 0 ? ['tableoid', 'ctid'] : [];
  return [...new Set([...referenced, ...told, ...all, ...queued])];
}

/** The key that a check wants to know the rows of which it referenced before. */
function imageBy(check: Check): ForeignKey | undefined {
  switch (check.kind) {
    case 'same key':
    case 'new key':
    case 'mixed key':
      return check.by;
    case 'not null':
    case 'overlap':
      return check.key;
    default:
      return undefined;
  }
}

/** The relations of which a check wants to know what is deleted. */
function lookedAt(check: Check): readonly Relation[] {
  switch (check.kind) {
    case 'referenced':
      return [check.key.from, check.on, check.other.from];
    case 'overlap':
      return [check.key.from, check.on];
    case 'order':
      return [];
    default:
      return [check.key.from];
  }
}

/** What the deletion returns so that its rows can be told apart among those of `relation`. */
function toldApart(deletion: Deletion, relation: Relation, plan: Plan): readonly string[] {
  return plan.overlaps.get(relation)?.includes(deletion.id) ? identity(relation, deletion) : [];
}

function namesOf(graph: Graph, all: readonly { readonly relation: Relation }[]): ReadonlyMap<number, string> {
  return new Map(
    all.flatMap(({ relation }) => graph.tree(relation)).map(({ oid, name }): [number, string] => [oid, name]),
  );
}
