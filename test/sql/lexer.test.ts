/** The lexer against PostgreSQL's own scanner, as libpg-query has it. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { Lexer } from '../../src/sql/lexer/lexer.js';
import { isNoteworthy, lookAt } from '../../src/sql/lexer/look.js';
import { parse, parserReady, scan } from '../../src/sql/parser/parser.js';

beforeAll(parserReady);

type Piece = readonly [kind: 'word' | 'quoted' | 'separator' | 'unfinished', start: number, end: number];

const [SEMICOLON, QUOTE, DOLLAR] = [0x3b, 0x27, 0x24];

/** Words, what stands in quotes of any kind, and semicolons; undefined where libpg-query reads it in another way. */
function lexed(sql: string): readonly Piece[] | undefined {
  const lexer = new Lexer(Buffer.from(sql), 'standard');
  const pieces: Piece[] = [];
  for (let [last, first] = [lexer.kind, lexer.byte]; ; [last, first] = [lexer.kind, lexer.byte]) {
    const before = lexer.end;
    const kind = lexer.next();
    const { start, end } = lexer;
    expect(start).toBeGreaterThanOrEqual(before);
    if (kind === 'end') return pieces;
    const gap = Buffer.from(sql).toString('utf8', before, start);
    const [opened] = pieces.slice(-1);
    // To the scanner a literal that goes on after a newline is one.
    const isOpened = kind === 'literal' || kind === 'unfinished';
    const isNext = isOpened && last === 'literal' && lexer.byte === QUOTE && first !== DOLLAR;
    const goesOn = isNext && /^\s*[\n\r]\s*$/.test(gap.replace(/--[^\n\r]*/g, ''));
    // After a comment too, which libpg-query has taken out of the scanner's rules.
    if (goesOn && gap.includes('--')) return undefined;
    if (goesOn && opened && kind === 'literal') pieces.splice(-1, 1, ['quoted', opened[1], end]);
    // `1a` is two tokens to an older scanner and none to a newer one, and `1_0` is a number.
    else if (kind === 'word' && !(last === 'number' && start === before)) pieces.push(['word', start, end]);
    else if (kind === 'literal' || kind === 'name') pieces.push(['quoted', start, end]);
    else if (kind === 'unfinished') pieces.push([kind, start, end]);
    else if (lexer.byte === SEMICOLON) pieces.push(['separator', start, end]);
  }
}

