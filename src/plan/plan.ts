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
  /** Whether the plan has to know in which order PostgreSQL would have deleted them. */
  readonly ordered: boolean;
}

/** A key, and the deletion of the rows that it references. */
export interface Edge {
  readonly key: ForeignKey;
  /** Place in the plan's deletions. */
  readonly parent: number;
  /** When it fires: all rows of a stage before those of the next. */
  readonly stage: number;
}

/** Rows that stay with their key changed: SET NULL and SET DEFAULT, all edges of a table in one. */
export interface Change {
  readonly relation: Relation;
  readonly edges: readonly Edge[];
  /** The deletion whose rows must not be touched as well. */
  readonly except: number | undefined;
}

/**
 * A rule that must not be broken.
 * `rows`: RESTRICT and NO ACTION; no row of the referencing table may be left, but those `spared`.
 * `same key`: SET DEFAULT gave a row the key of a row that is deleted at this moment.
 * `new key`: SET DEFAULT gave a row a key that the referenced table does not have.
 */
export type Check = {
  readonly edge: Edge;
  /** Violations are reported by stage, then by the referenced row, then in the order of the checks. */
  readonly stage: number;
} & (
  | { readonly kind: 'rows'; readonly spared: Spared | undefined }
  | { readonly kind: 'same key' | 'new key'; readonly change: number }
);

/** Rows of a deletion that are gone by the time of a check. */
export interface Spared {
  readonly deletion: number;
  /** All of them; else those that one of `edges` deletes in time. */
  readonly all: boolean;
  readonly edges: readonly SparingEdge[];
}

export interface SparingEdge extends Edge {
  /**
   * `before`: its rows go before the check of any row. Else it fires for the same rows as the check, one by one, and
   * for each of them before (`older`) or behind it (`younger`).
   */
  readonly fires: 'before' | 'older' | 'younger';
}

export interface Plan {
  readonly target: Relation;
  readonly deletions: readonly Deletion[];
  readonly changes: readonly Change[];
  readonly checks: readonly Check[];
}
