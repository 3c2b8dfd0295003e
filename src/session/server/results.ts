/** Turns the answers to expanded statements back into those to the client's own. */

import { ProxyError } from '../../errors.js';
import type { Profile } from '../../profiles/profile.js';
import type { Answers } from '../../render/single/render.js';
import type { ReplyRule } from '../../rewrite/statement/reply-rule.js';
import type { Rewrite } from '../../rewrite/text.js';
import { behindCharacters, charactersIn } from '../../sql/encoding/characters.js';
import { bytesIn } from '../../sql/encoding/letters.js';
import {
  commandComplete,
  dropColumns,
  dropFields,
  type ErrorFields,
  errorResponse,
  Field,
  NO_DATA,
  noticeResponse,
  PARSE_COMPLETE,
  readErrorFields,
  readRow,
} from '../../wire/backend.js';
import { whole } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { inEncoding } from './encoding.js';
import { proxyErrorFields } from './farewell.js';
import { markerOf } from './markers.js';
import type { ReplyHandler, Verdict } from './outstanding-replies.js';
import { isLanguage } from './server-errors.js';
import { violationFields } from './violation-fields.js';

/**
 * The rows of one execution: counted where the client gets them, told by the statement where it does not. Of a portal
 * that is executed in portions PostgreSQL's tag counts the last one.
 */
interface Progress {
  rows: number;
}

/** What an error is translated with. */
export interface Translation {
  readonly rewrite: Rewrite;
  /** How many characters of the client's text stand before the statement, where it was sent in pieces. */
  readonly offset?: number;
  /** The names in it were resolved anew and mean what they meant when it was sent before. */
  readonly resolved?: boolean;
  /** The client's encoding by now. */
  readonly encoding: () => string;
  /** What the server can do. */
  readonly profile: Profile;
  /** The statement is answered by an error of the proxy's own. */
  readonly refused: (error: ProxyError) => void;
  /** A name was found to mean another table than the one planned for. */
  readonly relationChanged: () => void;
  /** The text is being executed. @returns what is called when that is answered, or skipped */
  readonly executing: () => () => void;
  /** A statement has been executed. */
  readonly completed: (part: ReplyRule) => void;
}

/** Answers to a simple query of one or more statements. */
export function queryReplies(translation: Translation, skipped?: () => void): ReplyHandler {
  let at = 0;
  let progress: Progress = { rows: 0 };
  let held: Verdict = 'swallow';
  const answered = translation.executing();
  return {
    skipped() {
      skipped?.();
      answered();
    },
    receive(message) {
      const part = translation.rewrite.rules[at];
      if (message.type === Backend.ReadyForQuery) {
        answered();
        return 'forward';
      }
      if (message.type === Backend.ErrorResponse) return translateError(message, part, translation);
      const verdict = resultOf(message, part, progress, translation);
      if (message.type !== Backend.CommandComplete) return verdict;
      if (part) translation.completed(part);
      at++;
      progress = { rows: 0 };
      if (part?.kind !== 'leave') held = verdict;
      if (translation.rewrite.rules[at]?.kind !== 'leave') return held;
      if (held === 'forward') held = whole(message);
      return 'swallow';
    },
  };
}

/** Answers to Execute of an expanded statement. */
export function executeReplies(translation: Translation): ReplyHandler {
  const progress: Progress = { rows: 0 };
  const part = translation.rewrite.rules[0];
  const answered = translation.executing();
  return {
    skipped: answered,
    receive(message) {
      if (message.type === Backend.CommandComplete && part) translation.completed(part);
      if (message.type === Backend.CommandComplete || message.type === Backend.ErrorResponse) answered();
      if (message.type === Backend.ErrorResponse) return translateError(message, part, translation);
      return resultOf(message, part, progress, translation);
    },
  };
}

/** Answers to Parse, Bind and Describe of an expanded statement. */
export function descriptionReplies(translation: Translation, undo?: () => void): ReplyHandler {
  const part = translation.rewrite.rules[0];
  return {
    receive(message) {
      if (message.type === Backend.ErrorResponse) {
        undo?.();
        return translateError(message, part, translation);
      }
      return part?.kind === 'cascade' && message.type === Backend.RowDescription
        ? description(message, part.answers, NO_DATA)
        : 'forward';
    },
    ...(undo ? { skipped: undo } : {}),
  };
}

/** Answers to a Describe in the place of a Parse. */
export function keptReplies(translation: Translation): ReplyHandler {
  const part = translation.rewrite.rules[0];
  return {
    receive(message) {
      switch (message.type) {
        case Backend.ErrorResponse:
          return translateError(message, part, translation);
        case Backend.ParameterDescription:
          return 'swallow';
        default:
          return PARSE_COMPLETE;
      }
    },
  };
}

/** Swallows the answer to a message of the proxy's own; its error is the client's, and `failed` is told of it. */
export function swallowedReplies(
  translation: Translation,
  skipped: () => void,
  failed = skipped,
): ReplyHandler {
  const handler = descriptionReplies(translation, failed);
  return {
    receive: (message) => (message.type === Backend.ErrorResponse ? handler.receive(message) : 'swallow'),
    skipped,
  };
}

