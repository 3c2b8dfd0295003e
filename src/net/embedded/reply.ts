import { readRow, readTag } from '../../wire/backend.js';
import { type Message, MessageReader } from '../../wire/reader.js';
import { BACKEND_TYPES, Backend } from '../../wire/types.js';

/** What the engine answered to one call. */
export interface Reply {
  /** For the client: everything but the notifications. */
  readonly bytes: Buffer;
  /** The types of message in it. */
  readonly types: ReadonlySet<number>;
  /** The tags of the commands completed. */
  readonly tags: readonly string[];
  /** The offset in `bytes` after the first CopyInResponse, if there is one. */
  readonly afterCopyIn: number | undefined;
  /** The first ErrorResponse. */
  readonly error: Buffer | undefined;
  /** The status of the last ReadyForQuery, if there was one. */
  readonly status: string | undefined;
  readonly rows: readonly (readonly (Buffer | null)[])[];
  readonly notifications: readonly Buffer[];
}

/** @param keepRows whether `rows` is filled: for SQL of the proxy's own. A client's rows stay in `bytes`, as they may be many */
export function readReply(answer: Buffer, keepRows: boolean): Reply {
  const types = new Set<number>();
  const tags: string[] = [];
  const rows: (Buffer | null)[][] = [];
  const notifications: Buffer[] = [];
  const others: Buffer[] = [];
  let afterCopyIn: number | undefined;
  let error: Buffer | undefined;
  let status: string | undefined;
  let from = 0;
  for (const message of messages(answer)) {
    const bytes = answer.subarray(message.start, message.end);
    types.add(message.type);
    switch (message.type) {
      case Backend.CommandComplete:
        tags.push(readTag(message));
        break;
      case Backend.CopyInResponse:
        afterCopyIn ??= message.end;
        break;
      case Backend.ErrorResponse:
        error ??= bytes;
        break;
      case Backend.ReadyForQuery:
        status = answer.toString('latin1', message.start + 5, message.end);
        break;
      case Backend.DataRow:
        if (keepRows) rows.push(readRow(message));
        break;
      case Backend.NotificationResponse:
        notifications.push(bytes);
        others.push(answer.subarray(from, message.start));
        from = message.end;
        break;
    }
  }
  const bytes = from === 0 ? answer : Buffer.concat([...others, answer.subarray(from)]);
  return { bytes, types, tags, afterCopyIn, error, status, rows, notifications };
}

/** Whether a command dropped the prepared statements of all clients. */
export function dropsStatements(reply: Reply): boolean {
  return reply.tags.includes('DEALLOCATE ALL') || reply.tags.includes('DISCARD ALL');
}

/** The messages of an answer, which are whole: the engine is asked in whole messages. */
export function* messages(answer: Buffer): Generator<Message, void> {
  const reader = new MessageReader(BACKEND_TYPES, () => false, 0x7fffffff);
  reader.push(answer);
  for (let message = reader.next(); message; message = reader.next()) yield message;
}
