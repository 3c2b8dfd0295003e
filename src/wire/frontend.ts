/** Reads and rewrites the messages a client sends. The server's half is in backend.ts. */
import { serialize } from 'pg-protocol';
import type { Message } from './reader.js';
import { ProtocolViolation } from './reader.js';

/** A Parse message, apart from its text, which may be long and is rarely looked at. */
export interface Parse {
  readonly name: string;
  readonly text: Buffer;
  /** The object ids of the parameters' types, 0 where the server infers. */
  readonly types: readonly number[];
}

/** The statement text of a Query message, without its terminator. */
export function queryText(message: Message): Buffer {
  return cString(message, message.start + 5).bytes;
}

/** @throws ProtocolViolation where the message ends too early */
export function readParse(message: Message): Parse {
  const name = cString(message, message.start + 5);
  const text = cString(message, name.next);
  const count = message.buffer.readUInt16BE(within(message, text.next, 2));
  within(message, text.next + 2, count * 4);
  const types: number[] = [];
  for (let i = 0; i < count; i++) types.push(message.buffer.readUInt32BE(text.next + 2 + i * 4));
  return { name: name.bytes.toString('utf8'), text: text.bytes, types };
}

/** The portal and the statement a Bind message names. */
export function readBindNames(message: Message): { portal: string; statement: string } {
  const portal = cString(message, message.start + 5);
  const statement = cString(message, portal.next);
  return { portal: portal.bytes.toString('utf8'), statement: statement.bytes.toString('utf8') };
}

/** What a Describe or a Close is about: a statement ('S') or a portal ('P'), and its name. */
export function readTarget(message: Message): { kind: 'S' | 'P'; name: string } {
  const kind = message.buffer[within(message, message.start + 5, 1)];
  if (kind !== 0x53 && kind !== 0x50) throw new ProtocolViolation('neither a statement nor a portal');
  return {
    kind: kind === 0x53 ? 'S' : 'P',
    name: cString(message, message.start + 6).bytes.toString('utf8'),
  };
}

/** The portal an Execute message names, and the most rows it wants: 0 is all. */
export function readExecute(message: Message): { portal: string; rows: number } {
  const portal = cString(message, message.start + 5);
  return {
    portal: portal.bytes.toString('utf8'),
    rows: message.buffer.readInt32BE(within(message, portal.next, 4)),
  };
}

/**
 * The same Bind with other result formats: 0 is text, 1 binary; none is text for all, one stands for all columns.
 * @param change gives the new list for the client's
 */
export function withResultFormats(
  message: Message,
  change: (formats: readonly number[]) => readonly number[],
): Buffer {
  const { buffer } = message;
  let at = cString(message, cString(message, message.start + 5).next).next;
  at = within(message, at, 2) + 2 + 2 * buffer.readUInt16BE(at);
  const values = buffer.readUInt16BE(within(message, at, 2));
  at += 2;
  for (let i = 0; i < values; i++) {
    const length = Math.max(buffer.readInt32BE(within(message, at, 4)), 0);
    at = within(message, at + 4, length) + length;
  }
  const count = buffer.readUInt16BE(within(message, at, 2));
  within(message, at + 2, 2 * count);
  const formats = change(Array.from({ length: count }, (_, i) => buffer.readUInt16BE(at + 2 + 2 * i)));
  const kept = at - message.start;
  const changed = Buffer.alloc(kept + 2 + 2 * formats.length);
  buffer.copy(changed, 0, message.start, at);
  changed.writeUInt32BE(changed.length - 1, 1);
  changed.writeUInt16BE(formats.length, kept);
  formats.forEach((format, i) => {
    changed.writeUInt16BE(format, kept + 2 + 2 * i);
  });
  return changed;
}

/** A Bind of the same values to another portal and statement, for results in text. @throws as readBind */
export function boundTo(message: Message, portal: string, statement: string): Buffer {
  const names = cString(message, cString(message, message.start + 5).next).next - message.start;
  const values = withResultFormats(message, () => []).subarray(names);
  const bound = Buffer.concat([Buffer.from(`B\0\0\0\0${portal}\0${statement}\0`), values]);
  bound.writeUInt32BE(bound.length - 1, 1);
  return bound;
}

/** A copy of a message as it stood. */
export function whole(message: Message): Buffer {
  return Buffer.from(message.buffer.subarray(message.start, message.end));
}

/** Serialisers for what the proxy itself sends. */
export const write = {
  query: (text: string): Buffer => serialize.query(text),
  parse: (name: string, text: string, types: readonly number[] = []): Buffer =>
    serialize.parse({ name, text, types: [...types] }),
  /** A Parse of a text in the client's own bytes. */
  parseBytes: (name: string, text: Buffer): Buffer => {
    const head = Buffer.from(`P\0\0\0\0${name}\0`);
    head.writeUInt32BE(head.length + text.length + 2, 1);
    // Behind the text's zero stands the number of parameter types.
    return Buffer.concat([head, text, Buffer.alloc(3)]);
  },
  bind: (portal: string, statement: string): Buffer => serialize.bind({ portal, statement }),
  execute: (portal: string, rows = 0): Buffer => serialize.execute({ portal, rows }),
  describeStatement: (name: string): Buffer => serialize.describe({ type: 'S', name }),
  describePortal: (name: string): Buffer => serialize.describe({ type: 'P', name }),
  close: (kind: 'S' | 'P', name: string): Buffer => serialize.close({ type: kind, name }),
  flush: (): Buffer => serialize.flush(),
  sync: (): Buffer => serialize.sync(),
};

function cString(message: Message, from: number): { bytes: Buffer; next: number } {
  const end = message.buffer.indexOf(0, from);
  if (from > message.end || end < 0 || end >= message.end)
    throw new ProtocolViolation('invalid message format: unterminated string');
  return { bytes: message.buffer.subarray(from, end), next: end + 1 };
}

function within(message: Message, at: number, size: number): number {
  if (at + size > message.end) throw new ProtocolViolation('insufficient data left in message');
  return at;
}
