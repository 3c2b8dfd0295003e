/** The SELECT of a view through which PostgreSQL deletes (rewriteHandler.c, view_query_is_auto_updatable). */
import type { RelationName } from '../names.js';
import { parse } from '../parser/parser.js';
import { asList, asNode, node, relationName, stringOf } from '../parser/tree.js';

export interface View {
  /** The one relation that it shows, as its definition names it: with a schema where the name alone is not enough. */
  readonly from: RelationName;
  readonly only: boolean;
  /** For each of the view's columns that of the relation; undefined for an expression. */
  readonly columns: readonly (string | undefined)[];
}

/**
 * @returns `not updatable` where the server itself refuses to delete from it, but for triggers and rewrite rules; undefined where
 * the definition is not understood
 */
export function readView(definition: string): View | 'not updatable' | undefined {
  const [statement, ...more] = parse(definition) ?? [];
  const select = statement && more.length === 0 ? node(statement.tree, 'SelectStmt') : undefined;
  if (select === undefined) return undefined;
  const [from, ...others] = asList(select.fromClause).map(asNode);
  const range = from && node(from, 'RangeVar');
  const joins = range === undefined || others.length > 0;
  if (joins || UNLIKE_A_TABLE.some((clause) => select[clause] !== undefined)) return 'not updatable';
  // Names of its own for the table's columns would have to be told from those that the table has.
  if (asList(asNode(range.alias).colnames).length > 0) return undefined;
  return {
    from: relationName(range),
    only: range.inh !== true,
    columns: asList(select.targetList).map((each) => {
      const fields = asList(asNode(asNode(asNode(asNode(each).ResTarget).val).ColumnRef).fields);
      return stringOf(asNode(asNode(fields.at(-1)).String).sval);
    }),
  };
}

/** Clauses with which the rows of a view are not those of its table. */
const UNLIKE_A_TABLE = [
  'distinctClause',
  'groupClause',
  'havingClause',
  'withClause',
  'limitCount',
  'limitOffset',
  'valuesLists',
  'larg',
];
