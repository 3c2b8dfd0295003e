/** What comes of rows that leave keys by which others reference them: their ON UPDATE, as far as the proxy performs the keys. Pure. */
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { hasOwnRowsOnly, isGuarded, setReferenced } from './guard.js';

/** Rows that may leave keys: those that the client's statement changes, or those that ON UPDATE changes. */
export interface Leaving {
  /** Its place among those of the plan. */
  readonly id: number;
  readonly relation: Relation;
  /** The key whose ON UPDATE changes them, for rows of which other ones; undefined for the client's own. */
  readonly by: { readonly key: ForeignKey; readonly above: number } | undefined;
  /** The keys that they may leave, oldest first: as PostgreSQL fires them. */
  readonly keys: readonly ForeignKey[];
  /** Their own keys that they may get by this, and that have to reference something then. */
  readonly written: readonly ForeignKey[];
}

export interface UpdatePlan {
  /** The client's own first, each behind that by which it comes. */
  readonly leaving: readonly Leaving[];
  /** The keys of which it cannot be done what they say: a row that leaves one stops the statement. */
  readonly refused: readonly ForeignKey[];
}

/** @param referenced what references columns that the client's statement sets */
export function planUpdate(graph: Graph, relation: Relation, referenced: readonly ForeignKey[]): UpdatePlan {
  const refused = new Set<ForeignKey>();
  const oldestFirst = [...referenced].sort((a, b) => a.id - b.id);
  for (;;) {
    const keys = oldestFirst.filter((key) => !refused.has(key));
    const walked = walk(graph, { id: 0, relation, by: undefined, keys, written: [] });
    if (walked.kind === 'planned') return { leaving: walked.leaving, refused: [...refused] };
    // Each of them is one of the client's own, so that this ends.
    for (const key of walked.refused) refused.add(key);
  }
}

/** Whether what references a left key by this one is changed, and not only looked for. */
export function acts({ onUpdate }: ForeignKey): boolean {
  return onUpdate !== 'no action' && onUpdate !== 'restrict';
}

type Walked =
  | { readonly kind: 'planned'; readonly leaving: readonly Leaving[] }
  /** The keys of the client's own rows that lead to what cannot be done. */
  | { readonly kind: 'refused'; readonly refused: readonly ForeignKey[] };

function walk(graph: Graph, own: Leaving): Walked {
  const leaving: Leaving[] = [own];
  /** For each key whose ON UPDATE acts, the key of the client's rows that leads to it. */
  const roots = new Map<ForeignKey, ForeignKey>();
  // The list grows while it is gone through.
  for (const above of leaving)
    for (const key of above.keys.filter(acts)) {
      const root = above.by === undefined ? key : (roots.get(above.by.key) ?? key);
      const conflicting = [...roots].filter(([other]) => conflict(graph, key, other)).map(([, by]) => by);
      const next = followed(graph, key, above, leaving.length);
      if (next === undefined || conflicting.length > 0)
        return { kind: 'refused', refused: [...new Set([root, ...conflicting])] };
      roots.set(key, root);
      leaving.push(next);
    }
  return { kind: 'planned', leaving };
}

/** @returns undefined where not all that comes of it can be followed */
function followed(graph: Graph, key: ForeignKey, above: Leaving, id: number): Leaving | undefined {
  const { referencing: relation } = key;
  const sets = setBy(key);
  const keys = [...setReferenced(graph, relation, { sets })].sort((a, b) => a.id - b.id);
  const written = graph
    .keysOnRows(relation)
    .filter((other) => isGuarded(other) && (other !== key || key.onUpdate === 'set default'))
    .filter((other) => other.columns.some(({ referencing }) => sets.includes(referencing)));
  const isKnown =
    ['r', 'p'].includes(relation.kind) &&
    !key.period &&
    [...keys, ...written].every((each) => !each.period) &&
    (keys.length === 0 || hasOwnRowsOnly(graph, relation)) &&
    written.every((other) => graph.isPartOf(relation, other.referencing));
  return isKnown ? { id, relation, by: { key, above: above.id }, keys, written } : undefined;
}

/** The columns that its ON UPDATE sets: all of its own. */
export function setBy({ columns }: ForeignKey): readonly string[] {
  return columns.map(({ referencing }) => referencing);
}

/**
 * Whether two keys may change the same row, so that it matters which of them comes first: both set one column, or columns of one key.
 * So does one key that is reached twice: by rows that reference each other, for instance.
 */
function conflict(graph: Graph, one: ForeignKey, other: ForeignKey): boolean {
  const { referencing: relation } = one;
  if (!graph.isPartOf(relation, other.referencing) && !graph.isPartOf(other.referencing, relation))
    return false;
  const [some, others] = [setBy(one), setBy(other)];
  const both = graph.keysOnRows(relation).map(setBy);
  const isShared = (columns: readonly string[]) =>
    columns.some((column) => some.includes(column)) && columns.some((column) => others.includes(column));
  return some.some((column) => others.includes(column)) || both.some(isShared);
}
