/**
 * The steps of one page, which is one transaction: no more rows are found than it may have, from the client's own down; those
 * with nothing below them that stays are then deleted, from the leaves up.
 */
import type { Deletion, Plan } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import { arrayOf, bounded } from '../ordered/collecting.js';
import { type Collecting, type Step, stepOf } from '../ordered/step.js';
import { deleteRows } from '../ordered/writing.js';
import { references } from '../single/actions/match.js';
import { columnName, deletedRows, isAmong, tableOf } from '../single/actions/rows.js';
import { renderRules } from '../single/checks/checks.js';
import { FAIL_ROW_KEPT, FAIL_SUSPICION } from '../violations.js';
import { findCycle } from './cycle-page.js';
import type { PagedPlan, PageNode } from './paged-plan.js';

/**
 * Finds the rows of a node that reference rows which are held, one more than a page may have at the most: so it is known whether
 * there are more.
 *
 *     WITH pgc_0 (pgc_c0) AS (SELECT u.* FROM ROWS FROM (unnest($1)) AS u)
 *     SELECT a.* FROM (SELECT coalesce(array_agg(l.pgc_c0), '{}') FROM (SELECT r.id FROM ONLY posts AS r
 *       WHERE r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d)) LIMIT 2501 FOR UPDATE) AS l (pgc_c0)) AS a (pgc_a0)
 *     WHERE CASE WHEN pg_column_size(a.pgc_a0) <= 67108864 THEN true ELSE concat('pgcascade/…/keysTooLarge')::int4 = 0 END
 */
export function findPage(plan: Plan, node: PageNode, rows: number): Collecting {
  const [deletion] = node.deletions;
  if (deletion === undefined) throw new Error('a node has a deletion');
  if (node.kind === 'cycle') return findCycle(plan, node.deletions, rows);
  const { returns, keys, relation } = deletion;
  const columns = returns.map((column) => `r.${quoteName(column)}`).join(', ');
  const names = returns.map((_, i) => columnName(i)).join(', ');
  const reached = keys
    .map((key) => `(${references(key, 'r', deletedRows(plan, key.referenced))})`)
    .join(' OR ');
  const found = `SELECT ${columns} FROM ${tableOf(relation)} AS r WHERE ${reached}\nLIMIT ${rows + 1} FOR UPDATE`;
  const arrays = returns.map((_, i) => arrayOf(i)).join(', ');
  const body = bounded(`SELECT ${arrays} FROM (${found}) AS l (${names})`, returns.length);
  return { ...stepOf(plan, body), collects: [deletion.id] };
}

/**
 * All rules, of the rows that the page takes: others may have written since they were asked of all.
 * @param plan without the deletions that stand for changes
 */
export function askRules(plan: Plan): readonly Step[] {
  const { ctes, conditions } = renderRules(plan, false);
  return conditions.length === 0 ? [] : [stepOf(plan, `SELECT WHERE ${conditions.join('\n AND ')}`, ctes)];
}

/** What deletes or changes the rows of the page, from the leaves up. */
export function writePage({
  plan,
  nodes,
}: PagedPlan): readonly { readonly node: number; readonly step: Step }[] {
  return nodes
    .flatMap((node, i) =>
      node.deletions.map((deletion) => ({
        node: i,
        step: node.key ? setNull(plan, deletion, node.key.setColumns) : deleteRows(plan, deletion),
      })),
    )
    .toReversed();
}

/**
 * `WITH pgc_3 (…) AS (…) UPDATE ONLY notes AS r SET author = NULL WHERE EXISTS (SELECT FROM pgc_3 AS g WHERE g.pgc_c0 = r.id)`: the
 * rows were locked when they were found, and still reference what is held.
 */
function setNull(plan: Plan, deletion: Deletion, columns: readonly string[]): Step {
  const { relation } = deletion;
  const set = columns.map((column) => `${quoteName(column)} = NULL`).join(', ');
  return stepOf(
    plan,
    `UPDATE ${tableOf(relation)} AS r SET ${set} WHERE ${isAmong(relation, deletion, 'r')}`,
  );
}

/**
 * Fails the page where a row references one that it has deleted: somebody has committed that meanwhile, and the page is tried
 * again; and where a trigger has kept a row, so that no page would ever be the last one.
 *
 *     SELECT WHERE CASE WHEN EXISTS (SELECT FROM ONLY posts AS r WHERE …) THEN concat('pgcascade/…/ruleSuspected')::int4 = 0 ELSE true END
 */
export function endPage(plan: Plan): Step | undefined {
  const fails = (found: string, fail: string) =>
    `CASE WHEN EXISTS (${found}) THEN ${fail} OPERATOR(pg_catalog.=) 0 ELSE true END`;
  const late = plan.keys
    .filter(({ enforcedByServer, referencing }) => !enforcedByServer && !referencing.mayKeepRows)
    .map((key) => {
      const left = references(key, 'r', deletedRows(plan, key.referenced));
      return fails(`SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${left}`, FAIL_SUSPICION);
    });
  const kept = plan.deletions
    .filter(({ relation }) => relation.mayKeepRows)
    .map((deletion) => {
      const { relation, inherits } = deletion;
      const table = inherits ? quoteRelation(relation) : tableOf(relation);
      return fails(`SELECT FROM ${table} AS r WHERE ${isAmong(relation, deletion, 'r')}`, FAIL_ROW_KEPT);
    });
  const conditions = [...late, ...kept];
  return conditions.length === 0 ? undefined : stepOf(plan, `SELECT WHERE ${conditions.join('\n AND ')}`);
}
