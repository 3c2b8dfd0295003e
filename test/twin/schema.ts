/** A schema as it is made: tables with their partitions, keys, rows. schema-sql.ts writes it down. */
import type { Action, KeySpec, Trigger, View } from './schema-spec.js';
import type { ValueType } from './values.js';

export interface Column {
  readonly name: string;
  /** What it holds values of; the key's column may have another type that compares with it. */
  readonly type: ValueType;
  readonly sqlType: string;
  notNull: boolean;
  defaultValue: number | null;
}

/** A table, one of its partitions, or a view, whose `table` is what it shows under the names that it has there. */
export interface Relation {
  readonly table: Table;
  readonly schema: 'a' | 'b';
  readonly name: string;
  /** `PARTITION OF` whom, and for which values. */
  readonly part: { readonly of: Relation; readonly bound: string } | undefined;
  /** `RANGE (id)`, where it is partitioned itself. */
  readonly by: string | undefined;
  readonly partitions: Relation[];
  /** Whether a row is in it; undefined where only the server knows. */
  readonly holds: ((row: Row) => boolean) | undefined;
}

export interface Row {
  readonly id: number;
  code: number | null;
  readonly pair: readonly [number, number];
  /** SQL for each column of a key. */
  readonly references: Map<Column, string>;
}

export interface Table {
  readonly place: number;
  readonly root: Relation;
  readonly idColumn: string;
  readonly idType: ValueType;
  readonly primary: 'id' | 'pair' | undefined;
  /** What else is unique. */
  readonly unique: readonly Target[];
  readonly inherits: Table | undefined;
  readonly gap: boolean;
  trigger: Trigger;
  view: { readonly kind: View; readonly relation: Relation } | undefined;
  /** It is what a view shows that leaves the last column of the keys out. */
  readonly isNarrow: boolean;
  readonly kept: number;
  /** The columns of its keys, own ones and inherited ones. */
  readonly keyColumns: Column[];
  readonly rows: Row[];
}

export type Target = 'id' | 'code' | 'pair';

export interface Key {
  readonly name: string;
  readonly from: Relation;
  readonly to: Relation;
  readonly target: Target;
  readonly action: Action;
  readonly onUpdate: Action;
  /** The names of the referencing columns. */
  readonly columns: readonly string[];
  /** Those that SET NULL and SET DEFAULT set, where not all. */
  readonly sets: readonly string[];
  readonly indexed: boolean;
  readonly full: boolean;
  readonly timing: '' | 'DEFERRABLE' | 'DEFERRABLE INITIALLY DEFERRED';
  readonly spec: KeySpec;
}

export interface Schema {
  readonly tables: readonly Table[];
  readonly keys: readonly Key[];
  /** Every table and partition. */
  readonly relations: readonly Relation[];
  /** Some of it is natively checked at COMMIT. */
  readonly late: boolean;
  /** On the proxy's side the server enforces the keys too, each as NO ACTION. */
  readonly overridden: boolean;
}

/** Whether it is a view: of the table whose root it has. */
export function isView({ table }: Relation): boolean {
  return table.root.table !== table;
}

/** A relation and its partitions at any depth. */
export function tree(relation: Relation): readonly Relation[] {
  return [relation, ...relation.partitions.flatMap(tree)];
}

export function setsColumns(action: Action): boolean {
  return action === 'SET NULL' || action === 'SET DEFAULT';
}

/** SET DEFAULT to a key, not to nulls, which reference nothing. */
export function setsValues({ action, from, columns, sets }: Key): boolean {
  const set = sets.length > 0 ? sets : columns;
  const { keyColumns } = from.table;
  const withValue = keyColumns.filter(
    ({ name, defaultValue }) => set.includes(name) && defaultValue !== null,
  );
  return action === 'SET DEFAULT' && withValue.length === set.length;
}

/** The columns that a target consists of. */
export function targetColumns(table: Table, target: Target): readonly { name: string; type: ValueType }[] {
  switch (target) {
    case 'id':
      return [{ name: table.idColumn, type: table.idType }];
    case 'code':
      return [{ name: 'code', type: 'varchar' }];
    case 'pair':
      return [
        { name: 'a', type: 'int4' },
        { name: 'b', type: 'label' },
      ];
  }
}