/** Forwards the answer, and takes back what the message meant where the server refused or skipped it. */
export function undoneReplies(undo: () => void): ReplyHandler {
  return {
    receive(message) {
      if (message.type === Backend.ErrorResponse) undo();
      return 'forward';
    },
    skipped: undo,
  };
}

function resultOf(
  message: Message,
  part: ReplyRule | undefined,
  progress: Progress,
  { encoding }: Translation,
): Verdict {
  switch (part?.kind) {
    case 'cascade':
      return cascaded(message, part.answers, progress);
    case 'truncate':
      return message.type === Backend.CommandComplete
        ? truncated(message, part.tables, encoding())
        : 'forward';
    case 'prepare':
      return part.again ? 'swallow' : 'forward';
    case 'swallow':
    case 'leave':
      return 'swallow';
    default:
      return 'forward';
  }
}

function cascaded(message: Message, answers: Answers, progress: Progress): Verdict {
  if (answers.kind === 'as sent') return 'forward';
  switch (message.type) {
    case Backend.RowDescription:
      return description(message, answers, 'swallow');
    case Backend.DataRow:
      if (answers.kind === 'count') {
        progress.rows = Number(readRow(message)[0]?.toString('latin1') ?? 0);
        return 'swallow';
      }
      progress.rows++;
      return dropColumns(message, answers.hidden);
    case Backend.CommandComplete:
      return commandComplete(`${answers.command} ${progress.rows}`);
    default:
      return 'forward';
  }
}

/** @param none what becomes of it where the client's own statement gives no rows */
function description(message: Message, answers: Answers, none: Verdict): Verdict {
  switch (answers.kind) {
    case 'as sent':
      return 'forward';
    case 'count':
      return none;
    case 'rows':
      return dropFields(message, answers.hidden);
  }
}

/** The server says this of every table that it finds itself (ExecuteTruncateGuts). */
function truncated(complete: Message, tables: readonly string[], encoding: string): Buffer {
  const notices = tables.map((table) =>
    noticeResponse(
      new Map([
        [Field.severity, 'NOTICE'],
        [Field.severityNonLocalized, 'NOTICE'],
        [Field.code, '00000'],
        [Field.message, bytesIn(encoding, `truncate cascades to table "${table}"`)],
      ]),
    ),
  );
  return Buffer.concat([...notices, complete.buffer.subarray(complete.start, complete.end)]);
}

function translateError(message: Message, part: ReplyRule | undefined, translation: Translation): Verdict {
  const { profile, relationChanged } = translation;
  const encoding = translation.encoding();
  const ours = (error: ProxyError) => {
    translation.refused(error);
    return errorResponse(inEncoding(proxyErrorFields(error), encoding), 'latin1');
  };
  const fields = readErrorFields(message);
  const marker = markerOf(fields, part, translation.rewrite, translation.resolved ?? false);
  const stands = part?.kind === 'refused' && part.error.errorName === 'PGC_SERVER' && isLanguage(message);
  if ((marker || stands) && part?.kind === 'refused') return ours(part.error);
  if (marker?.kind === 'check' && part?.kind === 'cascade') {
    const violated = violationFields(part, marker, profile, encoding);
    if (violated instanceof ProxyError) return ours(violated);
    return violated ? errorResponse(violated, 'latin1') : 'forward';
  }
  if (marker?.kind === 'kept' && part?.kind === 'cascade')
    return ours(new ProxyError('PGC_KEPT', { table: part.target }));
  if (marker?.kind === 'suspect' && part?.kind === 'cascade')
    return ours(new ProxyError('PGC_SERIALIZATION', {}));
  if (marker?.kind === 'moved' && part?.kind === 'cascade') {
    relationChanged();
    return ours(new ProxyError('PGC_MOVED', { table: part.target }));
  }
  const changed = asTheClients(fields, part, translation);
  const same =
    [...changed].every(([code, value]) => fields.get(code) === value) && changed.size === fields.size;
  return same ? 'forward' : errorResponse(changed, 'latin1');
}

/** The server's own error: its position is one in the client's text or none, and the command is the client's. */
function asTheClients(
  fields: ErrorFields,
  part: ReplyRule | undefined,
  { rewrite, offset = 0 }: Translation,
): ErrorFields {
  const changed = new Map(fields);
  const position = fields.get(Field.position);
  if (position !== undefined) {
    const at = clientPosition(Number(position), rewrite);
    if (at === undefined) changed.delete(Field.position);
    else changed.set(Field.position, String(at + offset));
  }
  if (part?.kind === 'cascade' && part.command !== undefined && fields.get(Field.code) === READ_ONLY)
    changed.set(Field.message, (fields.get(Field.message) ?? '').replace('SELECT', part.command));
  return changed;
}

/** From a position in the text that was sent to one in the client's. The server counts characters, from 1. */
function clientPosition(position: number, { text, sql, copied }: Rewrite): number | undefined {
  const at = behindCharacters(sql, position - 1);
  const run = copied.find(({ sent, length }) => at >= sent && at < sent + length);
  return run && charactersIn(text, 0, at - run.sent + run.client) + 1;
}

/** read_only_sql_transaction: its message names the command, and the server saw a SELECT. */
const READ_ONLY = '25006';
