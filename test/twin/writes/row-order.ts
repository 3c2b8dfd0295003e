/** Rows that SET keys of an earlier DELETE have changed are returned in another order. */
import { alike, type Run } from '../run.js';
import { type Schema, setsColumns } from '../schema.js';
import { writtenRelations } from './write-forms.js';
import type { WriteSpec } from './write-spec.js';

/**
 * Whether both sides' answers are the same but for the order of the rows, after a DELETE that has taken some, and several SET keys of the
 * table that is written may have changed its rows: natively one after the other, and here in one UPDATE.
 * @param at the step that was answered differently
 */
export function returnsInOtherOrder(
  native: Run,
  proxied: Run,
  at: number,
  schema: Schema,
  spec: WriteSpec,
): boolean {
  const [one, other] = [native, proxied].map(({ answers }) => answers[at] ?? []) as [
    readonly string[],
    readonly string[],
  ];
  const isBehind = native.answers
    .slice(0, at + 1)
    .some((each) => each.some((answer) => HAS_DELETED.test(answer)));
  if (spec.form !== 'delete, then write' || !isBehind || !alike(native.left, proxied.left)) return false;
  const places = (answers: readonly string[]) => answers.map((each) => (each.startsWith('D ') ? 'D' : each));
  if (!alike(places(one), places(other)) || !alike([...one].sort(), [...other].sort())) return false;
  return writtenRelations(schema, spec).some(({ table }) => {
    const setting = schema.keys.filter(
      ({ from, action }) => from.table.root === table.root && setsColumns(action),
    );
    return setting.length > 1;
  });
}

const HAS_DELETED = /^C (?:DELETE|MERGE) [1-9]/;
