/** What the configuration says of foreign keys: cascade.declared, cascade.overrides, cascade.relations and cascade.files. */

/** A referential action (ON DELETE …). */
export type Action = 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action';

/** Changes the action of keys in the catalog: `schema.table.constraint`, the table being the referencing one; globs. */
export interface Override {
  readonly match: string;
  readonly on_delete: Action;
}

export interface TableColumns {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** A key that the catalog does not have. */
export interface ConfiguredKey {
  readonly name: string;
  readonly from: TableColumns;
  readonly to: TableColumns;
  readonly on_delete: Action;
  /** False where several rows may have one key: the children of each of them that is deleted are acted on. */
  readonly unique: boolean;
  /** Where it stands, where that is a schema file: `shop.sql:12`. */
  readonly file?: string;
  /** What only schema files say: the columns of SET NULL (column, …), MATCH FULL, INITIALLY DEFERRED. */
  readonly setColumns?: readonly string[];
  readonly matchFull?: boolean;
  readonly deferred?: boolean;
}

export interface KeySettings {
  /** Act on keys whose action is declared and not performed by the server. */
  readonly declared: boolean;
  /** The first that matches a key decides. */
  readonly overrides: readonly Override[];
  readonly relations: readonly ConfiguredKey[];
}
