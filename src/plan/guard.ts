/** What has to be looked at where rows are inserted, or get other keys: the keys that PostgreSQL would check itself. Pure. */
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';

/**
 * `lock`: what a new key references is locked, so that nobody deletes it meanwhile; a key that references nothing passes.
 * `check`: such a key is refused.
 */
export const GUARD_LEVELS = ['off', 'lock', 'check'] as const;
export type GuardLevel = (typeof GUARD_LEVELS)[number];

/** What a statement writes into a relation, as far as keys go. */
export interface Written {
  /** It may add rows. */
  readonly inserts: boolean;
  /** The columns that it sets in rows that are there. */
  readonly sets: readonly string[];
}

/** A key of the rows that are written. */
export interface GuardedKey {
  readonly key: ForeignKey;
  /** The object ids of the relations whose rows have the key, where not all rows that are written do. */
  readonly within: readonly number[] | undefined;
  /** It references rows of the relation itself: those of the same statement count. */
  readonly own: boolean;
}

/** The keys of what is written that the proxy performs, and the server does not check, oldest first: as PostgreSQL checks them. */
export function guardedKeys(graph: Graph, relation: Relation, written: Written): readonly GuardedKey[] {
  const above = [relation, ...graph.ancestors(relation)];
  const below = graph.descendants(relation);
  const isOne = below.every((each) => graph.isPartOf(each, relation));
  const known = new Set(relation.columns.map(({ name }) => name));
  return [...above, ...below]
    .flatMap((each) => graph.keysFrom(each))
    .filter((key) => isGuarded(key) && isWritten(key, written) && hasAll(known, key))
    .sort((a, b) => a.id - b.id)
    .map((key) => ({
      key,
      within:
        isOne && graph.isPartOf(relation, key.referencing)
          ? undefined
          : graph.tree(key.referencing).map(({ oid }) => oid),
      own: graph.isPartOf(relation, key.referenced) || graph.isPartOf(key.referenced, relation),
    }));
}

/** The first key that references a column which is set in rows that are there, and whose ON UPDATE the proxy would have to perform. */
export function setReferenced(
  graph: Graph,
  relation: Relation,
  { sets }: Pick<Written, 'sets'>,
): ForeignKey | undefined {
  return [relation, ...graph.descendants(relation)]
    .flatMap((each) => graph.keysTo(each))
    .find((key) => isGuarded(key) && key.columns.some(({ referenced }) => sets.includes(referenced)));
}

/** The server checks the keys that it enforces, whoever performs their ON DELETE. */
function isGuarded({ performer, enforced }: ForeignKey): boolean {
  return performer === 'proxy' && !enforced;
}

function isWritten({ columns }: ForeignKey, { inserts, sets }: Written): boolean {
  return inserts || columns.some(({ referencing }) => sets.includes(referencing));
}

/** A column that the statement's target does not have is not one that it writes. */
function hasAll(known: ReadonlySet<string>, { columns }: ForeignKey): boolean {
  return columns.every(({ referencing }) => known.has(referencing));
}
