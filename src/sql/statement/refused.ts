/**
 * Statements that PostgreSQL refuses as it reads them, whatever the catalog has: they delete nothing on any server, so they
 * are sent as they came, and the client gets the server's own words.
 */

import type { Node } from '../parser/parser.js';
import { asList, asNode, node, stringOf } from '../parser/tree.js';
import { nodesOf } from './deletes.js';
import { placesByName, placesIn } from './execution-order.js';

/** What a query may stand in and still be at the top level. */
const WRAPPERS = ['ExplainStmt', 'CopyStmt', 'CreateTableAsStmt', 'PrepareStmt'];
const CHANGES = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/**
 * Whether a statement is one of these. False says nothing: it may be refused all the same.
 *
 * A WITH that changes rows is allowed at the top level only (parse_cte.c, analyzeCTE), and not in a cursor, a view or a
 * materialized view (analyze.c, transformDeclareCursorStmt and transformCreateTableAsStmt; view.c, DefineView); no CTE that
 * changes rows may be recursive (parse_cte.c, checkWellFormedRecursion and TopologicalSort) or have SEARCH or CYCLE
 * (analyzeCTE). COPY wants rows (copyto.c, BeginCopyTo).
 */
export function isRefused(tree: Node): boolean {
  const query = queryOf(tree);
  const [type = ''] = Object.keys(query ?? {});
  const value = asNode(query?.[type]);
  if (node(tree, 'CopyStmt') && givesNoRows(type, value)) return true;
  const { ctes, recursive } = asNode(value.withClause);
  const top = asList(ctes).map((each) => asNode(asNode(each).CommonTableExpr));
  const atTop = new Set(top);
  const isMisplaced = (cte: Node) => changes(cte) && !(atTop.has(cte) && isWellFormed(cte));
  const misplaced = nodesOf(tree).some(([kind, each]) => kind === 'CommonTableExpr' && isMisplaced(each));
  return misplaced || (recursive === true && isCircular(top));
}

/** The query at the top level; undefined where a WITH there must not change rows. */
function queryOf(tree: Node): Node | undefined {
  const [type = ''] = Object.keys(tree);
  const value = asNode(tree[type]);
  if (type === 'DeclareCursorStmt' || value.objtype === 'OBJECT_MATVIEW') return undefined;
  return WRAPPERS.includes(type) ? queryOf(asNode(value.query)) : tree;
}

function givesNoRows(type: string, query: Node): boolean {
  if (type === 'SelectStmt') return query.intoClause !== undefined;
  return CHANGES.includes(type) && asList(asNode(query.returningClause).exprs).length === 0;
}

function changes({ ctequery }: Node): boolean {
  return CHANGES.some((type) => node(asNode(ctequery), type) !== undefined);
}

function isWellFormed({ search_clause, cycle_clause }: Node): boolean {
  return search_clause === undefined && cycle_clause === undefined;
}

/** Whether CTEs of a WITH RECURSIVE need each other, or one that changes rows needs itself. */
function isCircular(ctes: readonly Node[]): boolean {
  const named = ctes.map(({ ctename, ctequery }) => ({ name: String(ctename), query: asNode(ctequery) }));
  const places = placesByName(named);
  const needs = named.map(({ query }) => {
    const changed = places.get(targetOf(query) ?? '');
    return new Set([...placesIn(query, places), ...(changed === undefined ? [] : [changed])]);
  });
  return ctes.some((cte, i) => changes(cte) && needs[i]?.has(i)) || hasCircle(needs);
}

/** Whether some need each other; that one needs itself is none. */
function hasCircle(needs: readonly ReadonlySet<number>[]): boolean {
  const others = needs.map((each, i) => [...each].filter((other) => other !== i));
  const neededBy = needs.map((): number[] => []);
  others.forEach((each, i) => {
    for (const other of each) neededBy[other]?.push(i);
  });
  const left = others.map(({ length }) => length);
  const free = [...left.keys()].filter((i) => left[i] === 0);
  for (const each of free)
    for (const i of neededBy[each] ?? []) {
      const less = (left[i] ?? 0) - 1;
      left[i] = less;
      if (less === 0) free.push(i);
    }
  return free.length < needs.length;
}

/** The name, without a schema, of what a query changes: it makes a CTE of that name recursive too. */
function targetOf(query: Node): string | undefined {
  const [type = ''] = Object.keys(query);
  const { relation, withClause } = asNode(query[type]);
  const { relname, schemaname } = asNode(relation);
  return schemaname === undefined && withClause === undefined ? stringOf(relname) : undefined;
}
