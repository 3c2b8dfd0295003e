/** From a relation that is deleted from to a Plan, over the graph. Pure. */
import { ProxyError } from '../errors.js';
import type { ForeignKey, Graph, Relation } from '../graph/model.js';
import { quoteRelation } from '../sql/names.js';
import { type Firing, type FiringOrder, firingOrder } from './firing.js';
import { identity } from './identity.js';
import { refuseUnplannable } from './limits.js';
import type { Change, Check, Deletion, Edge, Plan } from './plan.js';

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
  const edge = ({ key, parent }: Firing): Edge => ({ key, parent: place.get(parent) ?? 0 });
  const edgesOf = (relation: Relation, wanted: (key: ForeignKey) => boolean): Edge[] =>
    order.firings.filter(({ key }) => key.from === relation && wanted(key)).map(edge);

  const changed = new Set(order.firings.filter(({ key }) => setsColumns(key)).map(({ key }) => key.from));
  const changes: Change[] = [...changed].map((relation) => ({
    relation,
    edges: edgesOf(relation, setsColumns),
    except: place.get(relation),
  }));
  const checks = order.firings.flatMap((firing, at) =>
    checksOf(firing, at, order, edge(firing), place, changes),
  );
  const bare = relations.map(
    (relation, id): Deletion => ({
      id,
      relation,
      edges: edgesOf(relation, (key) => key.action === 'cascade').filter(() => id > 0),
      returns: [],
    }),
  );
  return {
    target,
    deletions: bare.map((each) => ({ ...each, returns: returnsOf(each, bare, changes, checks) })),
    changes,
    checks,
  };
}

export function setsColumns(key: ForeignKey): boolean {
  return key.action === 'set null' || key.action === 'set default';
}

/** The relations rows are deleted from, referenced ones first. @throws ProxyError PGC_CYCLE */
function deletionOrder(graph: Graph, target: Relation): readonly Relation[] {
  const done: Relation[] = [];
  const open = new Set<Relation>();
  const visit = (relation: Relation): void => {
    open.add(relation);
    for (const key of graph.keysToFollow(relation)) {
      if (key.action !== 'cascade') continue;
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
  { key }: Firing,
  at: number,
  order: FiringOrder,
  edge: Edge,
  place: ReadonlyMap<Relation, number>,
  changes: readonly Change[],
): readonly Check[] {
  switch (key.action) {
    case 'no action':
    case 'restrict': {
      const deletedAt = order.deletedAt.get(key.from);
      const goneByThen = deletedAt !== undefined && deletedAt < at;
      return [{ kind: 'rows', edge, other: goneByThen ? place.get(key.from) : undefined }];
    }
    case 'set default':
      return [{ kind: 'default', edge, other: changes.findIndex(({ relation }) => relation === key.from) }];
    case 'cascade':
    case 'set null':
      return [];
  }
}

function returnsOf(
  deletion: Deletion,
  all: readonly Deletion[],
  changes: readonly Change[],
  checks: readonly Check[],
): readonly string[] {
  const edges = [...all, ...changes].flatMap(({ edges }) => edges).concat(checks.map((check) => check.edge));
  const keys = edges
    .filter(({ parent }) => parent === deletion.id)
    .flatMap(({ key }) => key.columns.map(({ to }) => to));
  const told =
    changes.some(({ except }) => except === deletion.id) ||
    checks.some(({ kind, other }) => kind === 'rows' && other === deletion.id);
  return [...new Set([...keys, ...(told ? identity(deletion.relation) : [])])];
}
