/** What PostgreSQL calls the columns of a RETURNING list (parse_target.c, FigureColname). */
import type { Json, Node } from './parser.js';
import { asList, asNode, node, stringOf } from './tree.js';

/** Stands for all columns of the target. */
export const ALL = '*';

/** Expressions that are called by what they are. */
const CALLED: Readonly<Record<string, string>> = {
  CaseExpr: 'case',
  CoalesceExpr: 'coalesce',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
};
const UNNAMED: ReadonlySet<string> = new Set(
  'A_Const A_Expr BoolExpr NullTest BooleanTest ParamRef'.split(' '),
);

/**
 * @param list the ResTargets
 * @param joins whether `*` has columns of other tables too
 * @returns undefined where one of them is not certain
 */
export function outputNames(list: readonly Node[], joins: boolean): readonly string[] | undefined {
  const names = list.map((target) => stringOf(target.name) ?? nameOf(asNode(target.val), joins));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function nameOf(expression: Node, joins: boolean): string | undefined {
  const [type = ''] = Object.keys(expression);
  const value = asNode(expression[type]);
  if (UNNAMED.has(type)) return '?column?';
  switch (type) {
    case 'ColumnRef':
      return columnOf(asList(value.fields), joins);
    case 'FuncCall':
      return lastString(value.funcname);
    case 'TypeCast':
      return castName(value, joins);
    case 'CollateClause':
      return nameOf(asNode(value.arg), joins);
    default:
      return CALLED[type];
  }
}

/** A cast is called by what it casts, or else by its type. */
function castName(value: Node, joins: boolean): string | undefined {
  const name = nameOf(asNode(value.arg), joins);
  return name === '?column?' ? lastString(asNode(value.typeName).names) : name;
}

function columnOf(fields: readonly Json[], joins: boolean): string | undefined {
  const last = asNode(fields.at(-1));
  if (node(last, 'A_Star') === undefined) return stringOf(asNode(last.String).sval);
  return fields.length === 1 && !joins ? ALL : undefined;
}

function lastString(list: Json | undefined): string | undefined {
  return stringOf(asNode(asNode(asList(list).at(-1)).String).sval);
}
