/** Rows that a BEFORE DELETE trigger keeps, and those that stay with them. */
import { namedRow, referencedRows, violators } from './referenced-rows.js';
import type { Key, Row, Schema } from './schema.js';

/**
 * Whether the row that the answers name stays: a trigger keeps it, or one from which it would have been deleted.
 * @param key the rule that it is said to break, if it went
 */
export function wouldBeKept(key: Key, answers: readonly string[], schema: Schema): boolean {
  const kept = keptRows(schema);
  const named = violators(key, namedRow(answers));
  return named.length > 0 && named.every((row) => kept.has(row));
}

function keptRows({ tables, keys }: Schema): ReadonlySet<Row> {
  const kept = new Set(
    tables.flatMap((table) =>
      table.trigger === 'keeps' ? table.rows.filter(({ id }) => id === table.kept) : [],
    ),
  );
  const cascading = keys.filter(({ action }) => action === 'CASCADE');
  // A set grows while it is gone through.
  for (const row of kept)
    for (const key of cascading)
      for (const child of key.from.table.rows) if (referencedRows(child, key).includes(row)) kept.add(child);
  return kept;
}
