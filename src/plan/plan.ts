/** What has to be done for the DELETEs of one statement: pure data, made by planner.ts, written as SQL in render/. */
import type { ForeignKey, Relation } from '../graph/model.js';

/** Rows that are deleted: by a DELETE of the client's, or because they reference rows that are. */
export interface Deletion {
  /** Its place among the plan's deletions: the client's own first, then referenced ones before referencing ones. */
  readonly id: number;
  readonly relation: Relation;
  /** The client's own; others follow from keys. */
  readonly origin: 'client' | 'key';
  /** The client's DELETE takes rows of inheritance children too. */
  readonly inherits: boolean;
  /** The keys by which rows come here: those that reference a row deleted before. None for the client's own. */
  readonly keys: readonly ForeignKey[];
  /** The cycle of deletions that it is part of: each of them can bring rows to all. */
  readonly cycle: number | undefined;
  /** The columns of its rows that the rest of the plan has to know. */
  readonly returns: readonly string[];
}

/** Where deleted rows of a relation are to be found. */
export interface Member {
  readonly deletion: number;
  /** The object ids of the relations that hold them, where the deletion takes rows of others too. */
  readonly within: readonly number[] | undefined;
}

/** Rows that stay with their key changed: SET NULL and SET DEFAULT, all keys of a table in one. */
export interface Change {
  readonly relation: Relation;
  readonly keys: readonly ForeignKey[];
}

/**
 * A rule, which is what a key demands of rows: broken, it stops the statement. Or a row of which the statement could not tell
 * what becomes, which stops it too.
 * `rows`: RESTRICT and NO ACTION; no row of the referencing table may be left when the check is made.
 * `same key`: SET DEFAULT gave a row the key of a row that is deleted at this moment.
 * `new key`: SET DEFAULT gave a row a key that the referenced table does not have.
 * `mixed key`: a MATCH FULL key became null in part.
 * `not null`: a row that is deleted later is set to NULL before, in a column that takes none.
 * `order`: `by` takes rows out of the reach of SET NULL `key`. The queue tells which comes first: a suspicion, and no error.
 * `overlap`: `key` changes a row that `other` acts on; `before`: if it comes first; `new key`: by the key that it sets.
 * `referenced`: `key` changes a column by which a row references it.
 */
export type Check =
  | {
      readonly kind: 'rows';
      readonly key: ForeignKey;
      /**
       * Which rows of the referencing table the statement has deleted by the time of the check. `none`: it deletes none there.
       * `all`: all that it deletes. `some`: those that PostgreSQL would have deleted before, which only its order tells.
       */
      readonly gone: 'none' | 'all' | 'some';
      readonly changers: readonly Changer[];
    }
  | NewKeyCheck
  | { readonly kind: 'not null'; readonly key: ForeignKey; readonly column: string }
  | { readonly kind: 'order'; readonly key: ForeignKey; readonly by: ForeignKey }
  | Overlap
  | {
      readonly kind: 'referenced';
      readonly key: ForeignKey;
      readonly other: ForeignKey;
      /** What holds the rows that both are about. */
      readonly on: Relation;
    };

/** A key that may have changed a row before a check is made, so that the row does not reference by the key of that check any more. */
export interface Changer {
  readonly key: ForeignKey;
  /** The object ids of the relations whose rows have it, where not all rows that are checked do. */
  readonly within: readonly number[] | undefined;
}

export interface NewKeyCheck {
  readonly kind: 'same key' | 'new key' | 'mixed key';
  readonly key: ForeignKey;
  /** The key that set columns of it: itself, or another one that uses them too. */
  readonly by: ForeignKey;
  readonly change: number;
  /** The object ids of the relations whose rows have the key, where not all rows that are changed do. */
  readonly within: readonly number[] | undefined;
}

export interface Overlap {
  readonly kind: 'overlap';
  readonly key: ForeignKey;
  readonly other: ForeignKey;
  readonly when: 'before' | 'both' | 'new key';
  /** What holds the rows that may have both keys. */
  readonly on: Relation;
  readonly change: number;
  readonly within: readonly number[] | undefined;
}

export interface Plan {
  readonly deletions: readonly Deletion[];
  /** For each relation that a followed key references: the deletions that take rows of it. */
  readonly members: ReadonlyMap<Relation, readonly Member[]>;
  /** For each referencing relation: the deletions that may take its rows. */
  readonly overlaps: ReadonlyMap<Relation, readonly number[]>;
  /** Every key that is followed, oldest first: the order in which PostgreSQL fires them for one row. */
  readonly keys: readonly ForeignKey[];
  readonly changes: readonly Change[];
  readonly checks: readonly Check[];
  /** One statement after the other can delete all of it (order.ts). */
  readonly hasOrder: boolean;
  /** What errors call the relations and partitions that rows are deleted from or changed in. */
  readonly names: ReadonlyMap<number, string>;
}

/** What the client's statement deletes from. */
export interface Target {
  readonly relation: Relation;
  /** It says ONLY. */
  readonly only: boolean;
  /** The view that it names in the relation's place, and what that calls the relation's columns. */
  readonly view: { readonly relation: Relation; readonly columns: ReadonlyMap<string, string> } | undefined;
}

export function cascades(key: ForeignKey): boolean {
  return key.action === 'cascade';
}

export function setsColumns(key: ForeignKey): boolean {
  return key.action === 'set null' || key.action === 'set default';
}

/** Whether PostgreSQL looks at COMMIT for rows that still reference a deleted one: never for RESTRICT (createForeignKeyActionTriggers). */
export function isLate({ action, deferred }: ForeignKey): boolean {
  return deferred && action !== 'restrict';
}

/** Works something out once for a plan, and remembers it as long as the plan is there: plans do not change. */
export function oncePerPlan<T>(work: (plan: Plan) => T): (plan: Plan) => T {
  const known = new WeakMap<Plan, { readonly value: T }>();
  return (plan) => {
    const before = known.get(plan);
    if (before) return before.value;
    const value = work(plan);
    known.set(plan, { value });
    return value;
  };
}

/** Lists of what belongs together. */
export function grouped<K, V>(values: Iterable<V>, keyOf: (value: V) => K): ReadonlyMap<K, readonly V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
