/**
 * A text as the parser takes it, and its tokens. What says nothing about what a text means, and would cost the parser time or
 * memory, is blank there; all places stay what they are.
 */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import { Lexer, type TokenKind } from '../lexer/lexer.js';

/** All places in bytes of the text in UTF-8. */
export interface Token {
  /** The token, of one that is longer its beginning: longer than any keyword. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** It is a keyword, or a name without quotes: a quoted "delete" is none. */
  readonly isWord: boolean;
  /** It is a literal or a number alone. */
  readonly isConstant: boolean;
}

export interface Source {
  /** For the parser. */
  readonly text: string;
  /** Without comments. A number, and an operator, may be several. */
  readonly tokens: readonly Token[];
}

const LONGEST_KEYWORD = 32;
const BLANK = 0x20;
const SLASH = 0x2f;
const OPERATORS = new Set(Buffer.from('~!@#^&|`?+-*/%<>='));
/** No operator is longer (NAMEDATALEN). More signs in a row cost PostgreSQL's scanner the square of their number. */
const MOST_SIGNS = 63;
/** Constants after one another in a list. More values than this no EXECUTE can have, and nothing else counts them. */
export const MOST_CONSTANTS = 65_536;

/**
 * @returns undefined where the text ends in the middle of a literal, a name or a comment
 * @throws ProxyError PGC_TOO_LARGE where too many signs stand in a row
 */
export function readSource(sql: string): Source | undefined {
  const bytes = Buffer.from(sql);
  let isChanged = false;
  const comments = new Comments(bytes);
  const lexer = new Lexer(bytes, 'standard', (start, end) => comments.add(start, end));
  const tokens: Token[] = [];
  let signs = 0;
  let constants = 0;
  for (let kind = lexer.next(); kind !== 'end'; kind = lexer.next()) {
    if (kind === 'unfinished') return undefined;
    comments.goOn(kind);
    const last = tokens.at(-1);
    const isOperator = kind === 'sign' && OPERATORS.has(lexer.byte);
    signs = !isOperator ? 0 : last?.end === lexer.start ? signs + 1 : 1;
    if (signs > MOST_SIGNS) throw new ProxyError('PGC_TOO_LARGE');
    const token = tokenOf(bytes, lexer);
    if (token.text === ',') {
      const before = tokens.at(-2);
      constants = last?.isConstant && before?.text === ',' ? constants + 1 : 0;
      if (before && constants > MOST_CONSTANTS) {
        bytes.fill(BLANK, before.start, token.start);
        isChanged = true;
        tokens.length -= 2;
      }
    }
    tokens.push(token);
  }
  comments.goOn('end');
  return { text: isChanged || comments.any ? bytes.toString() : sql, tokens };
}

/**
 * Comments become blanks: after NOT, NULLS, WITH, WITHOUT and FORMAT, and before UESCAPE, libpg_query takes a comment for the
 * token that decides what the word is, and PostgreSQL does not. Only between literals the ends of one between slashes stay: it
 * says that they are two, where a line break alone makes them one (quotecontinue of scan.l).
 */
class Comments {
  any = false;
  readonly #bytes: Buffer;
  /** Of those after a literal. */
  readonly #pending: { start: number; end: number }[] = [];
  #last = '';

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  add(start: number, end: number): void {
    this.any = true;
    if (this.#last === 'literal') this.#pending.push({ start, end });
    else this.#bytes.fill(BLANK, start, end);
  }

  /** To be called with each token, by its kind: comments after a literal are blanked when the next token is known. */
  goOn(kind: TokenKind): void {
    for (const { start, end } of this.#pending) {
      const kept = kind === 'literal' && this.#bytes[start] === SLASH ? 2 : 0;
      this.#bytes.fill(BLANK, start + kept, end - kept);
    }
    this.#pending.length = 0;
    this.#last = kind;
  }
}

/** The index of the token that starts at a place, or -1. */
export function indexAt(tokens: readonly Token[], place: number): number {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tokens[middle]?.start ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return tokens[low]?.start === place ? low : -1;
}

/** The index of the first such token from `at` on: a sign, or a word in lower case. */
export function nextOf(tokens: readonly Token[], at: number, text: string): number {
  let index = at;
  while (index < tokens.length && tokens[index]?.text.toLowerCase() !== text) index++;
  return index;
}

/** The index of the parenthesis that closes the one at `open`. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]?.text === '(') depth++;
    if (tokens[i]?.text === ')' && --depth === 0) return i;
  }
  return tokens.length;
}

function tokenOf(bytes: Buffer, { kind, literal, byte, start, end }: Lexer): Token {
  return {
    text:
      kind === 'sign' || kind === 'separator'
        ? (SIGNS[byte] ?? '')
        : bytes.toString('latin1', start, Math.min(end, start + LONGEST_KEYWORD)),
    start,
    end,
    isWord: kind === 'word',
    isConstant: kind === 'number' || (kind === 'literal' && literal === 'plain'),
  };
}

const SIGNS: readonly string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** From bytes to characters. What stands before each so many bytes is counted once, so that places can be asked for in any order. */
export function characterCounter(source: Buffer): (byte: number) => number {
  if (isAscii(source)) return (byte) => byte;
  const before = new Uint32Array(Math.floor(source.length / STEP) + 1);
  for (let i = 1; i < before.length; i++)
    before[i] = (before[i - 1] ?? 0) + unitsIn(source, (i - 1) * STEP, i * STEP);
  return (byte) => {
    const step = Math.floor(byte / STEP);
    return (before[step] ?? 0) + unitsIn(source, step * STEP, byte);
  };
}

const STEP = 256;

/** How many UTF-16 units begin in a part of UTF-8: those beyond four bytes have two. */
function unitsIn(source: Buffer, start: number, end: number): number {
  let units = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at] ?? 0;
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}
