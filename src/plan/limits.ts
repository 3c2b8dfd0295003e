/** What is not planned, because what it should do is not certain: refused, never passed on. */
import { ProxyError } from '../errors.js';
import type { ForeignKey, Graph, Relation } from '../graph/model.js';
import { quoteRelation } from '../sql/names.js';
import type { FiringOrder } from './firing.js';

/** @throws ProxyError naming the table and the keys */
export function refuseUnplannable(graph: Graph, target: Relation, only: boolean, order: FiringOrder): void {
  const concerned = new Set([...order.deleted, ...order.firings.map(({ key }) => key.from)]);
  for (const relation of concerned) {
    refuseKind(relation, target);
    refuseDescendants(graph, relation, target, only, concerned);
  }
  order.firings.forEach(({ kind, key }, at) => {
    if (key.period) throw new ProxyError('PGC_PERIOD', { key: key.name });
    if (kind === 'action') refuseOverlap(graph, key, at, target, order);
  });
}

/** Rules rewrite a DELETE behind the proxy's back, and PostgreSQL does not allow them in a CTE. */
function refuseKind(relation: Relation, target: Relation): void {
  const what = relation.kind === 'v' ? 'a view' : relation.rules ? 'a table with rules ON DELETE' : undefined;
  if (what === undefined) return;
  const over = relation === target ? what : `referenced by ${quoteRelation(relation)}, ${what}`;
  throw new ProxyError('PGC_RELATION', { table: quoteRelation(target), what: over });
}

/** A key holds for a table and its partitions; rows of inheritance children, and keys of one partition, are apart. */
function refuseDescendants(
  graph: Graph,
  relation: Relation,
  target: Relation,
  only: boolean,
  concerned: ReadonlySet<Relation>,
): void {
  for (const below of graph.descendants(relation)) {
    const own =
      below.partition && (concerned.has(below) || graph.keysToFollow(below).some((key) => key.to === below));
    const inherits = relation === target && !only && !below.partition;
    if (!own && !inherits) continue;
    throw new ProxyError('PGC_RELATION', {
      table: quoteRelation(target),
      what: inherits
        ? `inherited from by ${quoteRelation(below)} (DELETE FROM ONLY leaves that out)`
        : `partitioned, and its partition ${quoteRelation(below)} has keys of its own`,
    });
  }
}

/** A column that one action changes and another one looks at: the outcome would depend on which comes first. */
function refuseOverlap(
  graph: Graph,
  key: ForeignKey,
  at: number,
  target: Relation,
  order: FiringOrder,
): void {
  if (key.action !== 'set null' && key.action !== 'set default') return;
  const changes = new Set(key.setColumns);
  const table = quoteRelation(target);
  if (
    key.full &&
    key.columns.length > 1 &&
    (key.action === 'set default' || changes.size < key.columns.length)
  )
    throw new ProxyError('PGC_OVERLAP', { table, key: key.name, other: `${key.name} (MATCH FULL)` });
  for (const other of graph.keysFrom(key.from)) {
    if (other === key || other.performer !== 'proxy') continue;
    if (!other.columns.some(({ from }) => changes.has(from))) continue;
    const otherAt = order.firings.findIndex((firing) => firing.key === other);
    const harmless =
      key.action === 'set null' &&
      (otherAt === -1 ||
        sameChange(key, other) ||
        (otherAt < at && other.action !== 'set null' && other.action !== 'set default'));
    if (!harmless) throw new ProxyError('PGC_OVERLAP', { table, key: key.name, other: other.name });
  }
  for (const other of graph.keysTo(key.from))
    if (other.performer === 'proxy' && other.columns.some(({ to }) => changes.has(to)))
      throw new ProxyError('PGC_REFERENCED_SET', { table, key: key.name, other: other.name });
}

function sameChange(key: ForeignKey, other: ForeignKey): boolean {
  const columns = (each: ForeignKey) => each.columns.map(({ from }) => from).join('\0');
  return (
    other.action === key.action &&
    columns(other) === columns(key) &&
    key.setColumns.join('\0') === other.setColumns.join('\0')
  );
}
