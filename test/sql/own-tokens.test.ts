/** Texts that another scanner than PostgreSQL's cuts into other tokens. */
import { expect, test } from 'vitest';
import { OWN_TOKENS, type OwnToken } from '../../src/profiles/families/family.js';
import { groupsOfAllWords, isReadOtherwise } from '../../src/sql/lexer/own-tokens.js';
import { GROUPS } from '../../src/sql/lexer/vocabulary.js';

test.each<readonly [OwnToken, string]>([
  ['//', 'SELECT 1 // 2'],
  ['//', 'SELECT 1 //* 2 */'],
  ['//', 'SELECT 1 <// 2'],
  ['flat comments', '/* /* */ */ SELECT 1'],
  ['flat comments', 'SELECT 1 /*/**/*/'],
  ['comments to newlines', 'SELECT 1 -- a\r, 2'],
  ['comments to newlines', '-- a\n-- b\r'],
  ['plain E', String.raw`SELECT e'\''`],
  ['plain E', `SELECT E'a'\n'${String.raw`\n`}'`],
  ['backslashes', String.raw`SELECT 'a\'`],
  ['no dollars', 'SELECT $$a$$'],
  ['no dollars', 'SELECT $a$b$a$'],
  ['variables', "SELECT @a(')')"],
  ['variables', "SELECT $a('), :ä(')"],
  ['`names`', "SELECT 1 AS `''`"],
  ['`names`', 'SELECT 1 AS `a`, `;`'],
  ['`names`', 'SELECT 1 AS `--`'],
  ['[names]', "SELECT 1 AS ['']"],
  ['[names]', 'SELECT 1 AS [a$$'],
  ['wide spaces', 'DELETE\u3000FROM a'],
  ['wide spaces', '\ufeffDELETE FROM a'],
  ['wide spaces', 'SELECT $\u00a0$ $\u00a0$'],
])('%s: %j', (token, text) => {
  expect(isReadOtherwise(Buffer.from(text), [token])).toBe(true);
  // A literal of dollars is one to all others, whatever is in it; and only E'…' has backslashes for two reasons.
  const [dollars, escapes]: readonly OwnToken[][] = [['no dollars'], ['backslashes']];
  const also = token === 'wide spaces' ? dollars : token === 'plain E' ? escapes : [];
  const others = OWN_TOKENS.filter((each) => each !== token && !also?.includes(each));
  expect(isReadOtherwise(Buffer.from(text), others)).toBe(false);
});

test.each([
  `SELECT 'http://x', "//" /* // */ -- // /* /*`,
  'SELECT 1 / / 2 /* a */ /* b */ -- c\r\n',
  String.raw`SELECT "\", E'a', U&"\0041" -- \ `,
  'SELECT $1, `a b``c`, [a]["b"], "`", \'[\', "\u3000", äöü',
])('as PostgreSQL does: %j', (text) => {
  const own = OWN_TOKENS.filter((each) => each !== '[names]');
  expect(isReadOtherwise(Buffer.from(text), own)).toBe(false);
});

test.each(["SELECT '`", 'SELECT "\\', 'SELECT /*', 'SELECT $a$'])('without an end: %j', (text) => {
  expect(isReadOtherwise(Buffer.from(text), [])).toBe(true);
});

test.each([
  "'DELETE'",
  '/* /* */delete',
  'DELETE\u3000FROM',
  '\ufeffDelete',
  '1DELETE',
])('%j has a word that deletes', (text) => {
  expect(groupsOfAllWords(Buffer.from(text)) & GROUPS.deleting).not.toBe(0);
});

test.each(['deleted', 'x_delete', 'dele te'])('%j has none', (text) => {
  expect(groupsOfAllWords(Buffer.from(text)) & GROUPS.deleting).toBe(0);
});
