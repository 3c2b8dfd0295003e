/** How an attempt ended, as the server's error tells it. */
import type { Treatment } from '../../rewrite/statement/treatment.js';
import { bytesIn } from '../../sql/encoding/letters.js';
import { type ErrorFields, Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { markerOf } from '../answers/markers.js';
import type { ErrorTranslation } from '../answers/server-errors.js';

/**
 * Why a statement is tried again:
 *
 * - `ruleSuspected`: it only looked whether a rule may be broken, and one may be. The next attempt finds out which.
 * - `relationChanged`: a name has come to mean another table. PostgreSQL's own actions know their tables.
 * - `childInserted`: another transaction has given a deleted row a new child between the statement's snapshot and its lock, and the server,
 *   which enforces the key too, refuses. PostgreSQL's own actions look for children when the parent is locked already.
 * - `lockDenied`: the role may not lock the rows first. The next attempt does without.
 * - `othersConflict`: a statement that several carry out has failed by what others do at the same time (a deadlock, an outdated snapshot).
 * - `limitReached`: the transaction would be larger than the server allows. The statement is done again in batches.
 */
export const RETRY_REASONS = [
  'ruleSuspected',
  'relationChanged',
  'childInserted',
  'lockDenied',
  'othersConflict',
  'limitReached',
] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

/**
 * `done`: the client has its answer.
 * `failed`: the client has got an error, under a savepoint of the proxy's; it has not got the ReadyForQuery of a simple query.
 * Or the reason to try again: nothing of the attempt has reached the client.
 */
export type Outcome = 'done' | 'failed' | RetryReason;

/**
 * Finds out whether a statement that has failed is tried again: natively it would have succeeded, or the native error has still to be found.
 * @param treatment of the statement that has failed
 * @returns undefined where it has failed for good
 */
export function retryReasonOf(
  error: Message,
  treatment: Treatment | undefined,
  { rewrite, resolved = false, encoding }: ErrorTranslation,
): RetryReason | undefined {
  const fields = readErrorFields(error);
  const marker = markerOf(fields, treatment, rewrite, resolved);
  switch (marker?.kind) {
    case 'ruleSuspected':
      return 'ruleSuspected';
    case 'relationChanged':
      return 'relationChanged';
    case undefined:
      return namesFollowedKey(fields, treatment, encoding()) ? 'childInserted' : undefined;
    case 'check':
    case 'keysTooLarge':
    case 'rowKept':
    case 'refused':
      return undefined;
    default:
      return marker satisfies never;
  }
}

/**
 * Whether the server refuses to delete a row because of a key that the plan follows and the server enforces too: then the
 * row has got a child that the statement did not see.
 */
function namesFollowedKey(fields: ErrorFields, treatment: Treatment | undefined, encoding: string): boolean {
  if (treatment?.kind !== 'cascade' || !REFERENCED.has(fields.get(Field.code))) return false;
  const isIn = (field: string, names: readonly string[]) =>
    names.some((name) => bytesIn(encoding, name) === fields.get(field));
  return treatment.plan.keys.some(
    ({ enforcedByServer, referencing, name, copies }) =>
      enforcedByServer &&
      isIn(Field.schema, [referencing.schema]) &&
      isIn(Field.table, [referencing.name]) &&
      isIn(Field.constraint, [name, ...copies.map((copy) => copy.name)]),
  );
}

/** foreign_key_violation and restrict_violation. */
const REFERENCED: ReadonlySet<string | undefined> = new Set(['23503', '23001']);
