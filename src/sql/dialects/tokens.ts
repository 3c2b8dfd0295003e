/** Cuts a text in one of the dialects into tokens: each character once, and nothing of what is not asked for is kept. */
import type { Lexis } from './dialect.js';

/** `end` is after the last token; `unfinished` is a string, name or comment without an end, which is the last token too. */
export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'sign' | 'separator' | 'end' | 'unfinished';

export interface Token {
  readonly kind: TokenKind;
  /** A word as it is written, a name or a string without its quotes, or the sign. */
  readonly text: string;
  /** Where it stands, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** From 1. */
  readonly line: number;
}

const SPACE = /\s/;
const WORD = /[\p{L}\p{M}\p{Nd}_$\u0080-\uffff]/u;
const DIGIT = /[0-9]/;

export class Tokens {
  readonly #text: string;
  readonly #lexis: Lexis;
  #at = 0;
  #line = 1;
  /** Up to where the lines are counted. */
  #counted = 0;
  /** What ends a statement: the mysql program's DELIMITER changes it. */
  delimiter = ';';

  constructor(text: string, lexis: Lexis) {
    this.#text = text;
    this.#lexis = lexis;
  }

  /** Finds the next token. */
  next(): Token {
    const text = this.#text;
    for (;;) {
      while (SPACE.test(text[this.#at] ?? '')) this.#at++;
      const start = this.#at;
      if (start >= text.length) return this.#token('end', '', start);
      if (text.startsWith(this.delimiter, start))
        return this.#token('separator', this.delimiter, start + this.delimiter.length);
      const comment = this.#comment();
      if (comment === 'unfinished') return this.#token('unfinished', '', text.length);
      if (comment === 'none') return this.#found(start);
    }
  }

  /** The rest of the line, and goes past it: psql's and mysql's own commands end there. */
  restOfLine(): string {
    const end = lineEnd(this.#text, this.#at);
    const rest = this.#text.slice(this.#at, end);
    this.#at = end;
    return rest;
  }

  /** Goes past the line that is nothing but this: the data of a COPY end so. Without one, to the end. */
  skipLinesTo(last: string): void {
    while (this.#at < this.#text.length) {
      const line = this.restOfLine();
      this.#at++;
      if (line.replace(/\r$/, '') === last) return;
    }
  }

  #found(start: number): Token {
    const text = this.#text;
    const first = text[start] ?? '';
    const { nameQuotes, stringQuotes, backslashes, dollars } = this.#lexis;
    const closing = nameQuotes.get(first);
    if (closing !== undefined) return this.#quoted('name', start, closing, false);
    if (stringQuotes.includes(first)) return this.#quoted('string', start, first, backslashes);
    if (dollars && first === '$') return this.#dollarQuoted(start);
    if (dollars && /[eE]/.test(first) && text[start + 1] === "'")
      return this.#quoted('string', start, "'", true, start + 1);
    if (!WORD.test(first)) return this.#token('sign', first, start + 1);
    let end = start + 1;
    while (WORD.test(text[end] ?? '')) end++;
    const word = text.slice(start, end);
    return this.#token(/^[0-9]+$/.test(word) ? 'number' : 'word', word, end);
  }

  #quoted(
    kind: 'name' | 'string',
    start: number,
    closing: string,
    backslashes: boolean,
    quote = start,
  ): Token {
    const text = this.#text;
    let value = '';
    let from = quote + 1;
    for (let at = from; at < text.length; at++) {
      if (backslashes && text[at] === '\\') at++;
      else if (text[at] === closing) {
        value += text.slice(from, at);
        if (text[at + 1] !== closing || closing === ']') return this.#token(kind, value, at + 1);
        value += closing;
        from = ++at + 1;
      }
    }
    return this.#token('unfinished', '', text.length);
  }

  /** `$tag$…$tag$`; a dollar that begins none is a sign, and `$1` a number. */
  #dollarQuoted(start: number): Token {
    const text = this.#text;
    const [tag] = /^\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?\$/u.exec(text.slice(start, start + 80)) ?? [];
    if (tag === undefined) {
      let end = start + 1;
      while (DIGIT.test(text[end] ?? '')) end++;
      return this.#token(end > start + 1 ? 'number' : 'sign', text.slice(start, end), end);
    }
    const end = text.indexOf(tag, start + tag.length);
    if (end < 0) return this.#token('unfinished', '', text.length);
    return this.#token('string', text.slice(start + tag.length, end), end + tag.length);
  }

  /** Goes past a comment, if one begins here. */
  #comment(): 'none' | 'skipped' | 'unfinished' {
    const text = this.#text;
    const at = this.#at;
    const isMysql = this.#lexis.client === 'mysql';
    const isLine = text.startsWith('--', at) && (!isMysql || SPACE.test(text[at + 2] ?? ' '));
    if (isLine || (isMysql && text[at] === '#')) {
      this.#at = lineEnd(text, at);
      return 'skipped';
    }
    if (isMysql) {
      const [opening] = /^\/\*M?!\d*/.exec(text.slice(at, at + 12)) ?? [];
      if (opening !== undefined || text.startsWith('*/', at)) {
        this.#at += opening?.length ?? 2;
        return 'skipped';
      }
    }
    return text.startsWith('/*', at) ? this.#blockComment() : 'none';
  }

  #blockComment(): 'skipped' | 'unfinished' {
    const text = this.#text;
    let depth = 1;
    this.#at += 2;
    while (depth > 0) {
      const closing = text.indexOf('*/', this.#at);
      if (closing < 0) return 'unfinished';
      const opening = this.#lexis.dollars ? text.indexOf('/*', this.#at) : -1;
      const opens = opening >= 0 && opening < closing;
      depth += opens ? 1 : -1;
      this.#at = (opens ? opening : closing) + 2;
    }
    return 'skipped';
  }

  #token(kind: TokenKind, text: string, end: number): Token {
    const start = this.#at;
    for (; this.#counted < start; this.#counted++) if (this.#text[this.#counted] === '\n') this.#line++;
    this.#at = end;
    return { kind, text, start, end, line: this.#line };
  }
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
