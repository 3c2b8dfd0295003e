/** From a relation that is deleted from to a Plan, over the graph. Pure. */
import { ProxyError } from '../errors.js';
import type { ForeignKey, Graph, Relation } from '../graph/model.js';
import { quoteRelation } from '../sql/names.js';
import { type Firing, type FiringOrder, firingOrder } from './firing.js';
import { identity } from './identity.js';
import { refuseUnplannable } from './limits.js';
import type { Change, Check, Deletion, Edge, Plan, Spared, SparingEdge } from './plan.js';

/**
 * @param only whether the statement says ONLY: inheritance children are then not deleted from
 * @returns undefined where the statement concerns no key that the proxy has to perform
 * @throws ProxyError where it does, and cannot be planned with certainty
 */
export function planDelete(graph: Graph, target: Relation, only: boolean): Plan | undefined {
  const order = firingOrder(graph, target);
  const related = [...graph.descendants(target), ...graph.viewed(target)];
  if (order.firings.length === 0 && !related.some((other) => graph.acts(other))) return undefined;
  const relations = deletionOrder(graph, target);
  refuseUnplannable(graph, target, only, order);
  if (order.firings.length === 0) return undefined;

  const place = new Map(relations.map((relation, i) => [relation, i]));
  const edgesTo = (relation: Relation, wanted: (key: ForeignKey) => boolean): Edge[] =>
    order.firings
      .filter(({ kind, key }) => kind === 'action' && key.from === relation && wanted(key))
      .map((firing) => edgeOf(firing, place));
  const changed = new Set(order.firings.filter(({ key }) => setsColumns(key)).map(({ key }) => key.from));
  const changes: Change[] = [...changed].map((relation) => ({
    relation,
    edges: edgesTo(relation, setsColumns),
    except: place.get(relation),
  }));
  const checks = order.firings.flatMap((firing) => checksOf(firing, order, place, changes));
  const bare = relations.map(
    (relation, id): Deletion => ({
      id,
      relation,
      edges: edgesTo(relation, cascades),
      returns: [],
      ordered: false,
    }),
  );
  const ordered = orderedDeletions(bare, changes, checks);
  const deletions = bare
    .map((each) => ({ ...each, ordered: ordered.has(each.id) }))
    .map((each) => ({ ...each, returns: returnsOf(each, bare, changes, checks) }));
  return { target, deletions, changes, checks };
}

function cascades(key: ForeignKey): boolean {
  return key.action === 'cascade';
}

function setsColumns(key: ForeignKey): boolean {
  return key.action === 'set null' || key.action === 'set default';
}

type Places = ReadonlyMap<Relation, number>;

function edgeOf({ key, parent, stage }: Firing, place: Places): Edge {
  return { key, parent: place.get(parent) ?? 0, stage };
}

/** Those whose rows a check tells one by one, and those that their order comes from. */
function orderedDeletions(
  deletions: readonly Deletion[],
  changes: readonly Change[],
  checks: readonly Check[],
): ReadonlySet<number> {
  const sparing = checks.flatMap((check) => (check.kind === 'rows' ? (check.spared?.edges ?? []) : []));
  const defaults = changes.flatMap(({ edges }) => edges.filter(({ key }) => key.action === 'set default'));
  const ordered = new Set(
    [...checks.map(({ edge }) => edge), ...sparing, ...defaults].map(({ parent }) => parent),
  );
  for (const id of ordered) for (const { parent } of deletions[id]?.edges ?? []) ordered.add(parent);
  return ordered;
}

/** The relations rows are deleted from, referenced ones first. @throws ProxyError PGC_CYCLE */
function deletionOrder(graph: Graph, target: Relation): readonly Relation[] {
  const done: Relation[] = [];
  const open = new Set<Relation>();
  const visit = (relation: Relation): void => {
    open.add(relation);
    for (const key of graph.keysToFollow(relation)) {
      if (!cascades(key)) continue;
      if (open.has(key.from))
        throw new ProxyError('PGC_CYCLE', { table: quoteRelation(target), key: key.name });
      if (!done.includes(key.from)) visit(key.from);
    }
    open.delete(relation);
    done.push(relation);
  };
  visit(target);
  return done.reverse();
}

function checksOf(
  firing: Firing,
  order: FiringOrder,
  place: Places,
  changes: readonly Change[],
): readonly Check[] {
  const { key, stage, kind } = firing;
  const edge = edgeOf(firing, place);
  const change = changes.findIndex(({ relation }) => relation === key.from);
  if (kind === 'new keys') return [{ kind: 'new key', edge, stage, change }];
  switch (key.action) {
    case 'no action':
    case 'restrict':
      return [{ kind: 'rows', edge, stage, spared: sparedBy(firing, order, place) }];
    case 'set default':
      return [{ kind: 'same key', edge, stage, change }];
    case 'cascade':
    case 'set null':
      return [];
  }
}

/** The rows of the referencing table that earlier firings have deleted. */
function sparedBy(check: Firing, { firings }: FiringOrder, place: Places): Spared | undefined {
  const deletion = place.get(check.key.from);
  if (deletion === undefined) return undefined;
  const deleting = firings.filter(({ key }) => key.from === check.key.from && cascades(key));
  const edges = deleting.flatMap((firing): SparingEdge[] => {
    const edge = edgeOf(firing, place);
    if (firing.stage < check.stage) return [{ ...edge, fires: 'before' }];
    if (firing.stage > check.stage) return [];
    return [{ ...edge, fires: firing.key.id < check.key.id ? 'older' : 'younger' }];
  });
  // The client's own rows are gone before anything fires, and no edge leads to them.
  const all = edges.length === deleting.length && edges.every(({ fires }) => fires === 'before');
  return all || edges.length > 0 ? { deletion, all, edges } : undefined;
}

function returnsOf(
  deletion: Deletion,
  all: readonly Deletion[],
  changes: readonly Change[],
  checks: readonly Check[],
): readonly string[] {
  const edges = [...all, ...changes].flatMap((each) => each.edges).concat(checks.map(({ edge }) => edge));
  const keys = edges
    .filter(({ parent }) => parent === deletion.id)
    .flatMap(({ key }) => key.columns.map(({ to }) => to));
  const told =
    changes.some(({ except }) => except === deletion.id) ||
    checks.some((check) => check.kind === 'rows' && check.spared?.deletion === deletion.id);
  const own = deletion.ordered
    ? deletion.edges.flatMap(({ key }) => key.columns.map(({ from }) => from))
    : [];
  return [...new Set([...keys, ...own, ...(told ? identity(deletion.relation) : [])])];
}
