/** The keys of a DuckDB, as duckdb_constraints() has them. */
import { NOTHING_TOLD, type Told, type ToldTable } from './told.js';

/** A row of what duckdb.sql asks for; null where there is none. */
export type DuckDbAnswer = readonly DuckDbConstraint[] | null;

export interface DuckDbConstraint {
  readonly schema_name: string;
  readonly table_name: string;
  readonly constraint_name: string;
  readonly constraint_type: string;
  readonly constraint_column_names: readonly string[];
  /** As the declaration spells it: names are compared without case. */
  readonly referenced_table: string | null;
  readonly referenced_column_names: readonly string[];
}

/** They have no actions, and reference tables of their own schema alone. */
export function keysOfDuckDb(answer: DuckDbAnswer): Told {
  const rows = answer ?? [];
  const spelled = new Map(rows.map((each) => [idOf(each.schema_name, each.table_name), each.table_name]));
  const some = (type: string) => rows.filter((each) => each.constraint_type === type);
  const tableOf = (each: DuckDbConstraint): ToldTable => ({
    schema: each.schema_name,
    table: each.table_name,
    columns: each.constraint_column_names,
  });
  return {
    ...NOTHING_TOLD,
    keys: some('FOREIGN KEY').map((each) => {
      const [schema, table] = [each.schema_name, each.referenced_table ?? ''];
      const to = { schema, table: spelled.get(idOf(schema, table)) ?? table };
      return {
        name: each.constraint_name,
        from: tableOf(each),
        to: { ...to, columns: each.referenced_column_names },
        action: 'no action',
        updateAction: 'no action',
        enforced: true,
      };
    }),
    unique: [...some('PRIMARY KEY'), ...some('UNIQUE')].map(tableOf),
  };
}

function idOf(schema: string, table: string): string {
  return JSON.stringify([schema, table.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())]);
}
