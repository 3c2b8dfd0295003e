/** The answers to expanded statements, turned back into those to the client's own. */

import type { ResultShape } from '../../render/single/render.js';
import { shapeOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { bytesIn } from '../../sql/encoding/letters.js';
import {
  commandComplete,
  dropColumns,
  dropFields,
  Field,
  NO_DATA,
  noticeResponse,
  PARSE_COMPLETE,
  readRow,
} from '../../wire/backend.js';
import { whole } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { ReplyHandler, Verdict } from '../server/outstanding-replies.js';
import { type ErrorTranslation, translateError } from './server-errors.js';

interface Progress {
  /**
   * What the tag of the execution says: the rows that the client has got, or the count that the expanded statement returns
   * in place of rows. Where a portal is executed in portions, PostgreSQL's tag counts those of the last portion.
   */
  rows: number;
  /** The numbers of the counts' column, where there is one and a row has come. */
  counts?: readonly number[];
}

/** What answers are translated with. */
export interface Translation extends ErrorTranslation {
  /** The text is being executed. @returns what is called when that is answered, or skipped */
  readonly executing: () => () => void;
  /** A statement has been executed to its end: the names of what it prepared mean that from now on. */
  readonly completed: (treatment: Treatment) => void;
}

/**
 * Answers to a simple query of one or more statements.
 * @param skipped is called where the server skips the query
 */
export function queryReplies(translation: Translation, skipped?: () => void): ReplyHandler {
  let at = 0;
  let isAnswered = false;
  let progress: Progress = { rows: 0 };
  /** The client's CommandComplete, while a statement that undoes the proxy's settings is still to end. */
  let held: Verdict = 'swallow';
  const answered = translation.executing();
  return {
    skipped() {
      skipped?.();
      answered();
    },
    // A function that a lock calls is called again by the statement behind it, and then the client hears its notice. What comes
    // before the first answer may be about the whole string.
    notice() {
      const kind = translation.rewrite.treatments[at]?.kind;
      return isAnswered && (kind === 'lock' || kind === 'swallow') ? 'swallow' : 'forward';
    },
    receive(message) {
      isAnswered = true;
      const treatment = translation.rewrite.treatments[at];
      if (message.type === Backend.ReadyForQuery) {
        answered();
        return 'forward';
      }
      if (message.type === Backend.ErrorResponse) return translateError(message, treatment, translation);
      const verdict = resultOf(message, treatment, progress, translation);
      if (message.type !== Backend.CommandComplete) return verdict;
      if (treatment) {
        translation.completed(treatment);
        tellExecuted(treatment, progress, translation);
      }
      at++;
      progress = { rows: 0 };
      if (treatment?.kind !== 'cleanUp') held = verdict;
      if (translation.rewrite.treatments[at]?.kind !== 'cleanUp') return held;
      if (held === 'forward') held = whole(message);
      return 'swallow';
    },
  };
}

/**
 * Answers to Execute of an expanded statement.
 * @param isContinued the portal was executed before, and goes on: the first portion has done all that the statement does (pquery.c,
 * PORTAL_ONE_MOD_WITH), and has been told
 */
export function executeReplies(translation: Translation, isContinued = false): ReplyHandler {
  const progress: Progress = { rows: 0 };
  const treatment = translation.rewrite.treatments[0];
  const answered = translation.executing();
  return {
    skipped: answered,
    receive(message) {
      const { type } = message;
      if (type === Backend.CommandComplete && treatment) translation.completed(treatment);
      if ((type === Backend.CommandComplete || type === Backend.PortalSuspended) && treatment && !isContinued)
        tellExecuted(treatment, progress, translation);
      if (type === Backend.CommandComplete || type === Backend.ErrorResponse) answered();
      if (type === Backend.ErrorResponse) return translateError(message, treatment, translation);
      return resultOf(message, treatment, progress, translation);
    },
  };
}

function tellExecuted(treatment: Treatment, { counts }: Progress, { tell }: Translation): void {
  tell({ kind: 'executed', treatment, at: performance.now(), counts });
}

/**
 * Answers to Parse, Bind and Describe of an expanded statement.
 * @param undo takes back what the message meant, where the server refuses or skips it
 */
export function descriptionReplies(translation: Translation, undo?: () => void): ReplyHandler {
  const treatment = translation.rewrite.treatments[0];
  const shape = shapeOf(treatment);
  return {
    receive(message) {
      if (message.type === Backend.ErrorResponse) {
        undo?.();
        return translateError(message, treatment, translation);
      }
      return shape && message.type === Backend.RowDescription
        ? description(message, shape, NO_DATA)
        : 'forward';
    },
    ...(undo ? { skipped: undo } : {}),
  };
}

/** Answers to a Describe that is sent in the place of a Parse. */
export function unsentParseReplies(translation: Translation): ReplyHandler {
  const treatment = translation.rewrite.treatments[0];
  return {
    receive(message) {
      switch (message.type) {
        case Backend.ErrorResponse:
          return translateError(message, treatment, translation);
        case Backend.ParameterDescription:
          return 'swallow';
        default:
          return PARSE_COMPLETE;
      }
    },
  };
}

/** Swallows the answer to a message of the proxy's own. The client gets an error, of which `failed` is told first. */
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
  treatment: Treatment | undefined,
  progress: Progress,
  { encoding }: Translation,
): Verdict {
  switch (treatment?.kind) {
    case 'cascade':
    case 'guarded':
      return cascaded(message, shapeOf(treatment), progress);
    case 'truncate':
      return message.type === Backend.CommandComplete
        ? truncated(message, treatment.tables, encoding())
        : 'forward';
    case 'prepare':
      return treatment.again ? 'swallow' : 'forward';
    case 'swallow':
    case 'cleanUp':
    case 'lock':
      return 'swallow';
    case 'forward':
    case 'refused':
    case 'release':
    case undefined:
      return 'forward';
    default:
      return treatment satisfies never;
  }
}

function cascaded(message: Message, shape: ResultShape, progress: Progress): Verdict {
  if (shape.kind === 'as sent') return 'forward';
  switch (message.type) {
    case Backend.RowDescription:
      return description(message, shape, 'swallow');
    case Backend.DataRow:
      if (shape.kind === 'count') {
        const [rows, counts] = readRow(message);
        progress.rows = Number(rows?.toString('latin1') ?? 0);
        if (shape.counted) progress.counts = numbersIn(counts);
        return 'swallow';
      }
      // Each row bears all the counts.
      if (shape.counted && progress.rows === 0) progress.counts = numbersIn(readRow(message)[0]);
      progress.rows++;
      return dropColumns(message, shape.added);
    case Backend.CommandComplete:
      return commandComplete(`${shape.command} ${progress.rows}`);
    default:
      return 'forward';
  }
}

function numbersIn(counts: Buffer | null | undefined): readonly number[] {
  return counts?.toString('latin1').split(',').map(Number) ?? [];
}

/**
 * What becomes of the description of the columns that are sent.
 * @param none the answer where the client's own statement returns no rows
 */
function description(message: Message, shape: ResultShape, none: Verdict): Verdict {
  switch (shape.kind) {
    case 'as sent':
      return 'forward';
    case 'count':
      return none;
    case 'rows':
      return dropFields(message, shape.added);
  }
}

/** The server gives this notice of every table that it finds itself, and so of none that is in the list (ExecuteTruncateGuts). */
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
