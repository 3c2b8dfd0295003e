/** Protocol bytes, written by code of the tests' own: what they check must not write them as well. */
import fc from 'fast-check';
import type { Message } from '../../src/wire/reader.js';

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** A list with its length before it, as an Int16. */
export const list = (items: readonly Buffer[]): Buffer => Buffer.concat([int16(items.length), ...items]);

/** A value with its length before it; null is SQL's NULL. */
export const value = (bytes: Uint8Array | null): Buffer =>
  bytes === null ? int32(-1) : Buffer.concat([int32(bytes.length), bytes]);

export const typed = (type: string, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};

/**
 * Bytes as the reader gives a whole message: with others before and after it in the same buffer. Those are zeros and
 * negative numbers in turn, so that whoever reads too far finds what he looks for.
 */
export function asRead(bytes: Buffer): Message {
  const neighbour = Buffer.from('00ff00ffffffff0000000000', 'hex');
  const buffer = Buffer.concat([neighbour, bytes, neighbour]);
  const start = neighbour.length;
  return { type: bytes[0] ?? 0, buffer, start, end: start + bytes.length, last: true };
}

/** A piece of text as it may stand in a message: everything but its terminator. */
export const anyText = fc.string({ unit: 'grapheme', maxLength: 20 }).map((any) => any.replaceAll('\0', ''));

/** Cuts bytes at random places; pieces may be empty. */
export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b)];
  return at.map((start, i) => bytes.subarray(start, at[i + 1] ?? bytes.length));
}
