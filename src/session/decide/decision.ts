/** What is decided for a text that may delete, and where the text comes from. */
import { ProxyError } from '../../errors.js';
import { type Rewrite, refusal, unchanged } from '../../rewrite/text.js';
import { charactersIn } from '../../sql/encoding/characters.js';
import { bytesOf } from '../../sql/encoding/raw-bytes.js';
import { quoteRelation } from '../../sql/names.js';
import { type Statement, targetsOf } from '../../sql/statement/statement.js';
import type { ColumnsSource } from '../catalog/known-columns.js';
import type { Protocol } from '../server/internal-query.js';

/**
 * `pass`: the text goes on as it is, and holds nothing that deletes. `failed`: the client has got an error in its place.
 * `skipped`: the server skips it after an earlier error. What is sent in its place is refused all the same, so that
 * nothing is deleted should the server not skip it.
 */
export type StatementDecision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'failed' | 'skipped'; readonly rewrite: Rewrite }
  | { readonly kind: 'rewrite'; readonly rewrite: Rewrite };

/** What becomes of a string that may hold several statements. */
export type Decision =
  | StatementDecision
  /** What a statement means depends on one before it: they have to be executed one after the other. */
  | { readonly kind: 'pieces'; readonly pieces: Iterable<Piece> };

/** One statement of a string. */
export interface Piece {
  /** As the client sent it. */
  readonly bytes: Buffer;
  /** How many characters of the string stand before it. */
  readonly offset: number;
  /** What becomes of it where it need not be expanded. */
  readonly unchanged: Rewrite;
}

/** Where a text comes from. */
export interface Source extends ColumnsSource {
  /** How the server can be asked at this point. */
  readonly protocol: Protocol;
  /** A simple query: several statements may be sent in the place of one. */
  readonly inString: boolean;
  readonly types: readonly number[];
  /** The execution can be repeated: nothing else would be lost with it. */
  readonly retries: boolean;
  /** What it leaves in the session, where it fails, is tidied up behind it. */
  readonly prepares?: boolean;
  /** The encoding in which the text came, where that was earlier; undefined is the client's by now. */
  readonly encoding?: string;
}

/** Of a statement alone. */
export type StatementSource = Source & { readonly inString: false };

export const PASS: StatementDecision = { kind: 'pass' };

/** A question about the text has no answer. */
export function unanswered(kind: 'failed' | 'skipped'): StatementDecision {
  return { kind, rewrite: refusal(new ProxyError('PGC_UNANSWERED')) };
}

/**
 * @throws ProxyError PGC_AFTER_DDL where the server would read a statement otherwise than in its string: it reads a string before
 * it executes any of it
 * @returns each piece when it is asked for: there may be thousands
 */
export function piecesOf(text: string, statements: readonly Statement[]): Iterable<Piece> {
  if (changesReading(text) && /[^\0-\x7f]|\\/.test(text)) {
    const table = statements.flatMap(targetsOf).map(quoteRelation).join(', ');
    throw new ProxyError('PGC_AFTER_DDL', { table });
  }
  return cut(text, statements);
}

function* cut(text: string, statements: readonly Statement[]): Generator<Piece> {
  let counted = 0;
  let offset = 0;
  for (const statement of statements) {
    const own = text.slice(statement.start, statement.end);
    offset += charactersIn(text, counted, statement.start);
    counted = statement.start;
    yield {
      bytes: bytesOf(own),
      offset,
      unchanged: unchanged(own, [{ ...statement, start: 0, end: own.length }]),
    };
  }
}

/** Whether a text may set client_encoding or standard_conforming_strings. A RESET does of all settings, or where escapes spell the name. */
function changesReading(text: string): boolean {
  return CHANGES_READING.test(text) || (/\breset\b/i.test(text) && /\ball\b|u&/i.test(text));
}

const CHANGES_READING = /client_encoding|standard_conforming_strings|set_config|\b(?:names|discard)\b/i;
