/** What has to be looked at where rows are inserted, or get other keys: the keys that PostgreSQL would check itself. Pure. */
import type { KeyColumn } from '../graph/catalog/catalog.js';
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
  /** The columns that a view shows through which it writes; undefined where it names the table. */
  readonly shown?: ReadonlySet<string>;
}

/** A key of the rows that are written. */
export interface GuardedKey {
  readonly key: ForeignKey;
  /** Which of the rows that are written have the key. */
  readonly within: RowsOf;
  /** Which of the written rows the key may reference: a row that the same statement writes counts as there; undefined where it can be none of them. */
  readonly own: RowsOf | undefined;
  /** It needs a column that the statement's target does not have: a table that inherits from it does, or the view does not show it. */
  readonly isHidden: boolean;
}

/** Rows of the same statement that a key may reference, as they count where it writes them. */
export interface OwnRows {
  readonly within: RowsOf;
  /** Which of them can be told by the columns that the target has: false where a table that inherits from it has more. */
  readonly areKnown: boolean;
}

/** Those in relations of these object ids; or all. */
export type RowsOf = readonly number[] | 'all';

/** The keys of what is written that the proxy performs, and the server does not check, oldest first: as PostgreSQL checks them. */
export function guardedKeys(graph: Graph, relation: Relation, written: Written): readonly GuardedKey[] {
  const above = [relation, ...graph.ancestors(relation)];
  const below = graph.descendants(relation);
  const known = new Set(relation.columns.map(({ name }) => name));
  const { shown = known } = written;
  return [...above, ...below]
    .flatMap((each) => graph.keysFrom(each))
    .filter(
      (key) => isGuarded(key) && (isWritten(key, written, known) || isReached(graph, relation, key, written)),
    )
    .filter((key) => isReached(graph, relation, key, written) || !isNullBehind(relation, key, written))
    .sort((a, b) => a.id - b.id)
    .map((key) => {
      const own = ownRows(graph, relation, key, written.shown);
      return {
        key,
        within: rowsWithin(graph, relation, key.referencing),
        own: own?.within,
        isHidden: own?.areKnown === false || !key.columns.every(({ referencing }) => shown.has(referencing)),
      };
    });
}

/**
 * Whether no row that is written through a view has the key, as the view does not show columns of it: these are NULL in rows that are
 * inserted, and in others the key stays what it is.
 */
function isNullBehind(relation: Relation, { columns, matchFull }: ForeignKey, written: Written): boolean {
  const { shown, sets } = written;
  if (shown === undefined || columns.some(({ referencing }) => sets.includes(referencing))) return false;
  const hidden = columns.filter(({ referencing }) => !shown.has(referencing));
  const isNull = ({ referencing }: KeyColumn) =>
    relation.columns.some(({ name, constant }) => name === referencing && constant === 'NULL');
  return matchFull ? hidden.length === columns.length && hidden.every(isNull) : hidden.some(isNull);
}

/**
 * Which of the rows that are written into a relation a key may reference; undefined where none can be of what it references.
 * @param shown the columns that are known of these rows; all of the relation's, unless they are written through a view
 */
export function ownRows(
  graph: Graph,
  relation: Relation,
  key: ForeignKey,
  shown: ReadonlySet<string> = new Set(relation.columns.map(({ name }) => name)),
): OwnRows | undefined {
  const isOwn = [relation, ...graph.descendants(relation)].some((each) =>
    graph.isPartOf(each, key.referenced),
  );
  if (!isOwn) return undefined;
  return {
    within: rowsWithin(graph, relation, key.referenced),
    areKnown: key.columns.every(({ referenced }) => shown.has(referenced)),
  };
}

/** Which of a relation's rows are rows of `whole`. */
function rowsWithin(graph: Graph, relation: Relation, whole: Relation): RowsOf {
  const isOne = graph.descendants(relation).every((each) => graph.isPartOf(each, relation));
  return isOne && graph.isPartOf(relation, whole) ? 'all' : graph.tree(whole).map(({ oid }) => oid);
}

/** The keys that reference a column which is set in rows that are there, and whose ON UPDATE the proxy would have to perform. */
export function setReferenced(
  graph: Graph,
  relation: Relation,
  { sets }: Pick<Written, 'sets'>,
): readonly ForeignKey[] {
  return [relation, ...graph.descendants(relation)]
    .flatMap((each) => graph.keysTo(each))
    .filter((key) => isGuarded(key) && key.columns.some(({ referenced }) => sets.includes(referenced)));
}

/** All rows that a statement finds in the relation are its own: each has every column that a key references. */
export function hasOwnRowsOnly(graph: Graph, relation: Relation): boolean {
  return relation.kind === 'r' && graph.descendants(relation).length === 0;
}

/** The server checks the keys that it enforces, whoever performs their ON DELETE. */
export function isGuarded({ performer, enforced }: ForeignKey): boolean {
  return performer === 'proxy' && !enforced;
}

/** Rows that an UPDATE moves to another partition have that one's keys from then on. */
function isReached(
  graph: Graph,
  relation: Relation,
  { referencing }: ForeignKey,
  { sets }: Written,
): boolean {
  return sets.length > 0 && referencing.oid !== relation.oid && graph.isPartOf(referencing, relation);
}

/** Rows that are inserted have no key with a column that the target does not have. */
function isWritten({ columns }: ForeignKey, { inserts, sets }: Written, known: ReadonlySet<string>): boolean {
  const isInserted = inserts && columns.every(({ referencing }) => known.has(referencing));
  return isInserted || columns.some(({ referencing }) => sets.includes(referencing));
}
