/** What has to be done for one DELETE: pure data, made by planner.ts, written as SQL by render.ts. */
import type { ForeignKey, Relation } from '../graph/model.js';

/** Rows that go: those of the client's statement (no edges), or those that reference rows gone before. */
export interface Deletion {
  /** Its place among the plan's deletions; referenced ones stand before those that reference them. */
  readonly id: number;
  readonly relation: Relation;
  readonly edges: readonly Edge[];
  /** The columns that the rest of the plan has to know of the rows deleted. */
  readonly returns: readonly string[];
}

/** A key, and the deletion of the rows that it references. */
export interface Edge {
  readonly key: ForeignKey;
  /** Place in the plan's deletions. */
  readonly parent: number;
}

/** Rows that stay with their key changed: SET NULL and SET DEFAULT, all edges of a table in one. */
export interface Change {
  readonly relation: Relation;
  readonly edges: readonly Edge[];
  /** The deletion whose rows must not be touched as well. */
  readonly except: number | undefined;
}

/** A rule that must not be broken: RESTRICT and NO ACTION, and the new keys of SET DEFAULT. */
export interface Check {
  /** `rows` of the referencing table are left; `default` is a key that is not in the referenced table. */
  readonly kind: 'rows' | 'default';
  readonly edge: Edge;
  /** For `rows`: the deletion whose rows are gone by the time of the check. For `default`: the index of the Change. */
  readonly other: number | undefined;
}

export interface Plan {
  readonly target: Relation;
  readonly deletions: readonly Deletion[];
  readonly changes: readonly Change[];
  /** In the order in which PostgreSQL would report them. */
  readonly checks: readonly Check[];
}
