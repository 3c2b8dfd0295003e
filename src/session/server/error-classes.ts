/** What kind of failure an error of the server's is, by the class of its SQLSTATE. */
import type { Family } from '../../profiles/families/family.js';
import { type ErrorFields, Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';

/** Whether an error says that the server does not know what it was sent: not that it could not do it. */
export function isLanguage(error: Message): boolean {
  const code = readErrorFields(error).get(Field.code) ?? '';
  return code !== '42501' && !/^(?:08|25|28|40|53|54|55|57|58|XX)/.test(code);
}

/** Whether an error has the class that PostgreSQL has for mistakes of its own, and other servers for anything. */
export function isInternal(error: Message): boolean {
  return (readErrorFields(error).get(Field.code) ?? '').startsWith('XX');
}

/** Whether an error says that the server does not allow something, or not to this role: locking rows takes the right to UPDATE. */
export function isForbidden(error: Message): boolean {
  return /^(?:42|0A)/.test(readErrorFields(error).get(Field.code) ?? '');
}

/** Whether PostgreSQL itself has such an error for what it does not know: a syntax error; no such function, column, table or object. */
export function isUnknownToPostgres(error: Message): boolean {
  return /^42(?:601|883|703|P01|704)$/.test(readErrorFields(error).get(Field.code) ?? '');
}

/** Whether a server that is not PostgreSQL does not know what it was asked: by the class of its error, or by the words, as DuckDB has no classes. */
export function isUnknownThere(error: Message): boolean {
  const fields = readErrorFields(error);
  const code = fields.get(Field.code) ?? '';
  if (/^42/.test(code)) return code !== '42501';
  return /^(?:Catalog|Binder|Parser) Error/.test(fields.get(Field.message) ?? '');
}

/** Whether the same statement may succeed after an error, by what its family says: serialization failures and deadlocks, by SQLSTATE or by their words. */
export function passes(error: ErrorFields, { retried }: Family): boolean {
  const [code, message] = [error.get(Field.code) ?? '', error.get(Field.message) ?? ''];
  return retried.some((each) => each === code || message.includes(each));
}
