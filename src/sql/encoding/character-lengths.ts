/**
 * How the encodings of PostgreSQL put characters together: enough to tell where one ends, and which bytes are ASCII. What the
 * characters are nobody has to know. (The lengths are those of wchar.c; in the ranges of further bytes this is the stricter.)
 */
import { rawCharacter } from './raw-bytes.js';

/** How many bytes the character has whose first byte this is; the second one is told from. */
type Length = (first: number, second: number) => number;

interface Encoding {
  readonly length: Length;
  /** Whether a byte can be a further one. */
  readonly isFurther: (byte: number) => boolean;
}

const within = (byte: number, first: number, last: number) => byte >= first && byte <= last;
const high = (byte: number) => byte > 0x80;

const SINGLE: Encoding = { length: () => 1, isFurther: high };
const euc = (afterSs2: number): Encoding => ({
  length: (first) => (first === 0x8e ? afterSs2 : first === 0x8f ? 3 : 2),
  isFurther: high,
});
const sjis: Encoding = {
  length: (first) => (within(first, 0xa1, 0xdf) ? 1 : 2),
  isFurther: (byte) => within(byte, 0x40, 0xfc) && byte !== 0x7f,
};
const twoBytes = (isFurther: Encoding['isFurther']): Encoding => ({ length: () => 2, isFurther });

const SINGLE_BYTE = /^(?:SQL_ASCII|LATIN(?:[1-9]|10)|ISO_8859_[5-8]|WIN(?:125[0-8]|866|874)|KOI8[RU])$/;

/** The names are those that the server reports. JOHAB and MULE_INTERNAL are none of them: nobody sends these. */
const MULTI_BYTE: Readonly<Record<string, Encoding>> = {
  EUC_JP: euc(2),
  // A few of its characters are two in Unicode: after them positions in errors are wrong.
  EUC_JIS_2004: euc(2),
  EUC_KR: euc(2),
  EUC_CN: twoBytes(high),
  EUC_TW: euc(4),
  SJIS: sjis,
  SHIFT_JIS_2004: sjis,
  BIG5: twoBytes((byte) => within(byte, 0x40, 0x7e) || within(byte, 0xa1, 0xfe)),
  GBK: twoBytes((byte) => within(byte, 0x40, 0xfe) && byte !== 0x7f),
  UHC: twoBytes((byte) => within(byte, 0x41, 0x5a) || within(byte, 0x61, 0x7a) || within(byte, 0x81, 0xfe)),
  GB18030: {
    length: (_, second) => (within(second, 0x30, 0x39) ? 4 : 2),
    isFurther: (byte) => within(byte, 0x30, 0x39) || (within(byte, 0x40, 0xfe) && byte !== 0x7f),
  },
};

/** Whether each character is one byte. */
export function isSingleByte(encoding: string): boolean {
  return SINGLE_BYTE.test(encoding);
}

/**
 * The text with no byte of a longer character that could be taken for ASCII, and all places as they were.
 * @param encoding another than UTF8
 * @returns undefined as readRaw
 */
export function withoutHalves(bytes: Buffer, encoding: string): Buffer | undefined {
  const masked = Buffer.from(bytes);
  const isKnown = forEachBeyondAscii(bytes, encoding, (start, end) => masked.fill(0x80, start, end));
  return isKnown ? masked : undefined;
}

/**
 * The text in ASCII and raw characters.
 * @param encoding another than UTF8
 * @returns undefined where it cannot be told with certainty where each character ends
 */
export function readRaw(bytes: Buffer, encoding: string): string | undefined {
  const runs: string[] = [];
  let ascii = 0;
  const isKnown = forEachBeyondAscii(bytes, encoding, (start, end) => {
    runs.push(bytes.toString('latin1', ascii, start), rawCharacter(bytes.subarray(start, end)));
    ascii = end;
  });
  runs.push(bytes.toString('latin1', ascii));
  return isKnown ? runs.join('') : undefined;
}

/** @returns false where it cannot be told with certainty where each character ends */
function forEachBeyondAscii(
  bytes: Buffer,
  encoding: string,
  take: (start: number, end: number) => void,
): boolean {
  const known = isSingleByte(encoding) ? SINGLE : MULTI_BYTE[encoding];
  if (known === undefined) return false;
  for (let at = 0; at < bytes.length; at++) {
    const first = bytes[at] ?? 0;
    if (first < 0x80) continue;
    const end = at + known.length(first, bytes[at + 1] ?? 0);
    if (end > bytes.length || !bytes.subarray(at + 1, end).every(known.isFurther)) return false;
    take(at, end);
    at = end - 1;
  }
  return true;
}
