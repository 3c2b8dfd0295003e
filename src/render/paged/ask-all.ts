/** Asks before the first page whether any rule is broken by any row that the pages will take, and how many rows are the client's. */
import type { Plan } from '../../plan/plan.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { renderDeletions } from '../single/actions/deletions.js';
import { cteName } from '../single/actions/rows.js';
import { renderRules } from '../single/checks/checks.js';
import { meaningHolds } from '../single/meaning.js';
import { addedColumns, type Root, rootHeader, spliceNamed } from '../single/root.js';
import { insertion, type Spliced } from '../splice.js';

/**
 * The client's DELETE as a SELECT, and all that hangs on its rows, only read:
 *
 *     WITH pgc_0 (pgc_c0) AS (SELECT users.id FROM users WHERE id = 1), pgc_1 (pgc_c0) AS (SELECT r.id FROM ONLY posts AS r WHERE …)
 *     SELECT (SELECT count(*) FROM pgc_0) WHERE CASE WHEN EXISTS (…) THEN (…)::int4 IS NULL ELSE true END
 *
 * @param plan with what tells all rows apart
 */
export function askAll(text: string, statement: DeletingStatement, root: Root, plan: Plan): Spliced {
  const { selection, start, end, hasWith } = statement;
  if (!selection) throw new Error('no SELECT can be put in the place of the statement');
  const { ctes, conditions } = renderRules(plan, false);
  const read = conditions.length > 0 ? [...renderDeletions(plan, () => 'read'), ...ctes] : [];
  const all = [meaningHolds(root), ...conditions].join('\n AND ');
  const count = `SELECT (SELECT pg_catalog.count(*) FROM ${cteName(root.deletion.id)}) WHERE ${all}`;
  const edits = [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${rootHeader(root)}\n`),
    { ...selection.verb, sql: `SELECT ${addedColumns(root).join(', ')}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    { start: selection.end, end, sql: `\n)${read.map((cte) => `,\n${cte}`).join('')}\n${count}` },
  ];
  return spliceNamed(text.slice(0, end), edits, [root]);
}
