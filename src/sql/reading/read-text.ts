/**
 * Reads the statements of a text with raw characters (sql/encoding/raw-bytes.ts). To PostgreSQL's scanner all characters beyond ASCII
 * are alike (ident_start in scan.l), so the parser is given others in their place, and the names that it finds get the raw
 * ones back.
 */
import { ProxyError } from '../../errors.js';
import { hasRaw } from '../encoding/raw-bytes.js';
import { Lexer } from '../lexer/lexer.js';
import { readStatements, type Statement } from '../statement/statement.js';

/** Two bytes of UTF-8 each, and one unit as the raw one: all places in the text stay what they are. */
const STAND_IN = 0x600;
const RAW = 0xdc00;

/** The text as the parser takes it. */
function parsable(text: string): string {
  return text.replace(/[\uDC00-\uDDFF]/gu, (unit) => shifted(unit, STAND_IN - RAW));
}

/**
 * @param encoding the client's, for the error
 * @returns undefined where the text is not PostgreSQL's SQL
 * @throws ProxyError PGC_ENCODING where a name is not certain
 */
export function readText(text: string, encoding: string): readonly Statement[] | undefined {
  if (!hasRaw(text)) return readStatements(text);
  const sql = parsable(text);
  const bytes = Buffer.from(sql);
  const lexer = new Lexer(bytes, 'standard');
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next())
    if (kind === 'word' || kind === 'name') checkName(bytes, lexer, encoding);
  return restored(readStatements(sql));
}

function checkName(text: Buffer, { kind, hasEscapes, start, end }: Lexer, encoding: string): void {
  // An escape can spell what stands in for another character.
  if (kind === 'name' && hasEscapes && STANDS_IN.test(text.toString('latin1', start, end)))
    throw new ProxyError('PGC_ENCODING', {
      what: 'escapes in names beside characters beyond ASCII',
      encoding,
    });
  // The parser cuts a name after 63 bytes, which need not be where the server does.
  if (end - start > 63) throw new ProxyError('PGC_ENCODING', { what: 'a long name beyond ASCII', encoding });
}

/** The end of an escape: four digits of it. */
const STANDS_IN = /0[67][0-9a-f]{2}/i;

/** The same with raw characters in all texts in it. */
function restored<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(/[\u0600-\u07ff]/g, (unit) => shifted(unit, RAW - STAND_IN));
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]));
}

function shifted(unit: string, distance: number): string {
  return String.fromCharCode(unit.charCodeAt(0) + distance);
}
