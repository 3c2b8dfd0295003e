/**
 * Cuts a text into tokens as PostgreSQL's own scanner does (src/backend/parser/scan.l, and psqlscan.l for where a
 * statement ends). It reads the bytes as they came, each once and in constant memory: nothing recurses, goes back or counts
 * from the start, however long the text is, and however deep its comments and parentheses.
 *
 * All that it looks for is ASCII, so it is right for every encoding in which the bytes below 128 are always ASCII. In those
 * in which they can be the second half of a character (SJIS, BIG5, GBK, UHC, GB18030, JOHAB), a `\`, a `;` or a letter may be
 * none; quotes, comments and `$` always are what they seem. Whoever cannot exclude these encodings reads it as `flat`.
 */

import { type LiteralKind, PREFIXES, type Reading, type TokenKind } from './kinds.js';
import { hasNewline, nextPlace, placeOf } from './search.js';

export type { LiteralKind, Reading, TokenKind } from './kinds.js';

/** What a byte can be, as bits: a byte can be several. In this file, as a loop over bytes reads imported values more slowly. */
const SPACE = 1;
const WORD = 2;
const DIGIT = 4;
const IN_TAG = WORD + DIGIT;
/** It is part of a word after the first letter alone: the dollar. */
const MORE = 8;
const IN_WORD = WORD + DIGIT + MORE;
/** It may begin a comment, a literal or a quoted name; or the lexer counts it: parentheses, and the semicolon. */
const SPECIAL = 16;
/** The kinds of each byte, added up. Every byte of a character that is not ASCII is part of a word. */
const KINDS = new Uint8Array(256).fill(WORD, 128);
const add = (bytes: string, kind: number) => {
  for (const byte of Buffer.from(bytes)) KINDS[byte] = (KINDS[byte] ?? 0) + kind;
};
add(' \t\n\r\f\v', SPACE);
add('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', WORD);
add('0123456789', DIGIT);
add('$', MORE);
add('-/\'"$();', SPECIAL);

const [NEWLINE, RETURN] = [0x0a, 0x0d];
const [QUOTE, DOUBLE_QUOTE, DOLLAR, AND] = [0x27, 0x22, 0x24, 0x26];
const [DASH, SLASH, STAR, BACKSLASH] = [0x2d, 0x2f, 0x2a, 0x5c];
const [OPEN, CLOSE, SEMICOLON] = [0x28, 0x29, 0x3b];

const UNICODE = 0x75;

/** In a long literal or name native code is asked for the end each time when these bits of the place are 0. */
const STRIDE = 255;

export class Lexer {
  readonly #text: Buffer;
  readonly #reading: Reading;
  #at = 0;
  /** Where the token that was found last stands, in bytes. */
  start = 0;
  kind: TokenKind = 'sign';
  /** What kind of literal it is, where it is one. */
  literal: LiteralKind = 'plain';
  /** It is a name written U&"…", or a literal with a backslash in it. */
  hasEscapes = false;
  /** How many parentheses are open. */
  depth = 0;
  /** The beginning of a literal, name or comment was passed over: from here on a comment may be none. */
  #isFlat = false;
  /** Where these bytes stand next, as far as they were looked for. */
  #quote = -1;
  #backslash = -1;
  #newline = -1;
  #return = -1;

  readonly #onComment: ((start: number, end: number) => void) | undefined;

  /** @param onComment is told of each whole comment, with those inside of it */
  constructor(text: Buffer, reading: Reading, onComment?: (start: number, end: number) => void) {
    this.#text = text;
    this.#onComment = onComment;
    this.#reading = reading;
  }

  /** After the token that was found last. */
  get end(): number {
    return this.#at;
  }

  /** The byte that a sign is, or with which the token begins. */
  get byte(): number {
    return this.#text[this.start] ?? 0;
  }

