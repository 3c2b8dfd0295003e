/**
 * The prepared statements of a session that the proxy knows. All others are the server's alone.
 *
 * A name is entered when its message is sent, as the next one in the same pipeline needs it. Where the server then
 * refuses or skips the message, what the name meant before is put back.
 */

import type { Treatment } from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import { type Look, lookAt } from '../../sql/lexer/look.js';
import type { RelationName } from '../../sql/names.js';
import { ResultColumns } from '../answers/result-columns.js';
import type { Policy } from '../policy/policy.js';

/** What a text was decided by, as far as that may change (unchanged-grounds.ts). */
export interface Grounds {
  readonly policy: Policy;
  /** As SessionCatalog.grounds. */
  readonly seen: string;
}

export interface PreparedStatement {
  /** The client's own text, and what executing it may do. */
  readonly look: Look;
  /** The encoding in which it came. */
  readonly encoding: string;
  readonly types: readonly number[];
  /** What was prepared for a text that may delete: the text is decided again when it is bound. Undefined for all others. */
  readonly rewrite: Rewrite | undefined;
  /** The policy by which the text was passed on, where another policy may decide otherwise: then it is decided when it is bound. */
  readonly passedBy?: Policy;
  /** The grounds on which `rewrite` was decided, where equal grounds decide the same. */
  readonly grounds?: Grounds | undefined;
  /** The columns that it returned when the client prepared it. */
  readonly result: ResultColumns;
  /** PREPARE in SQL has prepared it: `look` is the whole PREPARE. */
  readonly inSql: boolean;
  /** It has to be prepared again, whatever its text: the server may have dropped it, or a value of the client's has its marker in it. */
  readonly lost: boolean;
}

/** A prepared statement for whose text nothing was decided. */
export const UNWATCHED: PreparedStatement = {
  look: lookAt(Buffer.alloc(0), { strings: 'on', hasHalves: false }),
  encoding: 'SQL_ASCII',
  types: [],
  rewrite: undefined,
  result: new ResultColumns(),
  inSql: false,
  lost: false,
};

/** Whether a statement was passed on by another policy than this one, so that nothing is known of what it has to be now. */
export function isUndecided({ passedBy, rewrite }: PreparedStatement, policy: Policy): boolean {
  return rewrite === undefined && passedBy !== undefined && passedBy !== policy;
}

/** The treatment of a prepared statement's answers, where they are not forwarded; in the extended protocol a text is one statement. */
export function treatmentOf(prepared: PreparedStatement | undefined): Treatment | undefined {
  const treatment = prepared?.rewrite?.treatments[0];
  return treatment?.kind === 'forward' ? undefined : treatment;
}

/** The relations that executing a prepared statement would delete from. */
export function targetsOfPrepared(prepared: PreparedStatement | undefined): readonly RelationName[] {
  return prepared?.rewrite?.targets ?? [];
}
