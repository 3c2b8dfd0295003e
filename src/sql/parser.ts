/** The one door to PostgreSQL's own grammar: libpg-query, its parser as WebAssembly. */
import { loadModule, parseSync, type ScanToken, scanSync } from 'libpg-query';

/** A node of PostgreSQL's syntax tree as JSON. Nobody prints it back: texts are spliced by its offsets. */
export type Node = { readonly [key: string]: Json };
export type Json = string | number | boolean | null | Node | readonly Json[];

export interface RawStatement {
  /** `{ DeleteStmt: … }` and the like: one key, the node's type. */
  readonly tree: Node;
  /** Where it stands, in bytes of the UTF-8 text; white space and comments around it may be included. */
  readonly start: number;
  readonly end: number;
}

export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isComment: boolean;
  /** Keywords are what the scanner says they are: a quoted "delete" is none. */
  readonly isKeyword: boolean;
}

/** Must have been awaited once before anything is parsed. */
export const loadParser: () => Promise<void> = loadModule;

/** @returns the statements, or undefined where the text is not what PostgreSQL's grammar knows */
export function parse(sql: string): readonly RawStatement[] | undefined {
  let result: { stmts?: readonly { stmt?: unknown; stmt_location?: number; stmt_len?: number }[] };
  try {
    result = parseSync(sql);
  } catch {
    return undefined;
  }
  const length = Buffer.byteLength(sql);
  return (result.stmts ?? []).map(({ stmt, stmt_location: start = 0, stmt_len: size }) => ({
    tree: stmt as Node,
    start,
    end: size ? start + size : length,
  }));
}

export function scan(sql: string): readonly Token[] {
  return scanSync(sql).tokens.map((token: ScanToken) => ({
    text: token.text,
    start: token.start,
    end: token.end,
    isComment: token.tokenName.endsWith('COMMENT'),
    isKeyword: token.keywordName !== 'NO_KEYWORD',
  }));
}