  /** Finds the next token; after the last one, and after what is unfinished, there is none but `end`. */
  next(): TokenKind {
    const text = this.#text;
    const continues = this.kind === 'literal' && this.literal !== 'dollar';
    let isPlain = true;
    let newline = false;
    for (;;) {
      const start = endOfRun(text, this.#at, SPACE);
      if (continues && !newline) newline = hasNewline(text, this.#at, start);
      this.#at = this.start = start;
      const byte = text[start];
      if (byte === undefined) return this.#found('end', start);
      const kind = KINDS[byte] ?? 0;
      if ((kind & WORD) !== 0) return this.#word(byte);
      if ((kind & DIGIT) !== 0) return this.#found('number', endOfRun(text, start + 1, DIGIT));
      if ((kind & SPECIAL) === 0) return this.#found('sign', start + 1);
      const following = text[start + 1];
      if (byte === DASH && following === DASH && !this.#isFlat) {
        this.#at = this.#lineEnd(this.#at + 2);
        this.#onComment?.(start, this.#at);
        continue;
      }
      if (byte === SLASH && following === STAR && !this.#isFlat) {
        isPlain = false;
        if (this.#comment()) {
          this.#onComment?.(start, this.#at);
          continue;
        }
        if (this.#reading !== 'flat') return this.#found('unfinished', text.length);
        this.#at = this.start;
        return this.#passOver();
      }
      // A literal goes on where a newline, and no comment of several lines, is between its two parts.
      if (byte === QUOTE) return this.#quoted(continues && newline && isPlain ? this.literal : 'plain');
      if (byte === DOUBLE_QUOTE) return this.#name(false);
      if (byte === DOLLAR) return this.#dollar(following);
      return this.#sign(byte);
    }
  }

  #found(kind: TokenKind, end: number): TokenKind {
    this.kind = kind;
    this.#at = end;
    return kind;
  }

  #sign(byte: number): TokenKind {
    if (byte === OPEN) this.depth++;
    if (byte === CLOSE && this.depth > 0) this.depth--;
    const separates = byte === SEMICOLON && (this.depth === 0 || this.#reading === 'flat');
    return this.#found(separates ? 'separator' : 'sign', this.#at + 1);
  }

  #word(first: number): TokenKind {
    const text = this.#text;
    const end = endOfRun(text, this.#at + 1, IN_WORD);
    if (end === this.start + 1) {
      const [one, two] = [text[end], text[end + 1]];
      const letter = first | 0x20;
      const prefix = one === QUOTE ? PREFIXES.get(letter) : undefined;
      const isUnicode = letter === UNICODE && one === AND;
      this.#at = end;
      if (prefix) return this.#quoted(prefix);
      if (isUnicode) this.#at++;
      if (isUnicode && two === QUOTE) return this.#quoted('unicode');
      if (isUnicode && two === DOUBLE_QUOTE) return this.#name(true);
    }
    return this.#found('word', end);
  }

  /** @param literal how the literal is read whose quote is at hand */
  #quoted(literal: LiteralKind): TokenKind {
    if (this.#reading === 'flat') return this.#passOver();
    const text = this.#text;
    const escapes = literal === 'escape' || (literal === 'plain' && this.#reading === 'escaped');
    this.literal = literal;
    this.hasEscapes = false;
    for (let at = this.#at + 1; at < text.length; at++) {
      const byte = text[at];
      if (byte === BACKSLASH) {
        this.hasEscapes = true;
        if (escapes) at++;
      } else if (byte === QUOTE) {
        if (text[at + 1] !== QUOTE || literal === 'bits') return this.#found('literal', at + 1);
        at++;
      } else if ((at & STRIDE) === 0) {
        at = this.#quoteOrBackslash(at) - 1;
      }
    }
    return this.#found('unfinished', text.length);
  }

  #quoteOrBackslash(at: number): number {
    this.#quote = nextPlace(this.#text, QUOTE, at, this.#quote);
    this.#backslash = nextPlace(this.#text, BACKSLASH, at, this.#backslash);
    return Math.min(this.#quote, this.#backslash);
  }

  #name(isUnicode: boolean): TokenKind {
    if (this.#reading === 'flat') return this.#passOver();
    const text = this.#text;
    this.hasEscapes = isUnicode;
    for (let at = this.#at + 1; at < text.length; at++) {
      if (text[at] === DOUBLE_QUOTE) {
        if (text[at + 1] !== DOUBLE_QUOTE) return this.#found('name', at + 1);
        at++;
      } else if ((at & STRIDE) === 0) {
        at = placeOf(text, DOUBLE_QUOTE, at) - 1;
      }
    }
    return this.#found('unfinished', text.length);
  }

  /** A parameter, or `$tag$…$tag$`; a dollar that is neither is a sign. */
  #dollar(following = 0): TokenKind {
    const text = this.#text;
    const kind = KINDS[following] ?? 0;
    if ((kind & DIGIT) !== 0) return this.#found('parameter', endOfRun(text, this.#at + 2, DIGIT));
    if (this.#reading === 'flat') return this.#passOver();
    const first = this.#at + 1;
    const tagEnd = (kind & WORD) !== 0 ? endOfRun(text, first + 1, IN_TAG) : first;
    if (text[tagEnd] !== DOLLAR) return this.#found('sign', first);
    this.literal = 'dollar';
    this.hasEscapes = false;
    const size = tagEnd + 1 - first;
    for (let at = placeOf(text, DOLLAR, tagEnd + 1); at < text.length; ) {
      // No dollar is in a tag, so that no byte is compared twice.
      let same = 0;
      while (same < size && text[at + 1 + same] === text[first + same]) same++;
      if (same === size) return this.#found('literal', at + 1 + size);
      at = placeOf(text, DOLLAR, at + 1 + same);
    }
    return this.#found('unfinished', text.length);
  }

  #passOver(): TokenKind {
    this.#isFlat = true;
    this.start = this.#at;
    return this.#found('sign', this.#at + 1);
  }

  #lineEnd(at: number): number {
    this.#newline = nextPlace(this.#text, NEWLINE, at, this.#newline);
    this.#return = nextPlace(this.#text, RETURN, at, this.#return);
    return Math.min(this.#newline, this.#return);
  }

  /** Goes past a comment, with those inside of it. @returns false where it has no end */
  #comment(): boolean {
    const text = this.#text;
    let depth = 1;
    let at = this.#at + 2;
    while (depth > 0) {
      // Both its beginning and its end have one.
      const star = placeOf(text, STAR, at);
      if (star >= text.length) break;
      const opens = star > at && text[star - 1] === SLASH;
      const closes = !opens && text[star + 1] === SLASH;
      if (opens) depth++;
      if (closes) depth--;
      at = star + (closes ? 2 : 1);
    }
    this.#at = at;
    return depth === 0;
  }
}

/** The first place from `at` on whose byte is of none of these kinds. */
function endOfRun(text: Buffer, at: number, kinds: number): number {
  const { length } = text;
  let end = at;
  while (end < length && ((KINDS[text[end] ?? 0] ?? 0) & kinds) !== 0) end++;
  return end;
}
