/** What the configuration says of foreign keys: cascade.declared, cascade.overrides, cascade.relations and cascade.files. */

/** A referential action (ON DELETE …). */
export type Action = 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action';

/** What pg_constraint.confdeltype and confupdtype call each, and PostgreSQL's parser too. */
export const ACTION_LETTERS = {
  'no action': 'a',
  restrict: 'r',
  cascade: 'c',
  'set null': 'n',
  'set default': 'd',
} as const satisfies Readonly<Record<Action, string>>;

const ACTIONS = new Map(
  Object.entries(ACTION_LETTERS).map(([action, letter]): [string, Action] => [letter, action as Action]),
);

/** The action that a letter stands for. A key without one, as a server may have that is not PostgreSQL, has NO ACTION. */
export function actionOf(letter: string): Action {
  return ACTIONS.get(letter) ?? 'no action';
}

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
  /** Nobody says it of a key that a schema file has: NO ACTION. */
  readonly on_update?: Action;
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
