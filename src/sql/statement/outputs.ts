/** What PostgreSQL calls the columns of a RETURNING list (parse_target.c, FigureColname). */
import type { Json, Node } from '../parser/parser.js';
import { asList, asNode, node, stringOf } from '../parser/tree.js';

/** Stands for all columns of the target. */
export const ALL = '*';

/** A name, and how sure it is: a cast and a CASE put their own in the place of one that is not. */
interface Name {
  readonly name: string;
  readonly sure: boolean;
}

const NONE: Name = { name: '?column?', sure: false };

/** Expressions that are called by what they are. */
const CALLED: Readonly<Record<string, string>> = {
  CoalesceExpr: 'coalesce',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
};
const UNNAMED: ReadonlySet<string> = new Set('A_Const BoolExpr NullTest BooleanTest ParamRef'.split(' '));

/** Whether an asterisk behind these names stands for all columns of the target, and nothing else. */
export type IsTarget = (names: readonly (string | undefined)[]) => boolean;

/**
 * @param list the ResTargets
 * @returns undefined where one of them is not certain
 */
export function outputNames(list: readonly Node[], isTarget: IsTarget): readonly string[] | undefined {
  const names = list.map((target) => outputName(target, isTarget));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function outputName(target: Node, isTarget: IsTarget): string | undefined {
  return stringOf(target.name) ?? nameOf(asNode(target.val), isTarget)?.name;
}

function nameOf(expression: Node, isTarget: IsTarget): Name | undefined {
  const [type = ''] = Object.keys(expression);
  const value = asNode(expression[type]);
  if (UNNAMED.has(type)) return NONE;
  switch (type) {
    case 'ColumnRef':
      return sure(columnOf(asList(value.fields), isTarget));
    case 'FuncCall':
      return sure(lastString(value.funcname));
    case 'A_Expr':
      return value.kind === 'AEXPR_NULLIF' ? sure('nullif') : NONE;
    case 'MinMaxExpr':
      return sure(value.op === 'IS_LEAST' ? 'least' : 'greatest');
    case 'TypeCast':
      return unlessSure(nameOf(asNode(value.arg), isTarget), lastString(asNode(value.typeName).names));
    case 'CaseExpr':
      return unlessSure(
        value.defresult === undefined ? NONE : nameOf(asNode(value.defresult), isTarget),
        'case',
      );
    case 'CollateClause':
      return nameOf(asNode(value.arg), isTarget);
    case 'SubLink':
      return subqueryName(value);
    default:
      return sure(CALLED[type]);
  }
}

function sure(name: string | undefined): Name | undefined {
  return name === undefined ? undefined : { name, sure: true };
}

function unlessSure(inner: Name | undefined, name: string | undefined): Name | undefined {
  if (inner === undefined || inner.sure) return inner;
  return name === undefined ? undefined : { name, sure: false };
}

function subqueryName({ subLinkType, subselect }: Node): Name | undefined {
  switch (subLinkType) {
    case 'EXISTS_SUBLINK':
      return sure('exists');
    case 'ARRAY_SUBLINK':
      return sure('array');
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
      return NONE;
    case 'EXPR_SUBLINK': {
      const [first] = asList(asNode(asNode(subselect).SelectStmt).targetList);
      const name = first === undefined ? undefined : outputName(asNode(asNode(first).ResTarget), () => false);
      return sure(name);
    }
    default:
      return undefined;
  }
}

function columnOf(fields: readonly Json[], isTarget: IsTarget): string | undefined {
  const names = fields.map((field) => stringOf(asNode(asNode(field).String).sval));
  if (node(asNode(fields.at(-1)), 'A_Star') === undefined) return names.at(-1);
  return isTarget(names.slice(0, -1)) ? ALL : undefined;
}

function lastString(list: Json | undefined): string | undefined {
  return stringOf(asNode(asNode(asList(list).at(-1)).String).sval);
}
