/** Where a byte stands next in a text. */

/** So many bytes are looked at here before native code is asked. */
const NEAR = 16;

/** The first place of a byte from `at` on; the text's length where there is none. */
export function placeOf(text: Buffer, byte: number, at: number): number {
  const { length } = text;
  const near = Math.min(at + NEAR, length);
  for (let place = at; place < near; place++) if (text[place] === byte) return place;
  const place = near < length ? text.indexOf(byte, near) : -1;
  return place < 0 ? length : place;
}

/**
 * The same for a byte that is looked for again and again, from places that only grow: so each byte is passed once.
 * @param found what this gave the last time, at first -1
 */
export function nextPlace(text: Buffer, byte: number, at: number, found: number): number {
  return found < at ? placeOf(text, byte, at) : found;
}

const [NEWLINE, RETURN] = [0x0a, 0x0d];

export function hasNewline(text: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text[at] === NEWLINE || text[at] === RETURN) return true;
  return false;
}
