/** The SELECT of a view through which PostgreSQL deletes (rewriteHandler.c, view_query_is_auto_updatable). */
import type { RelationName } from './names.js';
import { parse } from './parser.js';
import { asList, asNode, node, relationName, stringOf } from './tree.js';

export interface View {
  /** The one relation that it shows, as its definition names it: with a schema where the name alone is not enough. */
  readonly from: RelationName;
  readonly only: boolean;
  /** For each of the view's columns that of the relation; undefined for an expression. */
  readonly columns: readonly (string | undefined)[];
}

/** @returns undefined where it is not a plain look at one relation: the server refuses to delete from it */
export function readView(definition: string): View | undefined {
  const [statement, ...more] = parse(definition) ?? [];
  const select = statement && more.length === 0 ? node(statement.tree, 'SelectStmt') : undefined;
  const [from, ...others] = asList(select?.fromClause).map(asNode);
  const range = from && node(from, 'RangeVar');
  if (!select || !range || others.length > 0) return undefined;
  return {
    from: relationName(range),
    only: range.inh !== true,
    columns: asList(select.targetList).map((each) => {
      const fields = asList(asNode(asNode(asNode(asNode(each).ResTarget).val).ColumnRef).fields);
      return stringOf(asNode(asNode(fields.at(-1)).String).sval);
    }),
  };
}
