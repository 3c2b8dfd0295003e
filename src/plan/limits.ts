/** DELETEs that are not planned, because it is not certain what they should do: they are refused, never passed on. */
import { ProxyError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { BrokenKey, ForeignKey, Relation } from '../graph/model.js';
import { quoteRelation } from '../sql/names.js';
import type { Change, Target } from './plan.js';
import { holding, type Reached } from './reach.js';

/** @throws ProxyError naming the table and the keys */
export function refuseUnplannable(
  graph: Graph,
  targets: readonly Target[],
  reached: readonly Reached[],
  keys: readonly ForeignKey[],
): void {
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  for (const each of reached) {
    refuseRewriteRules(each, table);
    refuseColumns(graph, each, table);
  }
  for (const key of keys) if (key.period) throw new ProxyError('PGC_PERIOD', { key: key.name });
}

/**
 * Refuses a DELETE that reaches what a relation of the configuration references which cannot be followed.
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
  { name, where, fault, remedy }: BrokenKey,
): ProxyError {
  const values = { table, relation: name, referenced: quoteRelation(referenced), where, fault, remedy };
  return new ProxyError('PGC_RELATION_BROKEN', values);
}

/** Each set of SET DEFAULT keys of a table is an UPDATE of its own (changes.ts): one key more is twice as many. */
const MOST_DEFAULTS = 8;

/** @throws ProxyError PGC_DEFAULTS for a table with more SET DEFAULT keys than one statement can act on */
export function refuseDefaults(targets: readonly Target[], changes: readonly Change[]): void {
  for (const { relation, keys } of changes) {
    const count = keys.filter(({ action }) => action === 'set default').length;
    if (count <= MOST_DEFAULTS) continue;
    const table = targets.map((target) => quoteRelation(target.relation)).join(', ');
    throw new ProxyError('PGC_DEFAULTS', { table, from: quoteRelation(relation), count: String(count) });
  }
}

/** The server rewrites a DELETE by the rewrite rules of its table, and does not allow that in a CTE. */
function refuseRewriteRules({ relation, origin }: Reached, table: string): void {
  if (!relation.rewriteRules) return;
  const what = 'a table with rules ON DELETE';
  const over = origin === 'client' ? what : `referenced by ${quoteRelation(relation)}, ${what}`;
  throw new ProxyError('PGC_RELATION', { table, what: over });
}

/** RETURNING gives of the rows of inheritance children only the parent's columns. */
function refuseColumns(graph: Graph, { relation, inherits }: Reached, table: string): void {
  if (!inherits) return;
  const known = new Set(relation.columns.map(({ name }) => name));
  for (const below of graph.descendants(relation))
    for (const key of graph.keysToFollow(below))
      if (!key.columns.every(({ referenced }) => known.has(referenced)))
        throw new ProxyError('PGC_RELATION', {
          table,
          what: `inherited from by ${quoteRelation(below)}, whose own columns are referenced (DELETE FROM ONLY leaves that out)`,
        });
}
