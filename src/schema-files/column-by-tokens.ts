/** Reads a column of a list: its name, and of what stands after its type what matters to keys. */
import type { Cursor } from './cursor.js';
import type { FileColumn, FileKey } from './definition.js';
import { readReferences } from './references-by-tokens.js';

interface Into {
  readonly columns: FileColumn[];
  primaryKey: readonly string[] | undefined;
  readonly keys: FileKey[];
}

/** Ends before the comma or the parenthesis after the column. */
export function readColumn(at: Cursor, into: Into): void {
  const name = at.name();
  if (name === undefined) return;
  let isInteger = at.isAt('INTEGER');
  let [notNull, isPrimary] = [false, false];
  let constant: string | null = 'NULL';
  let collation: string | undefined;
  let constraint: string | undefined;
  while (!at.isAtEnd && !at.isAt(',') && !at.isAt(')')) {
    if (at.skip('CONSTRAINT')) {
      constraint = at.name();
      continue;
    }
    if (at.isAt('REFERENCES')) into.keys.push(...readReferences(at, constraint, [name]));
    else if (at.skip('NOT', 'NULL')) notNull = true;
    else if (at.skip('PRIMARY', 'KEY')) {
      isPrimary = true;
      // A quirk of SQLite: then it is no rowid (sqlite.org/lang_createtable.html, section 5).
      if (at.isAt('DESC')) isInteger = false;
    } else if (at.skip('DEFAULT')) constant = readConstant(at);
    else if (at.skip('COLLATE')) collation = at.name();
    else if (at.isAt('GENERATED') || at.isAt('IDENTITY') || at.isAt('AUTO_INCREMENT')) {
      constant = null;
      at.next();
      continue;
    } else {
      at.nextWhole();
      continue;
    }
    constraint = undefined;
  }
  into.columns.push({ name, notNull: notNull || isPrimary, isInteger, constant, collation });
  if (isPrimary) into.primaryKey = [name];
}

/** A number, a string, NULL, TRUE or FALSE, as SQL; null for all else. */
function readConstant(at: Cursor): string | null {
  const isInParentheses = at.skip('(');
  const sign = at.skip('-') ? '-' : '';
  at.skip('+');
  const { token } = at;
  if (token === undefined) return null;
  const constant = constantOf(token.kind, token.text);
  if (constant === null) {
    if (isInParentheses) skipToClosing(at);
    else at.nextWhole();
    return null;
  }
  at.next();
  const fraction = token.kind === 'number' && at.skip('.') ? `.${at.next()?.text ?? ''}` : '';
  const isAll = isInParentheses ? at.skip(')') : !at.isAt('(') && !at.isAt('.') && !isOperator(at);
  if (!isAll && isInParentheses) skipToClosing(at);
  return isAll ? `${sign}${constant}${fraction}` : null;
}

function constantOf(kind: string, text: string): string | null {
  if (kind === 'number') return text;
  if (kind === 'string') return text.includes('\\') ? null : `'${text.replaceAll("'", "''")}'`;
  if (kind === 'word' && /^(?:null|true|false)$/i.test(text)) return text.toUpperCase();
  return null;
}

function isOperator(at: Cursor): boolean {
  return ['+', '-', '*', '/', '|', '%', ':'].some((sign) => at.isAt(sign));
}

function skipToClosing(at: Cursor): void {
  while (!at.isAtEnd && !at.skip(')')) at.nextWhole();
}
