/**
 * Characters that are kept as the bytes in which they came. The server knows every encoding and the proxy does not: what it
 * does not have to understand it neither decodes nor encodes.
 *
 * A lone surrogate stands for each byte, which no other text has in it: U+DC00 and the byte for the first one of a
 * character, U+DD00 and the byte for each further one.
 */

const RAW = /[\uDC00-\uDDFF]/u;
const LETTER = /[^\0-\x7f\uDC00-\uDDFF]/u;
const BEYOND_ASCII = /[^\0-\x7f]/gu;

/** One character. */
export function rawCharacter(bytes: Iterable<number>): string {
  return String.fromCharCode(...[...bytes].map((byte, i) => (i === 0 ? 0xdc00 : 0xdd00) + byte));
}

/** The text of which each byte beyond ASCII is a character. */
export function rawBytes(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\xff]/g, (byte) => rawCharacter([byte.charCodeAt(0)]));
}

/** Whether a text has bytes that are not decoded. */
export function hasRaw(text: string): boolean {
  return RAW.test(text);
}

/** Whether a text has characters beyond ASCII that are. */
export function hasLetters(text: string): boolean {
  return LETTER.test(text);
}

/** The text as it is sent: those that are not decoded as they came, all others in UTF-8. */
export function bytesOf(text: string): Buffer {
  if (!RAW.test(text)) return Buffer.from(text);
  const latin1 = text.replace(BEYOND_ASCII, (character) =>
    RAW.test(character)
      ? String.fromCharCode(character.charCodeAt(0) & 0xff)
      : Buffer.from(character).toString('latin1'),
  );
  return Buffer.from(latin1, 'latin1');
}
