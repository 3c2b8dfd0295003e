/** Texts in the client's encoding: what the proxy reads of them, adds to them, and says itself. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import type { Copied, Spliced } from '../../render/splice.js';
import { changed, locksBefore } from '../../rewrite/statement/program.js';
import { followUpsOf, type Treatment } from '../../rewrite/statement/treatment.js';
import type { Place, Rewrite } from '../../rewrite/text.js';
import { isSingleByte, readRaw } from '../../sql/encoding/character-lengths.js';
import { bytesIn, rawLetter } from '../../sql/encoding/letters.js';
import { bytesOf, hasLetters, rawBytes } from '../../sql/encoding/raw-bytes.js';
import { Lexer } from '../../sql/lexer/lexer.js';
import type { ErrorFields } from '../../wire/backend.js';
import type { ServerState } from './server-state.js';

/** As ServerState.encoding. */
export function encodingOf(state: ServerState): string {
  return state.encoding;
}

/** What PGC_ENCODING says of a text. */
export const TEXT_BEYOND_ASCII = 'a statement with characters beyond ASCII';

/**
 * The text; in another encoding than UTF-8 with raw characters (raw-bytes.ts).
 * @returns undefined where the bytes are not what the client says they are
 * @throws ProxyError where they could be read in two ways
 */
export function decode(bytes: Buffer, state: ServerState): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  const encoding = encodingOf(state);
  if (encoding === 'UTF8') return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  const text = readRaw(bytes, encoding);
  if (text === undefined) throw new ProxyError('PGC_ENCODING', { what: TEXT_BEYOND_ASCII, encoding });
  return text;
}

/** Fields that are the proxy's own, as bytes. */
export function inEncoding(fields: ErrorFields, encoding: string): ErrorFields {
  return new Map([...fields].map(([code, value]) => [code, bytesIn(encoding, value)]));
}

/** Writes the letters beyond ASCII of what the proxy has added to a text so that they can stand in the client's encoding. */
type Spelling = (token: string) => string;

/**
 * The same rewrite with all letters that were put into it in the client's encoding, or in ASCII.
 * @throws ProxyError where they cannot be
 */
export function inClientEncoding(rewrite: Rewrite, state: ServerState): Rewrite {
  const spell = spellingFor(state);
  const { sql, copied, places } = spelled(rewrite, rewrite.places, spell);
  if (hasLetters(sql)) throw beyondAscii(state);
  const treatments = rewrite.treatments.map((each) => locksSpelled(followUpsSpelled(each, spell), spell));
  if (treatments.flatMap(followUpsOf).some(hasLetters)) throw beyondAscii(state);
  return { ...rewrite, sql, unspelled: rewrite.sql, copied, places, treatments };
}

function beyondAscii(state: ServerState): ProxyError {
  const encoding = encodingOf(state);
  return new ProxyError('PGC_ENCODING', { what: 'tables with names beyond ASCII', encoding });
}

function followUpsSpelled(treatment: Treatment, spell: Spelling): Treatment {
  if (treatment.kind !== 'guarded') return treatment;
  return { ...treatment, followUps: treatment.followUps.map((each) => ({ ...each, sql: spell(each.sql) })) };
}

/** The text with everything that the proxy has added spelled, and where the runs of the client's text and the places have moved to. */
function spelled(
  { sql: unspelled, copied: runs }: Spliced,
  places: readonly Place[],
  spell: Spelling,
): Spliced & { readonly places: readonly Place[] } {
  const copied: Copied[] = [];
  const placed: Place[] = [];
  let sql = '';
  let read = 0;
  const spellTo = (end: number) => {
    sql += spell(unspelled.slice(read, end));
    read = end;
  };
  const placeUpTo = (end: number) => {
    for (let place = places[placed.length]; place && place.sent <= end; place = places[placed.length]) {
      if (place.sent > read) spellTo(place.sent);
      placed.push({ ...place, sent: sql.length - (read - place.sent) });
    }
  };
  for (const run of runs) {
    placeUpTo(run.sent);
    spellTo(run.sent);
    copied.push({ ...run, sent: sql.length });
    read = run.sent + run.length;
    sql += unspelled.slice(run.sent, read);
    // The client's own text is not spelled.
    placeUpTo(read);
  }
  placeUpTo(unspelled.length);
  spellTo(unspelled.length);
  return { sql, copied, places: placed };
}

