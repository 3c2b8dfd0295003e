/** Keys as literals of SQL, and conditions that compare columns with many of them. */
import type { KeyTransport, PlainSql } from '../../profiles/families/family.js';
import { quoteName } from '../../sql/names.js';

/** The key of a row: a literal for each of its columns; null where the row has NULL there. */
export type Key = readonly (string | null)[];

/** What of a family decides how literals and lists of them are written. */
export interface LiteralForm {
  readonly plain: PlainSql;
  readonly transport: KeyTransport;
}

/** Types whose text format may not have the exact value: bytea, float4 and float8 (pg_type.dat). */
const INEXACT: ReadonlySet<number> = new Set([17, 700, 701]);
/** int2, int4, int8 and numeric. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 1700]);

/**
 * A value that the server has sent as text: a number as it came, others in quotes.
 * @param type the object id of its type, as the server describes it
 * @returns undefined where no literal is certain to be the same value
 */
export function literalOf(text: string, type: number, { backslashes }: PlainSql): string | undefined {
  if (INEXACT.has(type)) return undefined;
  if (NUMBERS.has(type) && /^-?\d+(?:\.\d+)?$/.test(text)) return text;
  const quoted = text.replaceAll("'", "''");
  if (!text.includes('\\') || backslashes === 'plain') return `'${quoted}'`;
  return backslashes === 'escaped' ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : undefined;
}

/** The keys in lists, each with as many keys as one statement may have. */
export function chunksOf(keys: readonly Key[], { transport }: LiteralForm): readonly (readonly Key[])[] {
  const size = (keys[0]?.length ?? 1) > 1 ? transport.rowChunk : transport.chunk;
  const chunks: (readonly Key[])[] = [];
  for (let at = 0; at < keys.length; at += size) chunks.push(keys.slice(at, at + size));
  return chunks;
}

/**
 * `"order_id" IN (1, 2)`, or of several columns what the family has for it:
 *
 *     ("a", "b") IN ((1, 'x'), (2, 'y'))
 *     ("a", "b") IN (VALUES (1, 'x'), (2, 'y'))
 *     ("a" = 1 AND "b" = 'x' OR "a" = 2 AND "b" = 'y')
 *
 * @param keys one list of them (`chunksOf`); none has a null
 */
export function inList(columns: readonly string[], keys: readonly Key[], { plain }: LiteralForm): string {
  const names = columns.map(quoteName);
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return `${only} IN (${keys.map(([key]) => key).join(', ')})`;
  switch (plain.rows) {
    case 'list':
      return `(${names.join(', ')}) IN (${keys.map(row).join(', ')})`;
    case 'values':
      return `(${names.join(', ')}) IN (VALUES ${keys.map(row).join(', ')})`;
    case 'conditions': {
      const one = (key: Key) => names.map((name, i) => `${name} = ${key[i]}`).join(' AND ');
      return `(${keys.map(one).join(' OR ')})`;
    }
  }
}

/** As `inList` for any number of keys, in one condition; `1 = 0` for none. */
export function inLists(columns: readonly string[], keys: readonly Key[], form: LiteralForm): string {
  const lists = chunksOf(keys, form).map((chunk) => inList(columns, chunk, form));
  return lists.length === 0 ? '1 = 0' : `(${lists.join(' OR ')})`;
}

function row(key: Key): string {
  return `(${key.join(', ')})`;
}
