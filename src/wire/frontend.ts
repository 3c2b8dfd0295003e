/** Reads and rewrites the messages a client sends. The server's half is in backend.ts. */
import { serialize } from 'pg-protocol';
import { bytesOf } from '../sql/encoding/raw-bytes.js';
import { Cursor } from './cursor.js';
import type { Message } from './reader.js';
import { ProtocolViolation } from './reader.js';

/** A Parse message. Its text stays bytes: it may be long, and few texts are decoded. */
export interface ParseFields {
  readonly name: string;
  readonly text: Buffer;
  /** The object ids of the parameters' types, 0 where the server infers. */
  readonly types: readonly number[];
}

/** The names of a Bind message, and where its parts are. */
export interface BindFields {
  readonly portal: string;
  readonly statement: string;
  /** After the names: where the formats and values of the parameters begin. */
  readonly values: number;
  /** After the values: 0 is text, 1 binary; an empty list is text for all columns, a list of one stands for all columns. */
  readonly resultFormats: readonly number[];
  readonly results: number;
}

/*
 * Each reader gives undefined where the strings and counts of a message do not end exactly where the message does, as
 * PostgreSQL checks (pq_getmsgstring and pq_getmsgend in pqformat.c). The server would not
 * execute what follows a zero in a text, so such a message is not read further: the server refuses it in its own words.
 */

/** The statement text of a Query message, without its terminator. */
export function queryText(message: Message): Buffer | undefined {
  const at = new Cursor(message);
  const text = at.string();
  return at.isEnd ? text : undefined;
}

export function readParse(message: Message): ParseFields | undefined {
  const at = new Cursor(message);
  const [name, text] = [at.string(), at.string()];
  const types = at.list(() => at.int32() >>> 0);
  return at.isEnd ? { name: nameOf(name), text, types } : undefined;
}

/** What a Bind message names, and how results are wanted. */
export function readBind(message: Message): BindFields | undefined {
  const at = new Cursor(message);
  const [portal, statement] = [nameOf(at.string()), nameOf(at.string())];
  const values = at.position;
  at.list(() => at.int16());
  at.list(() => at.value());
  const results = at.position;
  const resultFormats = at.list(() => at.int16());
  return at.isEnd ? { portal, statement, values, results, resultFormats } : undefined;
}

/** What a Describe or a Close is about: a statement ('S') or a portal ('P'), and its name. */
export function readTarget(message: Message): { kind: 'S' | 'P'; name: string } | undefined {
  const at = new Cursor(message);
  const kind = String.fromCharCode(at.int8());
  const name = nameOf(at.string());
  return at.isEnd && (kind === 'S' || kind === 'P') ? { kind, name } : undefined;
}

export interface ExecuteFields {
  readonly portal: string;
  /** How many rows are wanted at most; 0 for all. */
  readonly rows: number;
}

/** The portal that an Execute names, and how many rows it wants; undefined where it is not well-formed. */
export function readExecute(message: Message): ExecuteFields | undefined {
  const at = new Cursor(message);
  const read = { portal: nameOf(at.string()), rows: at.int32() };
  return at.isEnd ? read : undefined;
}

/**
 * The same Bind with other result formats.
 * @param change gives the new list for the client's
 * @throws ProtocolViolation where the message is not a well-formed Bind
 */
export function withResultFormats(
  message: Message,
  change: (formats: readonly number[]) => readonly number[],
): Buffer {
  const { results, resultFormats } = wellFormed(message);
  const formats = change(resultFormats);
  const head = results - message.start;
  const changed = Buffer.alloc(head + 2 + 2 * formats.length);
  message.buffer.copy(changed, 0, message.start, results);
  changed.writeUInt32BE(changed.length - 1, 1);
  changed.writeUInt16BE(formats.length, head);
  formats.forEach((format, i) => {
    changed.writeUInt16BE(format, head + 2 + 2 * i);
  });
  return changed;
}

