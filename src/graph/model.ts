/** What the foreign-key graph consists of: relations, and the keys between them. Immutable. */
import type { RelationName } from '../sql/names.js';
import type { CatalogRelation, KeyColumn, KeyCopy } from './catalog/catalog.js';
import type { Action } from './catalog/key-settings.js';

/** Who performs a key's action. */
export type Performer = 'proxy' | 'server' | 'nobody';

export interface ForeignKey {
  /** The catalog has the key; else only the configuration does. */
  readonly declared: boolean;
  /** Orders keys as they were created: the order in which PostgreSQL fires them. */
  readonly id: number;
  readonly name: string;
  /** The referencing relation. */
  readonly referencing: Relation;
  /** The referenced relation. */
  readonly referenced: Relation;
  readonly columns: readonly KeyColumn[];
  /** ON DELETE. */
  readonly action: Action;
  readonly onUpdate: Action;
  readonly performer: Performer;
  /**
   * The server enforces the key too, of which the proxy performs an action that deletes or changes rows: whatever still references
   * a deleted row then meets the action of the catalog, which may refuse.
   */
  readonly enforcedByServer: boolean;
  /** The server enforces the key, with whatever action: it checks new keys, and performs ON UPDATE. */
  readonly enforced: boolean;
  /** INITIALLY DEFERRED: natively the key makes its checks at COMMIT. Its actions come at once all the same. */
  readonly deferred: boolean;
  /** The columns that SET NULL and SET DEFAULT change: all, unless the key lists some. */
  readonly setColumns: readonly string[];
  readonly matchFull: boolean;
  readonly period: boolean;
  readonly copies: readonly KeyCopy[];
}

/** A relation of the configuration that cannot be followed: no row of what it references may be deleted. */
export interface BrokenKey {
  readonly name: string;
  /** The part of the configuration that has it: `cascade.relations`, or a schema file with the line. */
  readonly where: string;
  /** The referenced relation; of a view also the tables that it shows. */
  readonly referenced: readonly Relation[];
  /** What is wrong with it, and what to do. */
  readonly fault: string;
  readonly remedy: string;
}

export type Relation = CatalogRelation & RelationName;

/** The table that a view shows. */
export interface Base {
  readonly relation: Relation;
  readonly only: boolean;
  /** What the view calls the table's columns. */
  readonly columns: ReadonlyMap<string, string>;
  /** Which of the table's columns each of the view's is, unless it is an expression. */
  readonly shows: ReadonlyMap<string, string>;
}
