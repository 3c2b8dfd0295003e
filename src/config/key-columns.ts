import { quote, ValueError } from './values/values.js';

/** One side of a foreign key. Names are as the catalog has them: folded, without quotes. */
export interface KeyColumns {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** NAMEDATALEN - 1: what the catalog can hold. */
const LONGEST_NAME_BYTES = 63;

const IDENTIFIER = String.raw`"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*`;
const KEY = new RegExp(
  String.raw`^\s*(${IDENTIFIER})\s*\.\s*(${IDENTIFIER})\s*\(\s*((?:${IDENTIFIER})(?:\s*,\s*(?:${IDENTIFIER}))*)\s*\)\s*$`,
);

/**
 * Takes `schema.table(column, …)`, written as in SQL: `"My Schema"."T x"("a b")`.
 * @throws ValueError
 */
export function parseKeyColumns(text: string): KeyColumns {
  const [, schema, table, columns] = KEY.exec(text) ?? [];
  if (schema === undefined || table === undefined || columns === undefined) {
    // YAML's { } ends a text at its first comma.
    const cut = text.includes('(') && !text.includes(')') ? '; a text with a comma needs quotes here' : '';
    throw new ValueError(`${quote(text)} is not of the form schema.table(column, …)${cut}`);
  }
  return {
    schema: name(schema),
    table: name(table),
    columns: Array.from(columns.matchAll(new RegExp(IDENTIFIER, 'g')), ([column]) => name(column)),
  };
}

/** PostgreSQL folds ASCII only in a multi-byte encoding: scansup.c, downcase_identifier. */
function name(identifier: string): string {
  const plain = identifier.startsWith('"')
    ? identifier.slice(1, -1).replaceAll('""', '"')
    : identifier.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return checkName(plain);
}

/**
 * Takes a name of the catalog and gives it back.
 * @throws ValueError where it is empty or longer than a name can be, and so could never be found.
 */
export function checkName(plain: string): string {
  if (plain === '') throw new ValueError('"" is not a name');
  if (Buffer.byteLength(plain) > LONGEST_NAME_BYTES) {
    throw new ValueError(`${quote(plain)} is longer than ${LONGEST_NAME_BYTES} bytes`);
  }
  return plain;
}
