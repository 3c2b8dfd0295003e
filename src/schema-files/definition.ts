/** What the statements of a schema file define, whichever reader has read them. Immutable. */
import type { Action } from '../graph/catalog/key-settings.js';

/** A name as the file gives it; without quotes it is folded as the dialect folds it. */
export interface FileName {
  readonly schema: string | undefined;
  readonly name: string;
}

export interface FileColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** Its type is INTEGER and nothing else: as a primary key it is SQLite's rowid. */
  readonly isInteger: boolean;
  /** What DEFAULT sets it to, as a constant of the dialect; NULL without a default; null where it is no constant. */
  readonly constant: string | null;
  /** COLLATE; undefined where it has none. */
  readonly collation: string | undefined;
}

export interface FileKey {
  /** undefined where the file gives none. */
  readonly name: string | undefined;
  readonly columns: readonly string[];
  readonly referenced: FileName;
  /** None where the file gives none: those of the primary key. */
  readonly referencedColumns: readonly string[];
  readonly action: Action;
  /** SET NULL (column, …); undefined for all. */
  readonly setColumns: readonly string[] | undefined;
  readonly matchFull: boolean;
  readonly deferred: boolean;
  /** Its last column is a PERIOD. */
  readonly period: boolean;
  /** Where REFERENCES stands. */
  readonly line: number;
}

/** What CREATE TABLE, or ALTER TABLE, adds to a table. */
export interface Parts {
  readonly columns: readonly FileColumn[];
  /** The columns of the primary key, where these parts have one. */
  readonly primaryKey: readonly string[] | undefined;
  readonly keys: readonly FileKey[];
}

export type Definition =
  | ({
      readonly kind: 'create';
      readonly table: FileName;
      readonly line: number;
      /** IF NOT EXISTS: nothing where the table is there. */
      readonly ifNotThere: boolean;
      /** Its columns come from elsewhere (AS SELECT, LIKE): which these are is not known. */
      readonly isOpen: boolean;
      /** SQLite's WITHOUT ROWID. */
      readonly withoutRowid: boolean;
      /** What it inherits from, or is a partition of. */
      readonly parents: readonly FileName[];
      readonly isPartition: boolean;
    } & Parts)
  | ({
      readonly kind: 'alter';
      readonly table: FileName;
      readonly line: number;
      /** Constraints, and columns, that it drops. */
      readonly dropped: readonly string[];
      /** Columns that it gives another default, or NOT NULL. */
      readonly changed: readonly (Pick<FileColumn, 'name'> & Partial<FileColumn>)[];
      readonly partitions: readonly FileName[];
    } & Parts)
  | { readonly kind: 'drop'; readonly tables: readonly FileName[]; readonly line: number }
  | {
      readonly kind: 'rename';
      readonly table: FileName;
      readonly to: string;
      readonly column: string | undefined;
      readonly line: number;
    }
  /** MySQL's USE: the schema of names without one from here on. */
  | { readonly kind: 'use'; readonly schema: string; readonly line: number };