function scanned(sql: string): readonly Piece[] | undefined {
  return scan(sql)?.flatMap(({ text, start, end, isComment, isKeyword }): Piece[] => {
    if (isComment) return [];
    // NCHAR is the N of N'…'.
    if (isKeyword || /^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/i.test(text))
      return [['word', start, end]];
    if (/^(?:[ebx]|u&)?['"]|^\$[^0-9]|^\$$/i.test(text) && text.length > 1) return [['quoted', start, end]];
    return text === ';' ? [['separator', start, end]] : [];
  });
}

/** Pieces of which what is hard to read is made. */
const PIECES = [
  ...["'", '"', '\\', '$', '$$', '$a$', '$b$', '--', '/*', '*/', '/', '*', '-', '+', '\n', '\r', ' ', '\t'],
  ...['e', 'E', 'n', 'u', 'U&', "e'", "U&'", 'U&"', "x'", "b'", "n'", "''", '""', "\\'", '(', ')', ';', ','],
  ...[
    'delete',
    'DELETE',
    'select',
    'copy',
    'stdin',
    'a',
    'é',
    '表',
    '_',
    '1',
    '0',
    '.',
    '$1',
    '=',
    '<',
    'a$',
    '&',
  ],
];

const raw = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join(''));
const inside = fc
  .array(
    fc.constantFrom(
      "''",
      '\\',
      "\\'",
      '\\\\',
      '"',
      '$',
      '$a$',
      '--',
      '/*',
      '*/',
      '\n',
      ';',
      'delete',
      'é',
      ' ',
    ),
    { maxLength: 5 },
  )
  .map((pieces) => pieces.join(''));
const enclosed = (opening: readonly string[], closing: (opened: string) => string) =>
  fc.tuple(fc.constantFrom(...opening), inside).map(([open, text]) => `${open}${text}${closing(open)}`);
/** What is likely to be whole, with all that can stand in it. */
const whole = fc.oneof(
  enclosed(["'", "'", "e'", "E'", "U&'", "n'", "b'", "x'", "a'"], () => "'"),
  enclosed(['"', 'u&"', 'e"'], () => '"'),
  enclosed(['$$', '$a$', '$é$', 'a$a$'], (open) => open.replace(/^a/, '')),
  enclosed(['/*', '/* /*'], (open) => '*/'.repeat(open.length > 2 ? 2 : 1)),
  enclosed(['--'], () => '\n'),
  fc.constantFrom("e'\\''\n'\\''", "e'\\'' '\\'", "'\\'\n'\\'"),
  // What stands between two literals decides whether they are one.
  fc.constantFrom(
    ' ',
    '\n',
    '\r',
    '\n\t',
    '--\n',
    '/**/\n',
    '/*\n*/',
    ';',
    ' delete ',
    ' from ',
    '(',
    ')',
    ' ',
  ),
);
const texts = fc
  .array(fc.oneof({ arbitrary: whole, weight: 5 }, { arbitrary: raw, weight: 1 }), { maxLength: 8 })
  .map((pieces) => pieces.join(''));

test('it finds the words, the literals and the semicolons that the scanner finds', () => {
  let compared = 0;
  fc.assert(
    fc.property(texts, (sql) => {
      const expected = scanned(sql);
      // The scanner has reasons of its own to refuse one: escapes that spell nothing, numbers, empty names.
      if (expected === undefined) return;
      compared++;
      expect(lexed(sql) ?? expected).toEqual(expected);
    }),
    { numRuns: Number(process.env.LEXER_RUNS ?? 3000) },
  );
  expect(compared).toBeGreaterThan(500);
});

/** Statements around a literal, and whether a word outside of it says that they may delete. */
const STATEMENTS: readonly (readonly [text: (literal: string) => string, deletes: boolean])[] = [
  [(literal) => `SELECT ${literal}`, false],
  [(literal) => `INSERT INTO t VALUES (${literal}, "delete;") /* delete; */`, false],
  [(literal) => `DELETE FROM t WHERE a = ${literal}`, true],
  [(literal) => `WITH d AS (DELETE FROM t RETURNING ${literal}) SELECT 1`, true],
  [(literal) => `CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT ${literal}; SELECT 2)`, false],
  [
    (literal) =>
      `CREATE FUNCTION f() RETURNS text BEGIN ATOMIC SELECT CASE WHEN true THEN ${literal} END; SELECT 1; END`,
    false,
  ],
  [() => '', false],
];
const literals = fc.oneof(
  inside.map((text) => `'${text.replaceAll("'", "''")}'`),
  inside.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  inside.map((text) => `$b$${text}$b$`),
);
const statements = fc.array(
  fc.tuple(
    fc.constantFrom(...STATEMENTS),
    literals,
    fc.constantFrom('', ' ', '-- ;\n', '/* ; /* */ delete */'),
  ),
  { maxLength: 5 },
);

test('it finds as many statements as the parser, and only their own words', () => {
  fc.assert(
    fc.property(statements, (made) => {
      const texts = made.map(([[text], literal, behind]) => `${text(literal)}${behind}`);
      const sql = ['SELECT 1', ...texts].join(';');
      const look = lookAt(Buffer.from(sql), { strings: 'on', hasHalves: false });
      expect(look.statements).toBe(parse(sql)?.length);
      expect(isNoteworthy(look, false)).toBe(made.some(([[, deletes]]) => deletes));
    }),
    { numRuns: 500 },
  );
});

const LONG = 1_000_000;

test.each([
  ['a literal', `'${'x'.repeat(LONG)}'`],
  ['a literal with escapes', `E'${'x'.repeat(LONG)}\\''`],
  ['a literal in dollars', `$a$${'x'.repeat(LONG)}$a$`],
  ['a name', `"${'x'.repeat(LONG)}"`],
  ['a comment', `/*${'x'.repeat(LONG)}*/1`],
  ['a comment in a line', `--${'x'.repeat(LONG)}\n1`],
])('of %s that is long few bytes are looked at one by one', (_, sql) => {
  let steps = 0;
  const text = Buffer.from(sql);
  const counting = new Proxy(text, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) steps++;
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const lexer = new Lexer(counting, 'standard');
  expect(lexer.next()).not.toBe('unfinished');
  expect(lexer.end).toBe(text.length);
  expect(steps).toBeLessThan(1000);
});
