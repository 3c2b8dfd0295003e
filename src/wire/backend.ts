/** Reads and rewrites the messages a server sends. The client's half is in frontend.ts. */
import { Cursor } from './cursor.js';
import { internedTexts } from './interned.js';
import { type Message, ProtocolViolation } from './reader.js';
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

/** The rows that a command tag counts, which is its last word; 0 for a tag without a number, as `BEGIN`. */
export function rowsInTag(tag: string): number {
  return Number(tag.slice(tag.lastIndexOf(' ') + 1)) || 0;
}

export function commandComplete(tag: string): Buffer {
  return message(Backend.CommandComplete, Buffer.from(`${tag}\0`));
}

export const PARSE_COMPLETE = message(Backend.ParseComplete, Buffer.alloc(0));

export const NO_DATA = message(Backend.NoData, Buffer.alloc(0));

/** The answers to a request for encryption. */
export const [ENCRYPTION, NO_ENCRYPTION] = [Buffer.from('S'), Buffer.from('N')];

/*
 * The readers below throw ProtocolViolation where the strings and counts of a message go beyond its end: what stands there
 * belongs to another message.
 */

/** The columns of a DataRow; null is SQL's NULL. The buffers are views: copy what is kept. */
export function readRow(row: Message): (Buffer | null)[] {
  return within(row, (at) => at.list(() => at.value()));
}

/** The same DataRow without its first `count` columns. */
export function dropColumns(row: Message, count: number): Buffer {
  return withoutFirst(row, count, (at) => at.value());
}

/** The same RowDescription without its first `count` columns. */
export function dropFields(description: Message, count: number): Buffer {
  return withoutFirst(description, count, readField);
}

/**
 * The columns of a RowDescription, as far as PostgreSQL compares those of a prepared statement with what they were when
 * it was prepared (equalRowTypes in tupdesc.c): names, types and their modifiers.
 * @param added how many columns of the proxy's own come first
 */
export function readColumns(description: Message, added: number): readonly string[] {
  const fields = within(description, (at) => at.list(() => readField(at)));
  return fields
    .slice(added)
    .map(({ name, type, modifier }) => `${type} ${modifier} ${name.toString('latin1')}`);
}

/** The names of the columns in a RowDescription, as copies. */
export function readColumnNames(description: Message): readonly Buffer[] {
  return within(description, (at) => at.list(() => Buffer.from(readField(at).name)));
}

/** The object ids of the types of the columns in a RowDescription. */
export function readColumnTypes(description: Message): readonly number[] {
  return within(description, (at) => at.list(() => readField(at).type));
}

/** The types in a ParameterDescription. */
export function readParameterTypes(description: Message): readonly number[] {
  return within(description, (at) => at.list(() => at.int32() >>> 0));
}

/** One column of a RowDescription. */
function readField(at: Cursor): { name: Buffer; type: number; modifier: number } {
  const name = at.string();
  // Its table, and its number in that.
  at.int32();
  at.int16();
  const type = at.int32() >>> 0;
  // The size of the type.
  at.int16();
  const modifier = at.int32();
  // Its format.
  at.int16();
  return { name, type, modifier };
}

/** @throws ProtocolViolation where more is read than there is */
function within<T>(message: Message, read: (at: Cursor) => T): T {
  const at = new Cursor(message);
  const found = read(at);
  if (at.isBeyond)
    throw new ProtocolViolation(`invalid message "${String.fromCharCode(message.type)}" of the server`);
  return found;
}

/** Name and value of a ParameterStatus. */
export function readParameterStatus(status: Message): { name: string; value: string } {
  const [name = '', value = ''] = internedTexts(status.buffer, status.start + 5, status.end - 1);
  return { name, value };
}

/** A ParameterStatus, which a server may send at any time. */
export function parameterStatus(name: string, value: string): Buffer {
  return message(Backend.ParameterStatus, Buffer.from(`${name}\0${value}\0`));
}

/** The same message without the first items of its list. */
function withoutFirst(original: Message, count: number, skip: (at: Cursor) => unknown): Buffer {
  const { buffer, end, type } = original;
  const { items, from } = within(original, (at) => {
    const items = at.int16();
    for (let i = 0; i < count; i++) skip(at);
    return { items, from: at.position };
  });
  const changed = Buffer.allocUnsafe(7 + end - from);
  changed[0] = type;
  changed.writeUInt32BE(changed.length - 1, 1);
  changed.writeUInt16BE(Math.max(items - count, 0), 5);
  buffer.copy(changed, 7, from, end);
  return changed;
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
