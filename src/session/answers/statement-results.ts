/** Turns one answer to a statement that was sent into the answer to the client's own statement. */
import type { FollowedRows, FollowUp } from '../../render/guard/left-statements.js';
import type { ResultShape } from '../../render/single/render.js';
import { shapeOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { bytesIn } from '../../sql/encoding/letters.js';
import {
  commandComplete,
  dropColumns,
  dropFields,
  Field,
  noticeResponse,
  readRow,
} from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { Verdict } from '../server/outstanding-replies.js';

/** What is known of a statement's answers so far. */
export interface Progress {
  /**
   * What the tag of the execution says: the rows that the client has got, or the count that the expanded statement returns
   * in place of rows. Where a portal is executed in portions, PostgreSQL's tag counts those of the last portion.
   */
  rows: number;
  /** The numbers of the counts' column, where there is one and a row has come. */
  counts?: readonly number[];
}

/**
 * What the client gets of a message that answers a statement, and is no error.
 * @param progress is written as the answers come
 * @param encoding gives the client's, when it is needed
 */
export function resultOf(
  message: Message,
  treatment: Treatment | undefined,
  progress: Progress,
  encoding: () => string,
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
    case 'followUp':
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
      // Each row has all the counts: those of the first one are read.
      if (shape.counted && progress.rows === 0) progress.counts = numbersIn(readRow(message)[0]);
      progress.rows++;
      return dropColumns(message, shape.added);
    case Backend.CommandComplete:
      return commandComplete(`${shape.command} ${progress.rows}`);
    default:
      return 'forward';
  }
}

/** How many rows ON UPDATE has changed, by the answer to a follow-up; none where the message is no row. */
export function followedIn(message: Message, counts: FollowUp['counts']): readonly FollowedRows[] {
  if (message.type !== Backend.DataRow || counts.length === 0) return [];
  const numbers = numbersIn(readRow(message).at(-1));
  return counts.map((each, i) => ({ ...each, rows: numbers[i] ?? 0 }));
}

function numbersIn(counts: Buffer | null | undefined): readonly number[] {
  return counts?.toString('latin1').split(',').map(Number) ?? [];
}

/**
 * What the client gets of the description of a statement's columns.
 * @param none what it gets where its own statement returns no rows
 */
export function description(message: Message, shape: ResultShape, none: Verdict): Verdict {
  switch (shape.kind) {
    case 'as sent':
      return 'forward';
    case 'count':
      return none;
    case 'rows':
      return dropFields(message, shape.added);
  }
}

/** Adds the notices for the tables that the proxy has put into the list: the server gives one for each table that it finds itself (ExecuteTruncateGuts). */
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