/** Spells the locks; where that cannot be done, the statement is sent without them. */
function locksSpelled(treatment: Treatment, spell: Spelling): Treatment {
  const locks = treatment.kind === 'cascade' ? locksBefore(treatment.program) : undefined;
  if (treatment.kind !== 'cascade' || !locks) return treatment;
  const statements = locks.statements.map((each) => spelled(each, [], spell));
  const harmless = spell(locks.harmless);
  const isSpelled = ![harmless, ...statements.map(({ sql }) => sql)].some(hasLetters);
  const own = isSpelled ? { ...locks, statements, harmless } : undefined;
  return { ...treatment, program: changed(treatment.program, { locks: own }) };
}

function spellingFor(state: ServerState): Spelling {
  const encoding = encodingOf(state);
  // Such a database takes no escapes beyond ASCII, and its names are bytes.
  if (encoding === 'SQL_ASCII') return (sql) => sql.replace(BEYOND, bytesOfLetter);
  // Before 13 no other server takes them, unless it has UTF8 itself (check_unicode_value in parser.c has come then).
  const escapes = state.profile.can.escapeBeyondAscii || state.parameter('server_encoding') === 'UTF8';
  if (escapes) return escaped;
  // In the others PostgreSQL's tables are not in all places those that Node.js has.
  const isCertain = isSingleByte(encoding);
  return (sql) =>
    sql.replace(BEYOND, (letter) => (isCertain ? rawLetter(encoding, letter) : undefined) ?? letter);
}

/**
 * Quoted names as `U&"…"`, which reads the same under every setting, and literals as `E'…'`: the server converts what they
 * spell to its own encoding.
 * @param sql what the proxy has written
 */
function escaped(sql: string): string {
  if (!hasLetters(sql)) return sql;
  const lexer = lexerOf(sql);
  const pieces: string[] = [];
  let read = 0;
  while (lexer.next() !== 'end') {
    const { kind, start, end } = lexer;
    if (kind !== 'name' && kind !== 'literal') continue;
    const token = sql.slice(start, end);
    pieces.push(sql.slice(read, start), kind === 'name' ? escapedName(token) : escapedLiteral(token));
    read = end;
  }
  return pieces.join('') + sql.slice(read);
}

function escapedName(name: string): string {
  if (!hasLetters(name)) return name;
  return `U&${name.replaceAll('\\', '\\\\').replace(BEYOND, nameEscape)}`;
}

/** @param literal `'…'` or `E'…'` */
function escapedLiteral(literal: string): string {
  if (!hasLetters(literal)) return literal;
  return `${literal.startsWith('E') ? '' : ' E'}${literal.replace(BEYOND, literalEscape)}`;
}

/** Characters beyond ASCII, but for those that are raw already (raw-bytes.ts). */
const BEYOND = /[^\0-\x7f\uDC00-\uDDFF]/gu;

function bytesOfLetter(letter: string): string {
  return rawBytes(bytesOf(letter));
}

function nameEscape(character: string): string {
  return `\\+${hexOf(character, 6)}`;
}

function literalEscape(character: string): string {
  return `\\U${hexOf(character, 8)}`;
}

function hexOf(character: string, digits: number): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(digits, '0');
}

/** Reads a string: all places are in its units. */
function lexerOf(text: string): Lexer {
  return new Lexer(Buffer.from(text.replace(/[^\0-\x7f]/g, '\x80'), 'latin1'), 'standard');
}
