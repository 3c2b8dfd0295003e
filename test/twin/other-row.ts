/** A rule that several rows break is reported for another one, as a SET key has put them in another order. */
import { alike, type Run } from './run.js';
import { type Key, type Row, type Schema, setsColumns, type Table, targetColumns } from './schema.js';
import { literal } from './values.js';

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
  const rows = [told, other].flatMap((answers) => violators(key, rowOf(answers)));
  const [first, second] = rows;
  if (rows.length !== 2 || first === undefined || second === undefined || first === second) return false;
  return keys.some(
    (set) =>
      setsColumns(set.action) && set.from.table === key.to.table && rows.every((row) => references(row, set)),
  );
}

/** A rule is broken that has to hold when rows go: `Key (id)=(2) is still referenced from table "t0".` */
const REFERENCED = /^(E C=23\w+ D=Key \(.*?\)=\()(.*)(\) is (?:still )?referenced from table .*)$/;
const HAS_DELETED = /^C (?:DELETE|MERGE) [1-9]/;

function withoutRow(answer: string): string {
  return answer.replace(REFERENCED, '$1$3');
}

function rowOf(answers: readonly string[]): string | undefined {
  return answers.map((answer) => REFERENCED.exec(answer)?.[2]).find((row) => row !== undefined);
}

/** The rows with this value of what the key references, as far as something references them by the key. */
function violators({ from, to, target, columns }: Key, value: string | undefined): readonly Row[] {
  return to.table.rows.filter((row) => {
    const values = valuesOf(to.table, target, row);
    const referencing = from.table.rows.some((child) =>
      alike(referenced(from.table, columns, child), values),
    );
    return values.join(', ') === value && referencing;
  });
}

/** Whether a row references by this key a row that is there. */
function references(row: Row, { from, to, target, columns }: Key): boolean {
  const wanted = referenced(from.table, columns, row);
  return to.table.rows.some((parent) => alike(valuesOf(to.table, target, parent), wanted));
}

function valuesOf(table: Table, target: Key['target'], { id, code, pair }: Row): readonly string[] {
  const values = { id: [id], code: [code], pair }[target];
  return targetColumns(table, target).map(({ type }, i) => {
    const value = values[i];
    return value === null || value === undefined ? 'NULL' : unquoted(literal(type, value));
  });
}

function referenced({ keyColumns }: Table, columns: readonly string[], row: Row): readonly string[] {
  return columns.map((name) => {
    const column = keyColumns.find((each) => each.name === name);
    // No value is written like this.
    return unquoted((column && row.references.get(column)) ?? '-');
  });
}

/** A literal as errors show its value. Where it is shown in another way nothing is found, and the difference is none that is known. */
function unquoted(sql: string): string {
  return /^'(.*)'$/.exec(sql)?.[1] ?? sql;
}
