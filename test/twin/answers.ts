/** Answers in words that are equal where two servers said the same: object ids of a database's own become names. */
import type { Message } from './connection.js';

/** Names for the object ids of tables and of their row types. */
export type Names = ReadonlyMap<number, string>;

/** An error's context, and where it stands in the server's source, tell how PostgreSQL cascades. */
const LEFT_OUT = 'WFLR';

/** `C DELETE 1`, `D 1|x`, `Z I`. */
export function inWords({ type, body }: Message, names: Names): string {
  switch (type) {
    case 'T':
      return `T ${columnsOf(body, names).join(' ')}`;
    case 'D':
      return `D ${valuesOf(body).join('|')}`;
    case 'E':
    case 'N':
      return `${type} ${fieldsOf(body).join(' ')}`;
    case 'd':
      return `d ${body.toString('latin1')}`;
    default:
      return `${type} ${body.toString('utf8').replaceAll('\0', '.')}`.trim();
  }
}

/** The proxy's own error that a message is, by its name. */
export function refusalOf({ type, body }: Message): string | undefined {
  return type === 'E' ? /pgcascade reports (PGC_\w+)/.exec(body.toString('utf8'))?.[1] : undefined;
}

function fieldsOf(body: Buffer): string[] {
  return body
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '' && !LEFT_OUT.includes(field[0] ?? ''))
    .map((field) => `${field[0]}=${field.slice(1)}`)
    .sort();
}

function valuesOf(body: Buffer): string[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4 + Math.max(length, 0);
    return length < 0 ? 'NULL' : printable(body.subarray(at - length, at));
  });
}

function printable(bytes: Buffer): string {
  return bytes.some((byte) => byte < 32) ? `\\x${bytes.toString('hex')}` : bytes.toString('utf8');
}

/** name:type,size,modifier/format, and @table.number where the column is one of a table's. */
function columnsOf(body: Buffer, names: Names): string[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE(0) }, () => {
    const end = body.indexOf(0, at);
    const name = body.toString('utf8', at, end);
    const table = body.readUInt32BE(end + 1);
    const place = table === 0 ? '' : `@${named(table, names)}.${body.readInt16BE(end + 5)}`;
    const rest = [
      named(body.readUInt32BE(end + 7), names),
      body.readInt16BE(end + 11),
      body.readInt32BE(end + 13),
    ];
    at = end + 19;
    return `${name}:${rest.join(',')}/${body.readInt16BE(end + 17)}${place}`;
  });
}

/** What was made by the statement itself has no name that is known. */
function named(oid: number, names: Names): string {
  return names.get(oid) ?? (oid < FIRST_OWN ? String(oid) : 'new');
}

/** Object ids below it are the same in every database. */
const FIRST_OWN = 16384;
