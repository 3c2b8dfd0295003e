/** What is not planned, because what it should do is not certain: refused, never passed on. */
import { ProxyError } from '../errors.js';
import type { BrokenKey, ForeignKey, Graph, Relation } from '../graph/model.js';
import { quoteRelation } from '../sql/names.js';
import { setsColumns, type Target } from './plan.js';
import { holding, type Reached } from './reach.js';

/**
 * @param depth how many keys lie between the client's rows and those that a key references, where that is certain
 * @throws ProxyError naming the table and the keys
 */
export function refuseUnplannable(
  graph: Graph,
  targets: readonly Target[],
  reached: readonly Reached[],
  keys: readonly ForeignKey[],
  depth: (key: ForeignKey) => number | undefined,
): void {
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  for (const each of reached) {
    refuseRules(each, table);
    refuseColumns(graph, each, table);
  }
  for (const key of keys) if (key.period) throw new ProxyError('PGC_PERIOD', { key: key.name });
  const changing = keys.filter(setsColumns);
  for (const key of changing) refuseOverlap(graph, key, keys, depth, table);
  refuseTwoChanges(graph, changing, table);
}

/**
 * A relation of the configuration that cannot be followed, though somebody meant it to be.
 * @throws ProxyError PGC_RELATION_BROKEN where the statement reaches what such a relation references
 */
export function refuseBroken(graph: Graph, targets: readonly Target[], reached: readonly Reached[]): void {
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  for (const relation of reached.flatMap((each) => holding(graph, each))) {
    const [broken] = graph.brokenTo(relation);
    if (broken) throw brokenError(table, relation, broken);
  }
}

/** What is said of a statement that deletes from, or empties, what a broken relation references. */
export function brokenError(
  table: string,
  referenced: Relation,
  { name, fault, remedy }: BrokenKey,
): ProxyError {
  const values = { table, relation: name, referenced: quoteRelation(referenced), fault, remedy };
  return new ProxyError('PGC_RELATION_BROKEN', values);
}

/** Rules rewrite a DELETE behind the proxy's back, and PostgreSQL does not allow them in a CTE. */
function refuseRules({ relation, origin }: Reached, table: string): void {
  if (!relation.rules) return;
  const what = 'a table with rules ON DELETE';
  const over = origin === 'client' ? what : `referenced by ${quoteRelation(relation)}, ${what}`;
  throw new ProxyError('PGC_RELATION', { table, what: over });
}

/** The rows of inheritance children come back with the parent's columns only. */
function refuseColumns(graph: Graph, { relation, inherits }: Reached, table: string): void {
  if (!inherits) return;
  const known = new Set(relation.columns.map(({ name }) => name));
  for (const below of graph.descendants(relation))
    for (const key of graph.keysToFollow(below))
      if (!key.columns.every(({ to }) => known.has(to)))
        throw new ProxyError('PGC_RELATION', {
          table,
          what: `inherited from by ${quoteRelation(below)}, whose own columns are referenced (DELETE FROM ONLY leaves that out)`,
        });
}

/** A column that one action changes and another one looks at: the outcome would depend on which comes first. */
function refuseOverlap(
  graph: Graph,
  key: ForeignKey,
  keys: readonly ForeignKey[],
  depth: (key: ForeignKey) => number | undefined,
  table: string,
): void {
  const changes = new Set(key.setColumns);
  if (
    key.full &&
    key.columns.length > 1 &&
    (key.action === 'set default' || changes.size < key.columns.length)
  )
    throw new ProxyError('PGC_OVERLAP', { table, key: key.name, other: `${key.name} (MATCH FULL)` });
  for (const other of graph.keysFrom(key.from)) {
    if (other === key || other.performer !== 'proxy') continue;
    if (!other.columns.some(({ from }) => changes.has(from))) continue;
    const harmless =
      key.action === 'set null' &&
      (!keys.includes(other) ||
        sameChange(key, other) ||
        (!setsColumns(other) && firesBefore(other, key, depth)));
    if (!harmless) throw new ProxyError('PGC_OVERLAP', { table, key: key.name, other: other.name });
  }
  for (const other of graph.keysTo(key.from))
    if (other.performer === 'proxy' && other.columns.some(({ to }) => changes.has(to)))
      throw new ProxyError('PGC_REFERENCED_SET', { table, key: key.name, other: other.name });
}

function firesBefore(
  one: ForeignKey,
  other: ForeignKey,
  depth: (key: ForeignKey) => number | undefined,
): boolean {
  const [first, second] = [depth(one), depth(other)];
  if (first === undefined || second === undefined) return false;
  return first < second;
}

/** Two UPDATEs in one statement that meet at a row apply only one of them: a table's are one, its partitions' are not. */
function refuseTwoChanges(graph: Graph, changing: readonly ForeignKey[], table: string): void {
  for (const key of changing)
    for (const other of changing)
      if (other.from !== key.from && graph.tree(key.from).includes(other.from))
        throw new ProxyError('PGC_OVERLAP', { table, key: key.name, other: other.name });
}

function sameChange(key: ForeignKey, other: ForeignKey): boolean {
  const columns = (each: ForeignKey) => each.columns.map(({ from }) => from).join('\0');
  return (
    other.action === key.action &&
    columns(other) === columns(key) &&
    key.setColumns.join('\0') === other.setColumns.join('\0')
  );
}