/** A Bind of the same values to another portal and statement, for results in text. @throws as withResultFormats */
export function boundTo(message: Message, portal: string, statement: string): Buffer {
  const values = withResultFormats(message, () => []).subarray(wellFormed(message).values - message.start);
  return bindOf(portal, statement, values);
}

/** The same Bind, of another portal to another statement. @throws as withResultFormats */
export function bindTo(message: Message, portal: string, statement: string): Buffer {
  return bindOf(portal, statement, message.buffer.subarray(wellFormed(message).values, message.end));
}

/** @param rest what follows the names */
function bindOf(portal: string, statement: string, rest: Buffer): Buffer {
  const bound = Buffer.concat([Buffer.from(`B\0\0\0\0${portal}\0${statement}\0`, 'latin1'), rest]);
  bound.writeUInt32BE(bound.length - 1, 1);
  return bound;
}

function wellFormed(message: Message): BindFields {
  const bind = readBind(message);
  if (bind === undefined) throw new ProtocolViolation('invalid message format');
  return bind;
}

/** A copy of a message. */
export function whole(message: Message): Buffer {
  return Buffer.from(message.buffer.subarray(message.start, message.end));
}

/** Serialisers for what the proxy itself sends. Names are as the readers give them: a character for each byte. */
export const write = {
  query: (text: string): Buffer => withText(serialize.query(''), FIRST, bytesOf(text)),
  parse: (name: string, text: string, types: readonly number[] = []): Buffer =>
    write.parseBytes(name, bytesOf(text), types),
  /** A Parse of a text in the client's own bytes. */
  parseBytes: (name: string, text: Buffer, types: readonly number[] = []): Buffer =>
    withName(
      withText(serialize.parse({ name: '', text: '', types: [...types] }), BEHIND_ONE, text),
      FIRST,
      name,
    ),
  bind: (portal: string, statement: string): Buffer =>
    withName(withName(serialize.bind({ portal: '', statement: '' }), BEHIND_ONE, statement), FIRST, portal),
  /** A Bind with results in binary. @param values text is given as a string, binary as bytes, null as such */
  bindValues: (portal: string, statement: string, values: readonly (Buffer | string | null)[]): Buffer =>
    withName(
      withName(
        serialize.bind({ portal: '', statement: '', values: [...values], binary: true }),
        BEHIND_ONE,
        statement,
      ),
      FIRST,
      portal,
    ),
  execute: (portal: string, rows = 0): Buffer =>
    withName(serialize.execute({ portal: '', rows }), FIRST, portal),
  describeStatement: (name: string): Buffer =>
    withName(serialize.describe({ type: 'S', name: '' }), BEHIND_ONE, name),
  describePortal: (name: string): Buffer =>
    withName(serialize.describe({ type: 'P', name: '' }), BEHIND_ONE, name),
  close: (kind: 'S' | 'P', name: string): Buffer =>
    withName(serialize.close({ type: kind, name: '' }), BEHIND_ONE, name),
  copyFail: (why: string): Buffer => serialize.copyFail(why),
  flush: (): Buffer => serialize.flush(),
  sync: (): Buffer => serialize.sync(),
};

/** Where the content of a message begins, and where it goes on after its first byte. */
const FIRST = 5;
const BEHIND_ONE = 6;

/** The message with a name in the place of the empty one at `at`: pg-protocol writes names in UTF-8 only. */
function withName(message: Buffer, at: number, name: string): Buffer {
  return name === '' ? message : withText(message, at, Buffer.from(name, 'latin1'));
}

/** The message with a text in the place of the empty one at `at`. */
function withText(message: Buffer, at: number, text: Buffer): Buffer {
  const changed = Buffer.concat([message.subarray(0, at), text, message.subarray(at)]);
  changed.writeUInt32BE(changed.length - 1, 1);
  return changed;
}

/** A name as a string with a character for each byte: two names are equal where their bytes are. */
function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}
