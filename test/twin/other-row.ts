/** A rule that several rows break is reported for another one, as a SET key has put them in another order. */
import { namedRow, referencedRows, violators, withoutRow } from './referenced-rows.js';
import { alike, type Run } from './run.js';
import { type Key, type Schema, setsColumns } from './schema.js';

/**
 * Whether both sides' answers are the same but for which row of a table is referenced still, that row breaks the rule on either
 * side, and a SET key had changed both rows: an earlier statement of the same program has deleted something, and both rows
 * referenced what is there.
 * @param at the step that was answered differently
 * @param key the rule that is broken
 */
export function brokenByOtherRow(native: Run, proxied: Run, at: number, key: Key, { keys }: Schema): boolean {
  const [told, other] = [native.answers[at] ?? [], proxied.answers[at] ?? []];
  if (!alike(told.map(withoutRow), other.map(withoutRow))) return false;
  const earlier = [...native.answers.slice(0, at).flat(), ...told];
  if (!earlier.some((answer) => HAS_DELETED.test(answer))) return false;
  const rows = [told, other].flatMap((answers) => violators(key, namedRow(answers)));
  const [first, second] = rows;
  if (rows.length !== 2 || first === undefined || second === undefined || first === second) return false;
  return keys.some(
    (set) =>
      setsColumns(set.action) &&
      set.from.table === key.to.table &&
      rows.every((row) => referencedRows(row, set).length > 0),
  );
}

const HAS_DELETED = /^C (?:DELETE|MERGE) [1-9]/;
