/** What a database that is not PostgreSQL tells of its keys. */
import type { Action } from '../catalog/key-settings.js';

export interface ToldTable {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** A foreign key that is declared there. */
export interface ToldKey {
  readonly name: string;
  /** The referencing table; the columns of both are in the same order. */
  readonly from: ToldTable;
  readonly to: ToldTable;
  readonly action: Action;
  readonly updateAction: Action;
  /** The server checks the key, and does what its action says. */
  readonly enforced: boolean;
}

/** Another name of a table, by which its rows can be deleted. */
export interface ToldSynonym {
  readonly schema: string;
  readonly name: string;
  readonly of: { readonly schema: string; readonly table: string };
}

export interface Told {
  readonly keys: readonly ToldKey[];
  /** What tells the rows of a table apart: of each the primary keys first. */
  readonly unique: readonly ToldTable[];
  readonly synonyms: readonly ToldSynonym[];
}

export const NOTHING_TOLD: Told = { keys: [], unique: [], synonyms: [] };
