/** Rows that may leave keys by which others reference them, and what ON UPDATE of such a key changes. Pure. */
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { hasOwnRowsOnly, isGuarded, setReferenced } from './guard.js';

/** Rows that may leave keys: those that the client's statement changes, or those that ON UPDATE changes. */
export interface Leaving {
  /** Its place among those of the plan. */
  readonly id: number;
  readonly relation: Relation;
  /**
   * The key whose ON UPDATE changes them, for rows of which other ones; undefined for the client's own. In a plan with circles
   * `above` is undefined: they may be those of any that may leave the key.
   */
  readonly by: { readonly key: ForeignKey; readonly above: number | undefined } | undefined;
  /** The keys that they may leave, oldest first: as PostgreSQL fires them. */
  readonly keys: readonly ForeignKey[];
  /**
   * The keys of these rows to which `by` gives other values: each has to reference something afterwards. Of the client's own, those to
   * which its statement gives values that reference something only when ON UPDATE has been carried out.
   */
  readonly written: readonly ForeignKey[];
  /** Another key's ON UPDATE may change the same rows, or that of the same key does so again, where it is reached by two ways. */
  readonly isShared: boolean;
  /**
   * Pairs of these keys that lead, by ways of the same length, to rows that both may change: where rows leave both keys of a pair, a second
   * row that leaves one of them stops the statement. PostgreSQL fires all keys of one row before those of the next one, and the statements
   * after go key by key, for all rows at once: the two orders are the same for one row alone, and for several where one of the keys has
   * nothing to do. (What a longer way leads to is changed later in both.)
   */
  readonly meeting: readonly Meeting[];
}

/** Two keys of one relation, in no order that counts. */
export type Meeting = readonly [ForeignKey, ForeignKey];

export type Walked =
  | { readonly kind: 'planned'; readonly leaving: readonly Leaving[] }
  /** The key of the client's own rows that leads to what cannot be done. */
  | { readonly kind: 'refused'; readonly refused: ForeignKey };

/** Whether ON UPDATE of the key changes the rows that reference a left key; NO ACTION and RESTRICT only look for them. */
export function acts({ onUpdate }: ForeignKey): boolean {
  return onUpdate !== 'no action' && onUpdate !== 'restrict';
}

/** @returns undefined where not all that comes of it can be followed */
export function followed(graph: Graph, by: NonNullable<Leaving['by']>, id: number): Leaving | undefined {
  const { key } = by;
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
  return isKnown ? { id, relation, by, keys, written, isShared: false, meeting: [] } : undefined;
}

/** The columns that its ON UPDATE sets: all of its own. */
export function setBy({ columns }: ForeignKey): readonly string[] {
  return columns.map(({ referencing }) => referencing);
}

/**
 * Whether two keys may change the same row, so that it matters which of them comes first: both set one column, or columns of one key.
 * So does one key that is reached twice.
 */
export function conflict(graph: Graph, one: ForeignKey, other: ForeignKey): boolean {
  const { referencing: relation } = one;
  if (!graph.isPartOf(relation, other.referencing) && !graph.isPartOf(other.referencing, relation))
    return false;
  const [some, others] = [setBy(one), setBy(other)];
  const both = graph.keysOnRows(relation).map(setBy);
  const isShared = (columns: readonly string[]) =>
    columns.some((column) => some.includes(column)) && columns.some((column) => others.includes(column));
  return some.some((column) => others.includes(column)) || both.some(isShared);
}
