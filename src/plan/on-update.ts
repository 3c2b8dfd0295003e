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
  /** The keys of these rows to which `by` gives other values: each has to reference something afterwards. */
  readonly written: readonly ForeignKey[];
  /** Another key's ON UPDATE may change the same rows, or that of the same key does so again, where it is reached by two ways. */
  readonly isShared: boolean;
  /**
   * Only one of these rows may leave keys; a second one stops the statement. Two of the keys lead, by ways of the same length, to rows that
   * both may change. PostgreSQL fires all keys of one row before those of the next one, and the statements behind go key by key, for
   * all rows at once: the two orders are the same for one row alone. (What a longer way leads to is changed later in both.)
   */
  readonly isSingle: boolean;
}

export interface UpdatePlan {
  /** The client's own first, each behind that by which it comes. */
  readonly leaving: readonly Leaving[];
  /** Keys whose ON UPDATE cannot be carried out: a row that leaves one of them stops the statement. */
  readonly refused: readonly ForeignKey[];
}

/** @param referenced what references columns that the client's statement sets */
export function planUpdate(graph: Graph, relation: Relation, referenced: readonly ForeignKey[]): UpdatePlan {
  const refused = new Set<ForeignKey>();
  const oldestFirst = [...referenced].sort((a, b) => a.id - b.id);
  for (;;) {
    const keys = oldestFirst.filter((key) => !refused.has(key));
    const own = { id: 0, relation, by: undefined, keys, written: [], isShared: false, isSingle: false };
    const walked = walk(graph, own);
    if (walked.kind === 'planned') return { leaving: walked.leaving, refused: [...refused] };
    // It is one of the keys that the client's own rows may leave: there are fewer of these each time.
    refused.add(walked.refused);
  }
}

/** Whether ON UPDATE of the key changes the rows that reference a left key; NO ACTION and RESTRICT only look for them. */
export function acts({ onUpdate }: ForeignKey): boolean {
  return onUpdate !== 'no action' && onUpdate !== 'restrict';
}

type Walked =
  | { readonly kind: 'planned'; readonly leaving: readonly Leaving[] }
  /** The key of the client's own rows that leads to what cannot be done. */
  | { readonly kind: 'refused'; readonly refused: ForeignKey };

/** What leads to more changes than this is refused. */
const MOST_LEAVING = 64;

function walk(graph: Graph, own: Leaving): Walked {
  const leaving: Leaving[] = [own];
  const shared = new Set<Leaving>();
  const single = new Set<Leaving>();
  // The list grows while it is gone through: level by level.
  for (const above of leaving)
    for (const key of above.keys.filter(acts)) {
      const way = wayTo(leaving, above);
      const next = followed(graph, key, above, leaving.length);
      const isCircle = way.some(({ by }) => by?.key === key);
      if (next === undefined || isCircle || leaving.length === MOST_LEAVING)
        return { kind: 'refused', refused: way[1]?.by?.key ?? key };
      for (const other of leaving) {
        if (other.by === undefined || !conflict(graph, key, other.by.key)) continue;
        shared.add(other).add(next);
        const otherWay = wayTo(leaving, other);
        if (otherWay.length === way.length + 1)
          for (const each of way.filter((one) => otherWay.includes(one)).slice(-1)) single.add(each);
      }
      leaving.push(next);
    }
  return {
    kind: 'planned',
    leaving: leaving.map((each) => ({ ...each, isShared: shared.has(each), isSingle: single.has(each) })),
  };
}

/** The client's own rows, and those that lead from them to others, which come last. */
function wayTo(all: readonly Leaving[], leaving: Leaving): readonly Leaving[] {
  const above = leaving.by && all[leaving.by.above];
  return above ? [...wayTo(all, above), leaving] : [leaving];
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
  const by = { key, above: above.id };
  return isKnown ? { id, relation, by, keys, written, isShared: false, isSingle: false } : undefined;
}

/** The columns that its ON UPDATE sets: all of its own. */
export function setBy({ columns }: ForeignKey): readonly string[] {
  return columns.map(({ referencing }) => referencing);
}

/**
 * Whether two keys may change the same row, so that it matters which of them comes first: both set one column, or columns of one key.
 * So does one key that is reached twice.
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
