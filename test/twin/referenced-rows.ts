/** Which rows of a generated schema reference which, and which of them an error names. */
import { alike } from './run.js';
import { type Key, type Row, type Table, targetColumns } from './schema.js';
import { literal } from './values.js';

/** A rule is broken that has to hold when rows go: `Key (id)=(2) is still referenced from table "t0".` */
const REFERENCED = /^(E C=23\w+ D=Key \(.*?\)=\()(.*)(\) is (?:still )?referenced from table .*)$/;

/** An answer, but for which row it says is referenced still. */
export function withoutRow(answer: string): string {
  return answer.replace(REFERENCED, '$1$3');
}

/** What the answers say is referenced still: the value of its key. */
export function namedRow(answers: readonly string[]): string | undefined {
  return answers.map((answer) => REFERENCED.exec(answer)?.[2]).find((row) => row !== undefined);
}

/** The rows with this value of what the key references, as far as something references them by the key. */
export function violators({ from, to, target, columns }: Key, value: string | undefined): readonly Row[] {
  return to.table.rows.filter((row) => {
    const values = valuesOf(to.table, target, row);
    const referencing = from.table.rows.some((child) =>
      alike(referenced(from.table, columns, child), values),
    );
    return values.join(', ') === value && referencing;
  });
}

/** The rows that are there which a row references by this key: one, or none. */
export function referencedRows(row: Row, { from, to, target, columns }: Key): readonly Row[] {
  const wanted = referenced(from.table, columns, row);
  return to.table.rows.filter((parent) => alike(valuesOf(to.table, target, parent), wanted));
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
