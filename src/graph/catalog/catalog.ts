/** What a database's catalog says of its tables and keys, as the proxy needs it. */

export interface CatalogColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** Its values can be the elements of an array and come out again as they were. */
  readonly scalar: boolean;
  /**
   * What DEFAULT sets it to, where that is a constant of a built-in type: an expression, `NULL` where it has no default.
   * null is any other default, or a column that no key can set.
   */
  readonly constant: string | null;
  /** The server computes it from other columns of the row: what sets one of these may change it. */
  readonly generated: boolean;
}

export interface CatalogName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r table, p partitioned, v view, f foreign table. */
  readonly kind: string;
  /** It has rewrite rules ON DELETE (CREATE RULE). */
  readonly rewriteRules: boolean;
  /** A BEFORE trigger on its rows may keep some from being deleted; on a view an INSTEAD OF trigger deletes. */
  readonly mayKeepRows: boolean;
  /** It has rewrite rules ON INSERT or ON UPDATE; or it is a view, and INSTEAD OF triggers insert or change. */
  readonly redirectsWrites: boolean;
  /** Triggers whose functions may delete, as far as their source says. */
  readonly triggers: readonly DeletingTrigger[];
  readonly partition: boolean;
  /** What it inherits from or is a partition of. */
  readonly parents: readonly number[];
  /** A view's SELECT. */
  readonly definition: string | null;
  /** The relations that a view reads, at any depth, as far as keys come near them. */
  readonly viewOf: readonly number[];
  /** Those that its own SELECT names, whatever they are. */
  readonly reads: readonly CatalogName[];
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey: readonly string[];
  /** The columns that stand first in an index. */
  readonly indexed: readonly string[];
}

/** A trigger that is enabled, and whose function's source has a word with which rows are deleted. */
export interface DeletingTrigger {
  readonly name: string;
  /** `schema.name`, for messages. */
  readonly function: string;
  /** FOR EACH ROW: it fires for rows of a partition too, whatever table the statement names. */
  readonly row: boolean;
  readonly deletes: boolean;
  readonly updates: boolean;
  readonly truncates: boolean;
  /** Those of UPDATE OF; null is all. */
  readonly columns: readonly string[] | null;
}

/** One pair of columns of a key, and how the database compares them: `to OPERATOR(operator) from`. */
export interface KeyColumn {
  readonly referencing: string;
  readonly referenced: string;
  /** The type of the referenced column, with its schema and without a modifier. */
  readonly type: string;
  /** That of the referencing column. */
  readonly ownType: string;
  /** With its schema. */
  readonly operator: string;
  readonly commutator: string | null;
  /** The types to cast to before comparing, where the operator's are not the columns' own. */
  readonly left: string | null;
  readonly right: string | null;
  /** The collation to compare under, where the columns' differ. */
  readonly collation: string | null;
}

export interface CatalogKey {
  readonly id: number;
  readonly name: string;
  readonly referencing: number;
  readonly referenced: number;
  /** pg_constraint.confdeltype: a, r, c, n or d. */
  readonly action: string;
  /** pg_constraint.confupdtype. */
  readonly updateAction: string;
  readonly enforced: boolean;
  readonly deferred: boolean;
  readonly matchFull: boolean;
  readonly period: boolean;
  readonly columns: readonly KeyColumn[];
  readonly setColumns: readonly string[] | null;
  /** Its copies for the partitions of the referenced table. */
  readonly copies: readonly KeyCopy[] | null;
}

/** What PostgreSQL calls a key in the errors of one partition of the referenced table. */
export interface KeyCopy {
  /** The partition. */
  readonly referenced: number;
  readonly name: string;
}

/** A relation of the configuration whose tables are both in this database. */
export interface CatalogConfiguredKey {
  /** Its place in the configuration. */
  readonly number: number;
  /** A unique index covers the referenced columns, such as PostgreSQL wants for a foreign key. */
  readonly unique: boolean;
  /** Its columns as far as they are there; `operator` is null where PostgreSQL has none for a foreign key. */
  readonly columns: readonly (Omit<KeyColumn, 'operator'> & { readonly operator: string | null })[];
}

export interface Catalog {
  readonly relations: readonly CatalogRelation[];
  readonly keys: readonly CatalogKey[];
  readonly configured: readonly CatalogConfiguredKey[];
}
