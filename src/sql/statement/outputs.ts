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

/** Whether an asterisk after these names stands for all columns of the target, and nothing else. */
export type IsTarget = (names: readonly (string | undefined)[]) => boolean;

/**
 * @param list the ResTargets
 * @returns undefined where one of them is not certain
 */
export function outputNames(list: readonly Node[], isTarget: IsTarget): readonly string[] | undefined {
  const names = list.map((target) => outputName(target, isTarget));
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** A name; or the expression or the subquery's column that has it, and what a cast or a CASE puts in its place. */
type Step =
  | { readonly kind: 'name'; readonly name: Name | undefined }
  | { readonly kind: 'inside'; readonly expression: Node; readonly instead: readonly (string | undefined)[] }
  | { readonly kind: 'subquery'; readonly target: Node };

/** A loop, as an expression of the client's may be deeper than the stack. */
function outputName(target: Node, isTarget: IsTarget): string | undefined {
  let column = target;
  for (let isOwn = isTarget; ; isOwn = () => false) {
    const own = stringOf(column.name);
    if (own !== undefined) return own;
    // Of the casts and CASEs around, the outermost first.
    const instead: (string | undefined)[] = [];
    let step = stepInto(asNode(column.val), isOwn);
    for (; step.kind === 'inside'; step = stepInto(step.expression, isOwn)) instead.push(...step.instead);
    if (step.kind === 'name') return unlessSure(step.name, instead);
    column = step.target;
  }
}

function stepInto(expression: Node, isTarget: IsTarget): Step {
  const [type = ''] = Object.keys(expression);
  const value = asNode(expression[type]);
  if (UNNAMED.has(type)) return named(NONE);
  switch (type) {
    case 'ColumnRef':
      return named(sure(columnOf(asList(value.fields), isTarget)));
    case 'FuncCall':
      return named(sure(lastString(value.funcname)));
    case 'A_Expr':
      return named(value.kind === 'AEXPR_NULLIF' ? sure('nullif') : NONE);
    case 'MinMaxExpr':
      return named(sure(value.op === 'IS_LEAST' ? 'least' : 'greatest'));
    case 'TypeCast':
      return inside(value.arg, lastString(asNode(value.typeName).names));
    case 'CaseExpr':
      return value.defresult === undefined
        ? named({ name: 'case', sure: false })
        : inside(value.defresult, 'case');
    case 'CollateClause':
      return { kind: 'inside', expression: asNode(value.arg), instead: [] };
    case 'SubLink':
      return intoSubquery(value);
    default:
      return named(sure(CALLED[type]));
  }
}

function named(name: Name | undefined): Step {
  return { kind: 'name', name };
}

function inside(expression: Json | undefined, instead: string | undefined): Step {
  return { kind: 'inside', expression: asNode(expression), instead: [instead] };
}

function sure(name: string | undefined): Name | undefined {
  return name === undefined ? undefined : { name, sure: true };
}

/** @param instead the names that casts and CASEs put in the place of one that is not sure, the outermost first */
function unlessSure(name: Name | undefined, instead: readonly (string | undefined)[]): string | undefined {
  if (name === undefined || name.sure || instead.length === 0) return name?.name;
  return instead.includes(undefined) ? undefined : instead[0];
}

function intoSubquery({ subLinkType, subselect }: Node): Step {
  switch (subLinkType) {
    case 'EXISTS_SUBLINK':
      return named(sure('exists'));
    case 'ARRAY_SUBLINK':
      return named(sure('array'));
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
      return named(NONE);
    case 'EXPR_SUBLINK': {
      const [first] = asList(asNode(asNode(subselect).SelectStmt).targetList);
      return first === undefined
        ? named(undefined)
        : { kind: 'subquery', target: asNode(asNode(first).ResTarget) };
    }
    default:
      return named(undefined);
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
