/** Of a rule that a DELETE breaks and one that a write beside it breaks, the other one is named here. */
import type { BrokenRule } from '../broken-rule.js';
import { type Key, type Schema, setsColumns, setsValues } from '../schema.js';
import { isIn } from './other-part.js';
import { besideDeleteWrites } from './write-forms.js';
import type { WriteSpec } from './write-spec.js';

/**
 * Whether one side names what a new row breaks, and the other side what the DELETE breaks: natively both are checked in the order of the
 * rows, and here all that is written comes first.
 * @param one what is natively broken
 * @param other what the proxy says is broken
 */
export function brokenBeside(one: BrokenRule, other: BrokenRule, schema: Schema, spec: WriteSpec): boolean {
  if (one.key === other.key && one.unreferenced === other.unreferenced) return false;
  const written = besideDeleteWrites(schema, spec);
  if (written === undefined) return false;
  const isOfWrite = (rule: BrokenRule) =>
    isIn(written, rule.table) && (rule.key ? rule.unreferenced : rule.code !== FOREIGN_KEY);
  return [
    [one, other],
    [other, one],
  ].some(([each, another]) => each && another && isOfWrite(each) && isOfDelete(another, schema));
}

/** A row is still referenced; or a SET key has set what is not there, or NULL where none may be. */
function isOfDelete({ code, key, table, unreferenced }: BrokenRule, { keys }: Schema): boolean {
  if (key) return !unreferenced || setsValues(key);
  const sets = ({ action, from }: Key) => setsColumns(action) && isIn(from, table);
  return code === NOT_NULL && keys.some(sets);
}

const FOREIGN_KEY = '23503';
const NOT_NULL = '23502';
