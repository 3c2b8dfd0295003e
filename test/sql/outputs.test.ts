/** What the columns of a RETURNING are called, however deep their expressions are. */
import { expect, test } from 'vitest';
import type { Node } from '../../src/sql/parser/parser.js';
import { outputNames } from '../../src/sql/statement/outputs.js';

const DEEP = 100_000;

const none: Node = { A_Const: { ival: { ival: 1 } } };
const column: Node = { ColumnRef: { fields: [{ String: { sval: 'a' } }] } };
const cast = (arg: Node): Node => ({
  TypeCast: { arg, typeName: { names: [{ String: { sval: 'int4' } }] } },
});
const otherwise = (defresult: Node): Node => ({ CaseExpr: { defresult } });
const collated = (arg: Node): Node => ({ CollateClause: { arg } });
const subquery = (val: Node): Node => ({
  SubLink: {
    subLinkType: 'EXPR_SUBLINK',
    subselect: { SelectStmt: { targetList: [{ ResTarget: { val } }] } },
  },
});

function nameOf(val: Node): string | undefined {
  return outputNames([{ val }], () => true)?.[0];
}

function deep(inner: Node, around: (inner: Node) => Node): Node {
  let expression = inner;
  for (let i = 0; i < DEEP; i++) expression = around(expression);
  return expression;
}

test.each([
  ['casts of a constant', deep(none, cast), 'int4'],
  ['casts of a column', deep(column, cast), 'a'],
  ['CASEs in the ELSE of others', deep(none, otherwise), 'case'],
  ['collations', deep(column, collated), 'a'],
  ['subqueries', deep(column, subquery), 'a'],
])('%s, a hundred thousand deep, have the name that one of them has', (_, expression, name) => {
  expect(nameOf(expression)).toBe(name);
});

test('the outermost of casts and CASEs names what has no name, and a subquery keeps the name of its column', () => {
  expect(nameOf(otherwise(cast(none)))).toBe('case');
  expect(nameOf(cast(otherwise(none)))).toBe('int4');
  expect(nameOf(cast(collated(otherwise(column))))).toBe('a');
  expect(nameOf(cast(subquery(none)))).toBe('?column?');
  expect(nameOf(otherwise(subquery(cast(none))))).toBe('int4');
});
