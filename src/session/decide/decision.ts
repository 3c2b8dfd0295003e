/** What is decided for a text that may delete, and where the text comes from. */
import { ProxyError } from '../../errors.js';
import { type Rewrite, refusal, unchanged } from '../../rewrite/text.js';
import { afterUnsettling } from '../../rewrite/unsettling.js';
import { charactersIn } from '../../sql/encoding/characters.js';
import { bytesOf } from '../../sql/encoding/raw-bytes.js';
import { mayChangeReading } from '../../sql/lexer/changes-reading.js';
import type { RelationName } from '../../sql/names.js';
import { type Statement, targetsOf } from '../../sql/statement/statement.js';
import type { ColumnsSource } from '../catalog/known-columns.js';
import type { Protocol } from '../server/internal-query.js';
import type { ClientText } from './client-texts.js';

/**
 * `pass`: the text is sent as it is, and nothing in it deletes. `failed`: the client has got an error in its place.
 * `skipped`: the server skips the text after an earlier error. What is sent in its place is a refusal all the same, so that
 * nothing is deleted should the server not skip it.
 */
export type StatementDecision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'failed' | 'skipped'; readonly rewrite: Rewrite }
  | { readonly kind: 'rewrite'; readonly rewrite: Rewrite };

/** What is decided for a string that may hold several statements. */
export type Decision =
  | StatementDecision
  /** What one statement means depends on one before it, which has to be executed first. */
  | { readonly kind: 'statementByStatement'; readonly statements: Iterable<SeparateStatement> };

/** One statement of a string, to be sent alone. */
export interface SeparateStatement {
  /** As the client sent it. */
  readonly bytes: Buffer;
  /** How many characters of the string stand before it. */
  readonly offset: number;
  /** What is sent for it where nothing in it has to be expanded. */
  readonly unchanged: Rewrite;
}

/** Where a text comes from. */
export interface TextSource extends ColumnsSource {
  /** How the proxy can query the server at this point. */
  readonly protocol: Protocol;
  /** The text comes in a Query, so several statements may be sent in the place of one. Parse takes one alone. */
  readonly inString: boolean;
  readonly types: readonly number[];
  /** The sender can repeat the execution with nothing else lost, so it may fail on suspicion (RewriteContext.retries). */
  readonly retries: boolean;
  /** The sender closes the prepared statements that the text leaves behind where it fails: true for a simple query. */
  readonly prepares?: boolean;
  /** The encoding in which the text came, where it came earlier; undefined for a text that comes now. */
  readonly encoding?: string;
}

/** Where one statement comes from. */
export type StatementSource = TextSource & { readonly inString: false };

export const PASS: StatementDecision = { kind: 'pass' };

/** The decision where a question that it needs has no answer. */
export function unanswered(kind: 'failed' | 'skipped'): StatementDecision {
  return { kind, rewrite: refusal(new ProxyError('PGC_UNANSWERED')) };
}

/**
 * The decision to send a text statement by statement. Each statement is cut from the text when it is taken, as there may be thousands.
 * @param names the relations that the text deletes from, for the error
 * @throws ProxyError PGC_AFTER_DDL where the text cannot be cut, or where the server would read a statement otherwise than in
 * its string: it reads a string before it executes any of it
 */
export function statementByStatement(
  client: ClientText,
  names: readonly RelationName[],
  source: Pick<TextSource, 'inString'>,
): Decision {
  const { text, statements } = client;
  if (!isCuttable(client, source)) throw afterUnsettling(names);
  if (!isSameInAll(text) && mayChangeReading(bytesOf(text)))
    throw afterUnsettling(statements.flatMap(targetsOf));
  return { kind: 'statementByStatement', statements: cut(text, statements) };
}

/** Whether the statements may be sent one by one. The data of a COPY come from the client between two statements. */
export function isCuttable({ statements }: ClientText, { inString }: Pick<TextSource, 'inString'>): boolean {
  return inString && !statements.some(({ takesData }) => takesData);
}

function* cut(text: string, statements: readonly Statement[]): Generator<SeparateStatement> {
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

/** Whether it is the same text in every encoding, and with every setting of standard_conforming_strings. */
function isSameInAll(text: string): boolean {
  return !text.includes('\\') && !/[^\0-\x7f]/.test(text);
}
