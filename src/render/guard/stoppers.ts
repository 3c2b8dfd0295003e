/** CTEs that write nothing, and stop a statement which does not itself read whether all keys hold. */
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { WritingQuery } from '../../sql/statement/statement.js';
import { afterParts } from '../after-parts.js';
import { ownName } from '../own-names.js';
import type { ResultShape } from '../single/render.js';
import { type Edit, insertion } from '../splice.js';
import type { Guarded } from './guarded.js';

/** `pgc_h`: whether all keys hold. */
export const HOLDS = ownName('h');

/**
 * The statement itself stays as it is, and a CTE that writes no rows looks at what the others have written:
 *
 *     pgc_h (h) AS (SELECT …), pgc_k0 AS (INSERT INTO posts SELECT WHERE NOT (SELECT h FROM pgc_h))
 *
 * A condition is true, or fails. The server executes them, as it does every CTE that changes rows, whether or not anything reads from
 * it. They write where the client writes anyway, so they need no other right and fire no other trigger. There is one for
 * each of these tables, as PostgreSQL looks at no condition where it knows beforehand that a table has no rows to change.
 *
 * @param holds the CTE `pgc_h`
 */
export function withoutMain(
  parts: readonly Guarded[],
  holds: string,
  query: WritingQuery,
): { readonly edits: readonly Edit[]; readonly shape: ResultShape } {
  const inserting = parts.find(({ site }) => site.write.inserts);
  const writes = (inserting ? [inserting] : parts).map((part) =>
    writesWhere(part, `NOT (SELECT h FROM ${HOLDS})`),
  );
  const stoppers = [...new Set(writes)].map((sql, i) => `, ${ownName(`k${i}`)} AS (${sql})`);
  return {
    edits: [insertion(afterParts(parts, query), `, ${holds}${stoppers.join('\n')}\n`)],
    shape: { kind: 'as sent' },
  };
}

/**
 * `INSERT INTO posts SELECT WHERE false`, `UPDATE posts SET author = DEFAULT WHERE false`: writes nothing, and takes the rights and fires
 * the triggers of the statement that the client's is.
 */
export function writesWhere({ site: { write } }: Guarded, condition: string): string {
  const target = quoteRelation(write.target);
  if (write.inserts) return `INSERT INTO ${target} SELECT WHERE ${condition}`;
  const sets = [...new Set(write.sets)].map((column) => `${quoteName(column)} = DEFAULT`);
  return `UPDATE ${target} SET ${sets.join(', ')} WHERE ${condition}`;
}
