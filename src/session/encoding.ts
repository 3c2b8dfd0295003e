/** Texts in the client's encoding: what the proxy adds to them, and what it says itself. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ProxyError } from '../errors.js';
import type { Copied } from '../plan/splice.js';
import type { RelationName } from '../sql/names.js';
import type { ErrorFields } from '../wire/backend.js';
import type { Part } from './part.js';
import type { Rewrite } from './rewrite.js';
import type { ServerState } from './server-state.js';

/** The encoding of what goes over the wire: under SQL_ASCII nothing is converted, and it is the database's. */
export function encodingOf(state: ServerState): string {
  const encoding = state.parameter('client_encoding')?.toUpperCase() ?? 'unknown';
  return encoding === 'SQL_ASCII'
    ? (state.parameter('server_encoding')?.toUpperCase() ?? encoding)
    : encoding;
}

/** What PGC_ENCODING says of a text. */
export const BEYOND_ASCII = 'a statement with characters beyond ASCII';

/** In these a byte below 128 can be half of a character, so that a text cannot be read without knowing them all. */
const TWO_BYTE_ENCODINGS = /^(?:SJIS|SHIFT_JIS_2004|BIG5|GBK|GB18030|UHC|JOHAB)$/;

/**
 * The text in characters; in an encoding of one byte a character, one that stands for each byte: keywords and ASCII
 * names are right, and a text with others is never sent changed.
 * @returns undefined where the bytes are not what the client says they are
 * @throws ProxyError where they could be read in two ways
 */
export function decode(bytes: Buffer, state: ServerState): string | undefined {
  const encoding = encodingOf(state);
  if (!isAscii(bytes) && TWO_BYTE_ENCODINGS.test(encoding))
    throw new ProxyError('PGC_ENCODING', { what: BEYOND_ASCII, encoding });
  if (encoding === 'UTF8' && !isUtf8(bytes)) return undefined;
  return bytes.toString(encoding === 'UTF8' ? 'utf8' : 'latin1');
}

/** The bytes of a text, one character each (latin1). What the encoding may not have is a question mark. */
export function bytesIn(encoding: string, text: string): string {
  if (encoding === 'UTF8') return Buffer.from(text).toString('latin1');
  const known = encoding === 'LATIN1' ? /[^\0-\xff]/gu : /[^\0-\x7f]/gu;
  return text.replace(known, '?');
}

/** Fields that are the proxy's own, as bytes. */
export function inEncoding(fields: ErrorFields, encoding: string): ErrorFields {
  return new Map([...fields].map(([code, value]) => [code, bytesIn(encoding, value)]));
}

export function isBeyondAscii(text: string): boolean {
  return !isAscii(Buffer.from(text));
}

/**
 * Whether a name may mean another one to the server. Where its encoding has one byte a character, the server folds capitals
 * beyond ASCII in names that are not quoted (downcase_identifier in scansup.c); the parser here knows UTF-8 alone.
 */
export function mayBeFolded({ schema = '', name }: RelationName, state: ServerState): boolean {
  const text = `${schema}${name}`;
  return state.parameter('server_encoding') !== 'UTF8' && isBeyondAscii(text) && text !== text.toLowerCase();
}

/** The same rewrite of a text in ASCII, with all that was put into it in ASCII too. */
export function inAscii(rewrite: Rewrite): Rewrite {
  const copied: Copied[] = [];
  let sql = '';
  let read = 0;
  for (const run of rewrite.copied) {
    sql += escaped(rewrite.sql.slice(read, run.sent));
    copied.push({ ...run, sent: sql.length });
    read = run.sent + run.length;
    sql += rewrite.sql.slice(run.sent, read);
  }
  return {
    ...rewrite,
    sql: sql + escaped(rewrite.sql.slice(read)),
    copied,
    parts: rewrite.parts.map(unlocked),
  };
}

/** What locks its rows is not taken apart: it is sent again without. */
function unlocked(part: Part): Part {
  return part.kind === 'cascade' && isBeyondAscii(part.locks?.sql ?? '')
    ? { ...part, locks: undefined }
    : part;
}

/**
 * Quoted names as `U&"…"`, which reads the same under every setting, and literals as `E'…'`: the server converts what they
 * spell to its own encoding (from PostgreSQL 13 on; before, only where that is UTF8).
 */
function escaped(sql: string): string {
  return sql.replace(/"(?:[^"]|"")*"|E?'(?:[^']|'')*'/g, (token) => {
    if (!isBeyondAscii(token)) return token;
    if (token.startsWith('"')) return `U&${token.replaceAll('\\', '\\\\').replace(BEYOND, nameEscape)}`;
    return `${token.startsWith('E') ? '' : ' E'}${token.replace(BEYOND, literalEscape)}`;
  });
}

const BEYOND = /[^\0-\x7f]/gu;

function nameEscape(character: string): string {
  return `\\+${hexOf(character, 6)}`;
}

function literalEscape(character: string): string {
  return `\\U${hexOf(character, 8)}`;
}

function hexOf(character: string, digits: number): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(digits, '0');
}
