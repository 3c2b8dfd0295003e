/** The statements of a text in one of the dialects, as its own program (psql, mysql, sqlite3) would read them. */
import type { Steps } from '../../pace.js';
import type { Lexis } from './dialect.js';
import { type Token, Tokens } from './tokens.js';

export interface Statement {
  /** Without comments, and without what ends the statement. */
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/** How many tokens are read between two looks at the clock. */
const FEW = 1000;

/**
 * Reads those statements that begin with one of some words: of the others, which may be megabytes of data, nothing is kept.
 * Data of a COPY, and lines that begin with a backslash or a dot, are left out.
 * @param words in upper case
 * @returns what was read, and the line of a string, name or comment that has no end
 */
export function* statementsOf(
  text: string,
  lexis: Lexis,
  words: ReadonlySet<string>,
): Steps<{ readonly statements: readonly Statement[]; readonly unfinished: number | undefined }> {
  const reader = new Tokens(text, lexis);
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  let first: Token | undefined;
  let last: Token | undefined;
  for (let count = 1; ; count++) {
    if (count % FEW === 0) yield;
    const token = reader.next();
    if (token.kind === 'unfinished') return { statements, unfinished: token.line };
    if (first === undefined && isCommand(token, text)) {
      const rest = reader.restOfLine();
      if (isWord(token, 'DELIMITER')) reader.delimiter = rest.trim() || ';';
      continue;
    }
    if (token.kind !== 'end' && token.kind !== 'separator') {
      first ??= token;
      last = token;
      if (isKept(first, words) || isWord(first, 'COPY')) tokens.push(token);
      continue;
    }
    if (first && last && isKept(first, words))
      statements.push({ tokens, start: first.start, end: last.end, line: first.line });
    if (first && isWord(first, 'COPY') && tokens.some((each) => isWord(each, 'STDIN'))) {
      reader.restOfLine();
      reader.skipLinesTo('\\.');
    }
    if (token.kind === 'end') return { statements, unfinished: undefined };
    [tokens, first, last] = [[], undefined, undefined];
  }

  function isCommand(token: Token, whole: string): boolean {
    if (lexis.client === 'mysql') return isWord(token, 'DELIMITER');
    const isFirst = token.start === 0 || whole[token.start - 1] === '\n';
    return token.kind === 'sign' && (token.text === '\\' || token.text === '.') && isFirst;
  }
}

function isKept(first: Token, words: ReadonlySet<string>): boolean {
  return first.kind === 'word' && words.has(first.text.toUpperCase());
}

/** Whether a token is this keyword. @param word in upper case */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}
