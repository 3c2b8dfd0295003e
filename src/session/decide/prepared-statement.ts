/**
 * The prepared statements and portals of a session that the proxy has a hand in. All others are the server's affair.
 *
 * A name is entered when its message is sent, as the next one in the same pipeline needs it. Where the server then
 * refuses or skips the message, what the name meant before is put back.
 */

import type { ReplyRule } from '../../rewrite/statement/reply-rule.js';
import type { Rewrite } from '../../rewrite/text.js';
import { type Look, lookAt } from '../../sql/lexer/look.js';
import type { RelationName } from '../../sql/names.js';
import { ResultColumns } from '../server/result-columns.js';

export interface PreparedStatement {
  /** The client's own text, and what executing it may do. */
  readonly seen: Look;
  /** The encoding in which it came. */
  readonly encoding: string;
  readonly types: readonly number[];
  /** What was made of a text that deletes: it is looked at again when it is bound. Undefined where it cannot. */
  readonly rewrite: Rewrite | undefined;
  /** The columns that it returned when the client prepared it. */
  readonly result: ResultColumns;
  /** By PREPARE in SQL: the text is the whole of that statement. */
  readonly inSql: boolean;
  /** The server lost it when it could not be prepared again. */
  readonly lost: boolean;
}

/** A prepared statement that does not delete. */
export const UNWATCHED: PreparedStatement = {
  seen: lookAt(Buffer.alloc(0), { strings: 'on', hasHalves: false }),
  encoding: 'SQL_ASCII',
  types: [],
  rewrite: undefined,
  result: new ResultColumns(),
  inSql: false,
  lost: false,
};

/** What becomes of a prepared statement's answers; in the extended protocol a text is one statement. */
export function partOf(prepared: PreparedStatement | undefined): ReplyRule | undefined {
  const part = prepared?.rewrite?.rules[0];
  return part?.kind === 'forward' ? undefined : part;
}

/** The relations that executing a prepared statement would delete from. */
export function targetsOfPrepared(prepared: PreparedStatement | undefined): readonly RelationName[] {
  return prepared?.rewrite?.targets ?? [];
}
