/** The errors of the server: what the client gets in their place. */
import { ProxyError } from '../../errors.js';
import type { Profile } from '../../profiles/profile.js';
import type { Marker } from '../../render/violations.js';
import {
  atLimitOf,
  type CascadeTreatment,
  expandedOf,
  type GuardTreatment,
  type Treatment,
} from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import { type ErrorFields, errorResponse, Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { inEncoding } from '../server/encoding.js';
import { isInternal, isLanguage } from '../server/error-classes.js';
import { proxyErrorFields } from '../server/farewell.js';
import type { Verdict } from '../server/outstanding-replies.js';
import { markerOf } from './markers.js';
import type { News } from './news.js';
import { clientPosition } from './positions.js';
import { violationFields } from './violation-fields.js';

/** What an error is translated with. */
export interface ErrorTranslation {
  readonly rewrite: Rewrite;
  /** How many characters of the client's text stand before the statement, where the text is sent statement by statement. */
  readonly offset?: number;
  /** The names in it were resolved anew and mean what they meant when it was sent before. */
  readonly resolved?: boolean;
  /** Gives the client's encoding when the error comes. */
  readonly encoding: () => string;
  /** What the server can do. */
  readonly profile: Profile;
  /** Tells the listeners of the session what has come of a statement. */
  readonly tell: (news: News) => void;
  /** A name was found to mean another table than the one planned for. */
  readonly relationChanged: () => void;
}

/** An error as the client gets it. */
export interface TranslatedError extends Pick<News & { readonly kind: 'failed' }, 'error' | 'statement'> {
  readonly told: ErrorFields;
}

/**
 * What the client gets in place of an error: the native one of a broken rule, the proxy's own, or the server's, with the
 * position and the command of the client's text.
 * @param failed the treatment of the statement that has failed; an error of a follow-up is that of its guarded statement
 */
export function translateError(
  message: Message,
  failed: Treatment | undefined,
  translation: ErrorTranslation,
): Verdict {
  const { told: fields, error, statement } = translated(message, failed, translation);
  const told = asLimitReached(fields, failed, translation);
  translation.tell({ kind: 'failed', error, statement });
  return isSame(told, readErrorFields(message)) ? 'forward' : errorResponse(told, 'latin1');
}

/** The same as fields, with one character for each byte, and what the listeners would be told of it: this tells them nothing. */
export function translated(
  message: Message,
  failed: Treatment | undefined,
  translation: ErrorTranslation,
): TranslatedError {
  const treatment = failed?.kind === 'followUp' ? failed.guarded : failed;
  const statement = cascadeOf(treatment) ?? expandedOf(treatment);
  const read = readErrorFields(message);
  const fields = failed?.kind === 'followUp' ? withoutBlock(read) : read;
  const marker = markerOf(fields, treatment, translation.rewrite, translation.resolved ?? false);
  const instead = inPlaceOf(message, marker, treatment, translation);
  if (instead instanceof ProxyError) {
    const told = inEncoding(proxyErrorFields(instead), translation.encoding());
    return { told, error: instead, statement };
  }
  const told = instead ?? asTheClients(fields, treatment, translation);
  return { told, error: told.get(Field.code) ?? '', statement };
}

/** An error by which a limit of the server's was reached, with the reason why there are no batches where these are wanted; others as they are. */
function asLimitReached(
  fields: ErrorFields,
  failed: Treatment | undefined,
  { encoding }: ErrorTranslation,
): ErrorFields {
  const atLimit = fields.get(Field.code) === LIMIT_REACHED ? atLimitOf(failed) : undefined;
  if (atLimit === undefined) return fields;
  return withReasonAgainstBatches(fields, atLimit.kind === 'none' ? atLimit.what : NOT_ALONE, encoding());
}

/** The server's error, with a hint why batches do not take the statement's place. @param what stands against them */
export function withReasonAgainstBatches(fields: ErrorFields, what: string, encoding: string): ErrorFields {
  const own = new Map([[Field.hint, `It is not done again in batches (cascade.on_limit): ${what}.`]]);
  return withHint(fields, inEncoding(own, encoding).get(Field.hint) ?? '');
}

/** The same fields with one more hint, after the one that they have. */
export function withHint(fields: ErrorFields, hint: string): ErrorFields {
  const before = fields.get(Field.hint);
  return new Map([...fields, [Field.hint, before === undefined ? hint : `${before} ${hint}`]]);
}

/**
 * Makes the message of an error of the proxy's own, and tells the listeners of it.
 * @param cascade the expanded statement that has failed; undefined where it was refused before anything was sent for it
 * @param more gives the fields with what is to be said beside them
 */
export function proxyFailure(
  error: ProxyError,
  cascade: CascadeTreatment | undefined,
  { encoding, tell }: Pick<ErrorTranslation, 'encoding' | 'tell'>,
  more: (fields: ErrorFields) => ErrorFields = (fields) => fields,
): Buffer {
  tell({ kind: 'failed', error, statement: cascade });
  return errorResponse(inEncoding(more(proxyErrorFields(error)), encoding()), 'latin1');
}

/** @returns undefined where the error is the server's own */
function inPlaceOf(
  message: Message,
  marker: Marker | undefined,
  treatment: Treatment | undefined,
  translation: ErrorTranslation,
): ProxyError | ErrorFields | undefined {
  switch (treatment?.kind) {
    case 'refused': {
      // A server that is not PostgreSQL does not know the text that is sent in place of a refused one, and may have no SQLSTATE for that.
      const isUnknown = isLanguage(message) || isInternal(message);
      return marker || isUnknown ? treatment.error : undefined;
    }
    case 'cascade':
    case 'guarded':
      return marker && stoppedBy(marker, treatment, translation);
    case 'forward':
    case 'swallow':
    case 'cleanUp':
    case 'lock':
    case 'followUp':
    case 'truncate':
    case 'prepare':
    case 'release':
    case undefined:
      return undefined;
    default:
      return treatment satisfies never;
  }
}

function isPaged(treatment: Treatment): boolean {
  return treatment.kind === 'cascade' && treatment.program.kind === 'paged';
}

/** What an expanded statement that has stopped itself means by its marker. */
function stoppedBy(
  marker: Marker,
  treatment: CascadeTreatment | GuardTreatment,
  { encoding, profile, relationChanged }: ErrorTranslation,
): ProxyError | ErrorFields | undefined {
  switch (marker.kind) {
    case 'check':
      return violationFields(treatment, marker, profile, encoding());
    case 'keysTooLarge':
      return new ProxyError(isPaged(treatment) ? 'PGC_BATCH_KEYS' : 'PGC_ORDERED_KEYS', {
        table: treatment.target,
      });
    case 'rowKept':
      return new ProxyError(isPaged(treatment) ? 'PGC_BATCH_KEPT' : 'PGC_KEPT', { table: treatment.target });
    case 'ruleSuspected':
      return new ProxyError('PGC_SERIALIZATION', {});
    case 'relationChanged':
      relationChanged();
      return new ProxyError('PGC_MOVED', { table: treatment.target });
    case 'refused':
      return undefined;
    default:
      return marker satisfies never;
  }
}

/** The server's own error: its position is one in the client's text or none, and the command is the client's. */
function asTheClients(
  fields: ErrorFields,
  treatment: Treatment | undefined,
  { rewrite, offset = 0 }: ErrorTranslation,
): ErrorFields {
  const changed = new Map(fields);
  const position = fields.get(Field.position);
  if (position !== undefined) {
    const at = clientPosition(Number(position), treatment, rewrite, offset);
    if (at === undefined) changed.delete(Field.position);
    else changed.set(Field.position, String(at));
  }
  const command = (cascadeOf(treatment) ?? expandedOf(treatment))?.command ?? selected(treatment);
  if (command !== undefined && fields.get(Field.code) === READ_ONLY)
    changed.set(Field.message, (fields.get(Field.message) ?? '').replace(SENT, command));
  const context = fields.get(Field.context);
  if (treatment?.kind === 'lock' && context?.startsWith(LOCKING))
    changed.set(Field.context, context.replace(LOCKING, DELETING));
  return changed;
}

/** Where a block carries out ON UPDATE, the server's error shows the statement of the block that has failed: the client has not sent that. */
function withoutBlock(fields: ErrorFields): ErrorFields {
  const context = fields.get(Field.context)?.split('\n') ?? [];
  const at = context.findIndex((line) => IN_BLOCK.test(line));
  if (at < 0) return fields;
  // The lines before it are of a trigger or a function that the statement has called.
  if (at > 0) return new Map([...fields, [Field.context, context.slice(0, at).join('\n')]]);
  const its: readonly string[] = [Field.context, Field.internalPosition, Field.internalQuery];
  return new Map([...fields].filter(([field]) => !its.includes(field)));
}

/** The expanded statement to which the error belongs, itself or as that of what locks its rows. */
function cascadeOf(treatment: Treatment | undefined): CascadeTreatment | undefined {
  if (treatment?.kind === 'lock') return treatment.cascade;
  return treatment?.kind === 'cascade' ? treatment : undefined;
}

/** The command of a SELECT of which only the WITH writes: what is sent for it locks rows, and the server would name that, as in "SELECT FOR KEY SHARE". */
function selected(treatment: Treatment | undefined): string | undefined {
  return treatment?.kind === 'guarded' ? 'SELECT' : undefined;
}

function isSame(some: ErrorFields, others: ErrorFields): boolean {
  return some.size === others.size && [...some].every(([field, value]) => others.get(field) === value);
}

/** The contexts of errors about a row, where the server's messages are English (XactLockTableWaitErrorCb). */
const [LOCKING, DELETING] = ['while locking tuple', 'while deleting tuple'];

/** program_limit_exceeded: what Aurora DSQL says of a transaction that changes more than 3,000 rows, or 10 MiB. */
export const LIMIT_REACHED = '54000';
const NOT_ALONE = 'the DELETE is not a transaction of its own, or has values of more than 1 MiB';

/** What the server says of a block (plpgsql_inline_handler), and of a statement in it: its names are the proxy's own. */
const IN_BLOCK = /"WITH pgc|inline_code_block/;

/** read_only_sql_transaction: its message names the command, and the server saw a SELECT. */
const READ_ONLY = '25006';
const SENT = /SELECT(?: FOR (?:UPDATE|KEY SHARE))?/;
