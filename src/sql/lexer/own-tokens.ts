/**
 * Texts that another scanner than PostgreSQL's cuts into other tokens: what is a comment or a literal to the one is a statement to
 * the other, so that nothing which PostgreSQL's parser finds in such a text is certain.
 */
import type { OwnToken } from '../../profiles/families/family.js';
import { Lexer } from './lexer.js';
import { findAt } from './vocabulary.js';

/** @returns true also where PostgreSQL's own scanner finds no end of a literal, name or comment in a text that has one of these */
export function isReadOtherwise(text: Buffer, own: readonly OwnToken[]): boolean {
  if (text.length < LONG && !SUSPECT.test(text.toString('latin1'))) return false;
  let differs = false;
  const lexer = new Lexer(text, 'standard', (start, end) => {
    differs ||= isOtherComment(text, start, end, own);
  });
  /** Where a name ends that PostgreSQL reads as signs and words. */
  let nameEnd = -1;
  for (let kind = lexer.next(); kind !== 'end'; kind = lexer.next()) {
    if (differs || kind === 'unfinished') return true;
    if (kind === 'literal' && isOtherLiteral(lexer, own)) return true;
    const isWide = kind === 'word' || (kind === 'literal' && lexer.literal === 'dollar');
    if (isWide && own.includes('wide spaces') && hasWideSpace(text, lexer)) return true;
    if (kind !== 'sign' || lexer.start <= nameEnd) continue;
    if (isOtherSign(text, lexer.start, own)) return true;
    const closing = CLOSING.get(lexer.byte);
    if (closing === undefined || !own.includes(closing.token)) continue;
    nameEnd = text.indexOf(closing.byte, lexer.end);
    if (nameEnd < 0 || BEGINS.test(text.toString('latin1', lexer.end, nameEnd))) return true;
  }
  return differs;
}

/** The groups (vocabulary.ts) of all words of a text, wherever they stand. */
export function groupsOfAllWords(text: Buffer): number {
  let groups = 0;
  for (const { 0: word, index } of text.toString('latin1').matchAll(/[a-z_]+/gi))
    groups |= findAt(text, index, index + word.length)?.groups ?? 0;
  return groups;
}

/** In bytes: no string is made of a longer text. */
const LONG = 8 * 1024;
/** What any of these is made of. Most texts have nothing of it, and are not gone through. */
const SUSPECT = /[`[\\\r@#\x80-\xff]|\/[/*]|\$\D|(?<!:):[\w$]/;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

function isOtherComment(text: Buffer, start: number, end: number, own: readonly OwnToken[]): boolean {
  if (text.toString('latin1', start, start + 2) === '--')
    return own.includes('comments to newlines') && text[end] === RETURN && text[end + 1] !== NEWLINE;
  const inside = text.indexOf('/*', start + 2);
  return own.includes('flat comments') && inside >= 0 && inside < end;
}

function isOtherLiteral({ literal, hasEscapes }: Lexer, own: readonly OwnToken[]): boolean {
  if (literal === 'dollar') return own.includes('no dollars');
  if (!hasEscapes) return false;
  return own.includes('backslashes') || (literal === 'escape' && own.includes('plain E'));
}

function isOtherSign(text: Buffer, at: number, own: readonly OwnToken[]): boolean {
  const [sign = '', next = ''] = text.toString('latin1', at, at + 2);
  if (sign === '/' && next === '/') return own.includes('//');
  return own.includes('variables') && '$@:#'.includes(sign) && /[\w$\x80-\xff]/.test(next);
}

/** What ends a name that begins with the byte. */
const CLOSING: ReadonlyMap<number, { readonly byte: string; readonly token: OwnToken }> = new Map([
  [0x60, { byte: '`', token: '`names`' }],
  [0x5b, { byte: ']', token: '[names]' }],
]);
/** What begins a literal, a name or a comment, or separates statements, to PostgreSQL. */
const BEGINS = /['"$;]|--|\/\*/;

/** White space beyond ASCII, and what has no width. */
const WIDE_SPACE = /[\u0085\u00a0\u1680\u180e\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/;

function hasWideSpace(text: Buffer, { start, end }: Lexer): boolean {
  return WIDE_SPACE.test(text.toString('utf8', start, end));
}
