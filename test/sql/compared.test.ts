/** Statements of a string that are read from the one before them. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { parserReady } from '../../src/sql/parser/parser.js';
import { readStatements } from '../../src/sql/statement/statement.js';

beforeAll(() => parserReady());

const constant = fc.oneof(
  fc.constantFrom(
    '1',
    '7',
    '0',
    '12',
    '-5',
    '- 5',
    '0x1F',
    '1_0',
    '5.',
    '.5',
    '1e3',
    '2147483647',
    '2147483648',
  ),
  fc.constantFrom(
    "'a'",
    "'b'",
    "'''",
    "''''",
    "'a''b'",
    "'--'",
    "E'a'",
    "U&'b'",
    "'\\'",
    '$$a$$',
    "'é'",
    "'1'",
    'NULL',
  ),
  fc.constantFrom(
    'id',
    '"a"',
    '(1)',
    "'1'::int",
    '$1',
    'f(1)',
    '1 OR true',
    '1 /* 2 */',
    '1 -- x\n',
    '(SELECT 1)',
  ),
);
const condition = fc
  .tuple(
    fc.constantFrom('id', 't.id', '"a"', 'é', '1', 'a[1]'),
    fc.constantFrom('=', '>=', '<>', ' OPERATOR(pg_catalog.=) '),
    constant,
  )
  .map((parts) => parts.join(''));
const statement = fc
  .tuple(
    fc.constantFrom(
      'DELETE FROM t WHERE ',
      'DELETE FROM ONLY s.t AS x WHERE ',
      '/* é */ DELETE FROM t USING u WHERE ',
      'DELETE FROM t RETURNING id, ',
    ),
    fc.array(condition, { minLength: 1, maxLength: 3 }).map((all) => all.join(' AND ')),
    fc.constantFrom('', ' RETURNING id', ' AND (b = 2)', ' OR c = 3'),
  )
  .map((parts) => parts.join(''));
const string = fc.tuple(statement, constant, constant, constant).map(([first, ...others]) => [
  first,
  first,
  // The same with another constant somewhere.
  ...others.map((other) => first.replace(/[0-9]+|'[^']*'/, () => other)),
]);

const readable = (sql: string) => readStatements(sql)?.length === 1;

test('of each statement of a string the same is known as of the statement alone', () => {
  fc.assert(
    fc.property(string, (all) => {
      const statements = all.filter(readable);
      fc.pre(statements.length > 0);
      const together = readStatements(statements.join('\n;'))?.map(({ meaning }) => meaning);
      expect(together).toEqual(statements.map((each) => readStatements(each)?.[0]?.meaning));
    }),
    { numRuns: 150 },
  );
});
