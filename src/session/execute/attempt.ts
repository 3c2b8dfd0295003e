/**
 * An execution that may be made again, because natively it would have gone well: another transaction gave a deleted row a
 * new child between the statement's snapshot and its lock, and the server, which enforces the key too, refuses; or a
 * name came to mean another table. PostgreSQL's own actions look for children when the parent is locked already.
 * Or it was only asked whether a rule may be broken, and has to be asked which.
 */

import type { ReplyRule } from '../../rewrite/statement/reply-rule.js';
import { bytesIn } from '../../sql/encoding/letters.js';
import { Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { markerOf } from '../server/markers.js';
import type { ReplyHandler, Verdict } from '../server/outstanding-replies.js';
import type { Translation } from '../server/results.js';
import { isForbidden } from '../server/server-errors.js';

/**
 * But for `done` and `failed`, nothing of it has reached the client.
 * `failed`: the client has got an error, under a savepoint of the proxy's; the ReadyForQuery of a simple query it has not.
 * `relationChanged`: the statement says that a name has come to mean another table. `ruleSuspected`: it found that a rule may be broken.
 * `childInserted`: another transaction gave a row a new child. `lockDenied`: the server does not let this role lock the rows.
 */
export type Outcome =
  | 'done'
  | 'failed'
  | 'ruleSuspected'
  | 'relationChanged'
  | 'childInserted'
  | 'lockDenied';

/** How often one execution is made at the most: each needs another child that comes at the wrong moment. */
export const MOST_ATTEMPTS = 5;
/** Rows of a RETURNING are held until the statement has ended well; with more than this it is not made again. */
const MOST_HELD = 1024 * 1024;

export interface Attempt {
  readonly replies: ReplyHandler;
  readonly outcome: Promise<Outcome>;
}

/**
 * Several statements are made again for a suspicion only.
 * @param repeats whether it may be made again
 * @param replies what becomes of the answers
 * @param translation what they are translated with
 * @param last the message that ends them
 * @param final an error is the client's, whatever it is
 * @param saved it is made under a savepoint of the proxy's own
 * @param before how many statements of the proxy's own are executed first
 * @param locking locks are among them, which the server may refuse; it may also refuse the whole string before any of it
 */
export function attempt(
  repeats: boolean,
  replies: ReplyHandler,
  translation: Translation,
  last: 'Query' | 'Execute',
  final: boolean,
  saved: boolean,
  before = 0,
  locking = false,
): Attempt {
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  let held: Buffer[] = [];
  let size = 0;
  let holding = !final && repeats;
  let again: Outcome | undefined;
  let completed = 0;
  let failed = false;
  const { rules } = translation.rewrite;
  const isString = rules.filter(({ kind }) => kind !== 'swallow' && kind !== 'leave').length > 1;
  const failing = () => (isString ? rules[completed] : rules.find(({ kind }) => kind === 'cascade'));
  const release = (verdict: Verdict, message: Message): Verdict => {
    const bytes = [...held, bytesOf(verdict, message)];
    held = [];
    holding = false;
    return bytes.length === 1 ? verdict : Buffer.concat(bytes);
  };
  const hold = (verdict: Verdict, message: Message): Verdict => {
    if (!holding) return verdict;
    const bytes = bytesOf(verdict, message);
    size += bytes.length;
    if (size > MOST_HELD) return release(verdict, message);
    held.push(bytes);
    return 'swallow';
  };
  const receive = (message: Message): Verdict => {
    const { type } = message;
    if (type === Backend.ErrorResponse && holding) {
      const areLocks = locking && completed < before && isForbidden(message);
      const found = areLocks ? 'lockDenied' : outcomeOf(message, failing(), translation);
      again = isString && found !== 'ruleSuspected' ? undefined : found;
    }
    if (type === Backend.ErrorResponse && again) {
      replies.receive(message);
      if (last === 'Execute') settle(again);
      return 'swallow';
    }
    if (again) {
      if (type === Backend.ReadyForQuery) settle(again);
      return 'swallow';
    }
    if (type === Backend.CommandComplete) completed++;
    const verdict = replies.receive(message);
    failed ||= saved && type === Backend.ErrorResponse;
    if (failed && type === Backend.ReadyForQuery) {
      settle('failed');
      return 'swallow';
    }
    if (ROWS.has(type) || (isString && type === Backend.CommandComplete)) return hold(verdict, message);
    // Of a statement of the proxy's own before the client's.
    if (verdict === 'swallow') return verdict;
    if (ENDS.has(type) && (last === 'Execute' || type === Backend.ReadyForQuery))
      settle(failed ? 'failed' : 'done');
    return release(verdict, message);
  };
  const skipped = () => {
    replies.skipped?.();
    settle('done');
  };
  // What is said of an attempt that failed nobody is to hear, nor of a statement of the proxy's own. Before the first has
  // ended it is said of the whole text, as it is parsed.
  const notice = (message: Message) =>
    again || (completed > 0 && completed < before) ? 'swallow' : hold('forward', message);
  return { replies: { receive, skipped, notice }, outcome };
}

/** What comes before the end of an execution, of COPY … TO STDOUT too. */
const ROWS: ReadonlySet<number> = new Set([
  Backend.RowDescription,
  Backend.DataRow,
  Backend.CopyOutResponse,
  Backend.CopyData,
  Backend.CopyDone,
]);

const ENDS: ReadonlySet<number> = new Set([
  Backend.CommandComplete,
  Backend.PortalSuspended,
  Backend.ErrorResponse,
  Backend.ReadyForQuery,
]);

/** A copy: what was received is read over by what comes next. */
function bytesOf(verdict: Verdict, { buffer, start, end }: Message): Buffer {
  if (verdict === 'swallow') return Buffer.alloc(0);
  return verdict === 'forward' ? Buffer.from(buffer.subarray(start, end)) : verdict;
}

/** Why an execution that has failed is made again; undefined where it has failed for good. */
function outcomeOf(
  error: Message,
  part: ReplyRule | undefined,
  { rewrite, resolved = false, encoding }: Translation,
): 'ruleSuspected' | 'relationChanged' | 'childInserted' | undefined {
  const fields = readErrorFields(error);
  const code = fields.get(Field.code);
  const marker = markerOf(fields, part, rewrite, resolved);
  if (marker)
    return marker.kind === 'suspect'
      ? 'ruleSuspected'
      : marker.kind === 'moved'
        ? 'relationChanged'
        : undefined;
  if (part?.kind !== 'cascade' || (code !== '23503' && code !== '23001')) return undefined;
  const inFields = (field: string, names: readonly string[]) =>
    names.some((name) => bytesIn(encoding(), name) === fields.get(field));
  const inserted = part.plan.keys.some(
    ({ enforcedByServer, referencing, name, copies }) =>
      enforcedByServer &&
      inFields(Field.schema, [referencing.schema]) &&
      inFields(Field.table, [referencing.name]) &&
      inFields(Field.constraint, [name, ...copies.map((copy) => copy.name)]),
  );
  return inserted ? 'childInserted' : undefined;
}
