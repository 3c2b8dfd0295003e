/** The one door to PostgreSQL's own grammar: libpg-query, its parser as WebAssembly. */
import { createRequire } from 'node:module';
import type { ScanToken } from 'libpg-query';

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

export interface ScannedToken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isComment: boolean;
  /** Keywords are what the scanner says they are: a quoted "delete" is none. */
  readonly isKeyword: boolean;
}

type Parser = Pick<typeof import('libpg-query'), 'fingerprintSync' | 'loadModule' | 'parseSync' | 'scanSync'>;

let parser: Parser | undefined;
let spare: Parser | undefined;
let loading: Promise<void> | undefined;

/** To be awaited before anything is parsed: there is none at first, and for a moment where two were lost at once. */
export async function parserReady(): Promise<void> {
  while (parser === undefined) await loadParsers();
}

function loadParsers(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  try {
    parser ??= await newParser();
    spare ??= await newParser();
  } finally {
    loading = undefined;
  }
}

/** A parser with a memory of its own: the package has one, and lives as long as its module does. */
async function newParser(): Promise<Parser> {
  // Nobody may hold on to a module that is given up, its parent among modules neither.
  const require = createRequire(import.meta.url);
  const path = require.resolve('libpg-query');
  const made = require(path) as Parser;
  delete require.cache[path];
  await made.loadModule();
  return made;
}

/**
 * Asks the parser.
 *
 * A text that nests too deeply for it ends it in the middle: it unwinds neither its stack nor its memory, and after some
 * of these it would take no text at all. So it is given up for the spare one.
 * @returns undefined where the text is not what PostgreSQL's grammar knows, as far as it can be told
 */
function ask<T>(question: (parser: Parser) => T): T | undefined {
  try {
    return parser && question(parser);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SqlError')) replaceParser();
    return undefined;
  }
}

function replaceParser(): void {
  parser = spare;
  spare = undefined;
  // Where there is no memory for another one, the process has come to its end.
  void loadParsers();
}

/** @returns the statements, or undefined where the text is not what PostgreSQL's grammar knows */
export function parse(sql: string): readonly RawStatement[] | undefined {
  const result:
    | { stmts?: readonly { stmt?: unknown; stmt_location?: number; stmt_len?: number }[] }
    | undefined = ask(({ parseSync }) => parseSync(sql));
  if (result === undefined) return undefined;
  const length = Buffer.byteLength(sql);
  return (result.stmts ?? []).map(({ stmt, stmt_location: start = 0, stmt_len: size }) => ({
    tree: stmt as Node,
    start,
    end: size ? start + size : length,
  }));
}

/** @returns what is equal for texts that differ in their values alone, or undefined where the text is not what the grammar knows */
export function fingerprint(sql: string): string | undefined {
  return ask(({ fingerprintSync }) => fingerprintSync(sql));
}

/** @returns undefined where a token is none that PostgreSQL knows, or it is too much for the parser */
export function scan(sql: string): readonly ScannedToken[] | undefined {
  return ask((parser) => tokensOf(parser, sql))?.map((token: ScanToken) => ({
    text: token.text,
    start: token.start,
    end: token.end,
    isComment: token.tokenName.endsWith('COMMENT'),
    isKeyword: token.keywordName !== 'NO_KEYWORD',
  }));
}

/** What the scanner refuses it says in words, which the package takes for its tokens. */
function tokensOf({ scanSync }: Parser, sql: string): readonly ScanToken[] | undefined {
  try {
    return scanSync(sql).tokens;
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && error.name === 'Error')) return undefined;
    throw error;
  }
}
