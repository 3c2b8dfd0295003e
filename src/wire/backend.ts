/** Reads and rewrites the messages a server sends. The client's half is in frontend.ts. */
import type { Message } from './reader.js';
import { Backend } from './types.js';

/**
 * The fields of an ErrorResponse or NoticeResponse, by their one-letter codes, in the order they came. Their text is in the
 * client's encoding: readErrorFields gives one character for each byte (latin1).
 */
export type ErrorFields = ReadonlyMap<string, string>;

/** The codes of the fields that the proxy reads or writes (protocol-error-fields.html). */
export const Field = {
  severity: 'S',
  severityNonLocalized: 'V',
  code: 'C',
  message: 'M',
  detail: 'D',
  hint: 'H',
  position: 'P',
  internalPosition: 'p',
  internalQuery: 'q',
  context: 'W',
  schema: 's',
  table: 't',
  column: 'c',
  constraint: 'n',
  file: 'F',
  routine: 'R',
} as const;

export function readErrorFields(message: Message): ErrorFields {
  const fields = new Map<string, string>();
  const { buffer, end } = message;
  for (let at = message.start + 5; at < end && buffer[at] !== 0; ) {
    const terminator = buffer.indexOf(0, at + 1);
    if (terminator < 0 || terminator >= end) break;
    fields.set(String.fromCharCode(buffer[at] ?? 0), buffer.toString('latin1', at + 1, terminator));
    at = terminator + 1;
  }
  return fields;
}

/** Whether an ErrorResponse ends the connection. */
export function saysFatal(errorResponse: Message): boolean {
  return /FATAL|PANIC/.test(readErrorFields(errorResponse).get(Field.severityNonLocalized) ?? '');
}

/** @param encoding `latin1` where the fields have one character for each byte */
export function errorResponse(fields: ErrorFields, encoding: 'utf8' | 'latin1' = 'utf8'): Buffer {
  return withFields(Backend.ErrorResponse, fields, encoding);
}

/** An ErrorResponse as the server words it. */
export function serverError(code: string, message: string): Buffer {
  return errorResponse(
    new Map([
      [Field.severity, 'ERROR'],
      [Field.severityNonLocalized, 'ERROR'],
      [Field.code, code],
      [Field.message, message],
    ]),
  );
}

/** @param fields with one character for each byte */
export function noticeResponse(fields: ErrorFields): Buffer {
  return withFields(Backend.NoticeResponse, fields, 'latin1');
}

function withFields(type: number, fields: ErrorFields, encoding: 'utf8' | 'latin1'): Buffer {
  const text = [...fields].map(([code, value]) => `${code}${value}\0`).join('');
  return message(type, Buffer.from(`${text}\0`, encoding));
}

/** The command tag of CommandComplete: `DELETE 3`. */
export function readTag(complete: Message): string {
  return complete.buffer.toString('latin1', complete.start + 5, complete.end - 1);
}

export function commandComplete(tag: string): Buffer {
  return message(Backend.CommandComplete, Buffer.from(`${tag}\0`));
}

export const PARSE_COMPLETE = message(Backend.ParseComplete, Buffer.alloc(0));

export const NO_DATA = message(Backend.NoData, Buffer.alloc(0));

/** The answers to a request for encryption. */
export const [ENCRYPTION, NO_ENCRYPTION] = [Buffer.from('S'), Buffer.from('N')];

/** The columns of a DataRow; null is SQL's NULL. The buffers are views: copy what is kept. */
export function readRow(row: Message): (Buffer | null)[] {
  const columns: (Buffer | null)[] = [];
  let at = row.start + 7;
  for (let left = row.buffer.readUInt16BE(row.start + 5); left > 0; left--) {
    const length = row.buffer.readInt32BE(at);
    const end = at + 4 + Math.max(length, 0);
    columns.push(length < 0 ? null : row.buffer.subarray(at + 4, end));
    at = end;
  }
  return columns;
}

/** The same DataRow without its first `count` columns. */
export function dropColumns(row: Message, count: number): Buffer {
  const { buffer } = row;
  let at = row.start + 7;
  for (let i = 0; i < count; i++) at += 4 + Math.max(buffer.readInt32BE(at), 0);
  return withColumns(row, at, count);
}

/** The same RowDescription without its first `count` columns. */
export function dropFields(description: Message, count: number): Buffer {
  let at = description.start + 7;
  // A field is its name, then 18 bytes: table, column, type, size, modifier and format.
  for (let i = 0; i < count; i++) at = description.buffer.indexOf(0, at) + 1 + 18;
  return withColumns(description, at, count);
}

/**
 * The columns of a RowDescription, as far as PostgreSQL compares those of a prepared statement with what they were when
 * it was prepared (equalRowTypes in tupdesc.c): names, types and their modifiers.
 * @param added how many columns of the proxy's own come first
 */
export function readColumns({ buffer, start }: Message, added: number): readonly string[] {
  let at = start + 7;
  const columns = Array.from({ length: buffer.readUInt16BE(start + 5) }, () => {
    const end = buffer.indexOf(0, at);
    // 18 bytes follow the name: table, column, type, size, modifier and format.
    const [name, type, modifier] = [
      buffer.toString('latin1', at, end),
      buffer.readUInt32BE(end + 7),
      buffer.readInt32BE(end + 13),
    ];
    at = end + 19;
    return `${type} ${modifier} ${name}`;
  });
  return columns.slice(added);
}

/** The names of the columns in a RowDescription, as copies. */
export function readColumnNames(description: Message): readonly Buffer[] {
  const { buffer, start } = description;
  const names: Buffer[] = [];
  let at = start + 7;
  for (let left = buffer.readUInt16BE(start + 5); left > 0; left--) {
    const end = buffer.indexOf(0, at);
    names.push(Buffer.from(buffer.subarray(at, end)));
    at = end + 1 + 18;
  }
  return names;
}

/** The types in a ParameterDescription. */
export function readParameterTypes({ buffer, start }: Message): readonly number[] {
  return Array.from({ length: buffer.readUInt16BE(start + 5) }, (_, i) =>
    buffer.readUInt32BE(start + 7 + 4 * i),
  );
}

/** Name and value of a ParameterStatus. */
export function readParameterStatus(status: Message): { name: string; value: string } {
  const [name = '', value = ''] = status.buffer
    .toString('utf8', status.start + 5, status.end - 1)
    .split('\0');
  return { name, value };
}

/** A ParameterStatus, which a server may send at any time. */
export function parameterStatus(name: string, value: string): Buffer {
  return message(Backend.ParameterStatus, Buffer.from(`${name}\0${value}\0`));
}

function withColumns(original: Message, from: number, dropped: number): Buffer {
  const { buffer, start, end, type } = original;
  const changed = Buffer.allocUnsafe(7 + end - from);
  changed[0] = type;
  changed.writeUInt32BE(changed.length - 1, 1);
  changed.writeUInt16BE(buffer.readUInt16BE(start + 5) - dropped, 5);
  buffer.copy(changed, 7, from, end);
  return changed;
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
