/** Of a rule that a DELETE breaks and one that a write beside it breaks, the other one is named here. */
import type { BrokenRule } from '../broken-rule.js';
import { type Key, type Schema, setsColumns, setsValues } from '../schema.js';
import { keysOf } from './new-rows.js';
import { isIn } from './other-part.js';
import { besideDeleteWrite } from './write-forms.js';
import { setsReferenced, type WriteSpec } from './write-spec.js';
import { writtenRelation } from './written.js';

/**
 * Whether one side names what a new row breaks, and the other side what the DELETE breaks. Natively both are checked in the order of the
 * rows. Here new keys come before what is still referenced and what SET DEFAULT has set; what the server itself raises when it
 * changes a row may come before either; and a write whose keys nobody looks at comes after the DELETE where nobody reads from it.
 * @param one what is natively broken
 * @param other what the proxy says is broken
 */
export function brokenBeside(one: BrokenRule, other: BrokenRule, schema: Schema, spec: WriteSpec): boolean {
  if (one.key === other.key && one.unreferenced === other.unreferenced) return false;
  const write = besideDeleteWrite(spec);
  if (write === undefined) return false;
  const written = writtenRelation(schema, write);
  const isOfWrite = (rule: BrokenRule) =>
    isIn(written, rule.table) && (rule.key ? rule.unreferenced : rule.code !== FOREIGN_KEY);
  if (isOfDelete(one, schema) && isOfWrite(other) && other.key !== undefined) return true;
  if (!isOfWrite(one) || !isOfDelete(other, schema)) return false;
  return other.code === NOT_NULL || (one.key === undefined && !isLookedAt(schema, write));
}

/**
 * Whether a MERGE natively meets a row that the DELETE has taken already, and here the DELETE breaks a rule before the MERGE, whose
 * keys nobody looks at, is carried out.
 * @param told the native error
 * @param other what the proxy says is broken
 */
export function mergesDeleted(
  told: string | undefined,
  other: BrokenRule,
  schema: Schema,
  spec: WriteSpec,
): boolean {
  const write = besideDeleteWrite(spec);
  if (write?.form !== 'merge writes' || !told?.startsWith('E C=21000 ')) return false;
  return isOfDelete(other, schema) && !isLookedAt(schema, write);
}

/** A row is still referenced; or a SET key has set what is not there, or NULL where none may be. */
function isOfDelete({ code, key, table, unreferenced }: BrokenRule, { keys }: Schema): boolean {
  if (key) return !unreferenced || setsValues(key);
  const sets = ({ action, from }: Key) => setsColumns(action) && isIn(from, table);
  return code === NOT_NULL && keys.some(sets);
}

/** Whether the proxy looks at keys of the rows that are written, for which it reads them before it says what is broken. */
function isLookedAt(schema: Schema, write: WriteSpec): boolean {
  const setsNone = write.form.startsWith('update') && (write.sets === 'note' || setsReferenced(write));
  if (schema.overridden || setsNone || write.form === 'default values') return false;
  return keysOf(schema, writtenRelation(schema, write).table).length > 0;
}

const FOREIGN_KEY = '23503';
const NOT_NULL = '23502';
