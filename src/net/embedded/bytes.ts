/** Writes the few messages that wire/ has no serialiser for. */

export function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.from(`${type}....`);
  head.writeUInt32BE(4 + parts.reduce((length, part) => length + part.length, 0), 1);
  return Buffer.concat([head, ...parts]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

export const SYNC = message('S');
