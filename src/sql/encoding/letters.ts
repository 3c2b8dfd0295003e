/**
 * Letters in the client's encoding, for what the proxy says itself: names in errors above all. They are looked up in the
 * tables of the Encoding Standard, which Node.js has. What these do not have, or PostgreSQL not, is a question mark.
 */
import { isAscii } from 'node:buffer';
import { isSingleByte } from './character-lengths.js';
import { bytesOf, hasLetters, rawCharacter } from './raw-bytes.js';

/** What the Encoding Standard calls them. LATIN1 is none of it: there it is another name of WIN1252. */
const LABELS: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`WIN125${i}`, `windows-125${i}`])),
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUC_JP: 'euc-jp',
  SJIS: 'shift_jis',
  EUC_KR: 'euc-kr',
  UHC: 'euc-kr',
  EUC_CN: 'gbk',
  GBK: 'gbk',
  GB18030: 'gb18030',
  BIG5: 'big5',
};

/** The bytes of each character, one unit each. */
type Table = ReadonlyMap<string, string>;

const tables = new Map<string, Table>();

/**
 * The bytes of a text, one character each (latin1).
 * @param missing stands for a letter that the encoding does not have
 */
export function bytesIn(
  encoding: string,
  text: string,
  missing: (letter: string) => string = () => '?',
): string {
  const inUtf8 = encoding === 'UTF8' || encoding === 'SQL_ASCII' || !hasLetters(text);
  const known = inUtf8
    ? text
    : text.replace(LETTERS, (letter) => rawLetter(encoding, letter) ?? missing(letter));
  return bytesOf(known).toString('latin1');
}

const LETTERS = /[^\0-\x7f\uDC00-\uDDFF]/gu;

/** The letter in the client's bytes; undefined where the encoding does not have it. */
export function rawLetter(encoding: string, letter: string): string | undefined {
  const bytes = tableOf(encoding).get(letter);
  return bytes && rawCharacter(Buffer.from(bytes, 'latin1'));
}

/** Bytes of the client's in UTF-8, both with one character for each; as they are where the encoding is not known. */
export function inUtf8(encoding: string, bytes: string): string {
  const text = isAscii(Buffer.from(bytes)) ? bytes : decoded(encoding, Buffer.from(bytes, 'latin1'));
  return text === undefined ? bytes : Buffer.from(text).toString('latin1');
}

/** @returns undefined where the encoding is not known */
function decoded(encoding: string, bytes: Buffer): string | undefined {
  const latin1 = bytes.toString('latin1');
  if (encoding === 'LATIN1') return latin1;
  // What Node.js calls so is LATIN1, in some versions.
  if (encoding === 'WIN1252')
    return latin1.replace(/[\x80-\x9f]/g, (byte) => WIN1252[byte.charCodeAt(0) - 0x80] ?? byte);
  const label = LABELS[encoding];
  const text = label && new TextDecoder(label).decode(bytes);
  // The Encoding Standard, which Node.js follows since version 24, has letters of Belarus there.
  return encoding === 'KOI8U' ? text?.replaceAll('ў', '╝').replaceAll('Ў', '╬') : text;
}

/** From 0x80 on; what has no letter is a replacement character. */
const WIN1252 = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

function tableOf(encoding: string): Table {
  const known = tables.get(encoding);
  if (known) return known;
  const made = tableFor(encoding);
  tables.set(encoding, made);
  return made;
}

function tableFor(encoding: string): Table {
  const sequences = isSingleByte(encoding)
    ? range(encoding === 'LATIN5' ? 0xa0 : 0x80, 0xff).map((byte) => [byte])
    : sequencesOf(encoding);
  // All at once: a line each.
  const lines = Buffer.from(sequences.flatMap((bytes) => [...bytes, 0x0a]));
  const letters = decoded(encoding, lines)?.split('\n') ?? [];
  const table = new Map<string, string>();
  sequences.forEach((bytes, i) => {
    const letter = letters[i] ?? '';
    const isOne = [...letter].length === 1 && letter !== '\ufffd' && letter > '\x7f';
    if (isOne && !table.has(letter)) table.set(letter, String.fromCharCode(...bytes));
  });
  return table;
}

/** But for the four bytes of GB18030: too many for letters that nobody has in names. */
function sequencesOf(encoding: string): readonly (readonly number[])[] {
  const trails = range(encoding.startsWith('EUC') ? 0xa1 : 0x40, 0xfe);
  const leads = range(encoding.startsWith('EUC') ? 0xa1 : 0x81, encoding === 'EUC_JP' ? 0xf4 : 0xfe);
  // Of the letters that these have twice PostgreSQL takes others.
  if (encoding === 'SJIS') leads.sort((a, b) => Number(SECOND.has(a)) - Number(SECOND.has(b)) || a - b);
  const kana = encoding === 'SJIS' ? range(0xa1, 0xdf).map((byte) => [byte]) : [];
  const halfWidth = encoding === 'EUC_JP' ? range(0xa1, 0xdf).map((byte) => [0x8e, byte]) : [];
  const pairs = leads.flatMap((lead) => trails.map((trail) => [lead, trail]));
  const rare = encoding === 'EUC_JP' ? pairs.map((pair) => [0x8f, ...pair]) : [];
  return [...kana, ...halfWidth, ...pairs, ...rare];
}

/** Rows that vendors have added to SJIS. */
const SECOND: ReadonlySet<number> = new Set([0x87, 0xed, 0xee]);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
