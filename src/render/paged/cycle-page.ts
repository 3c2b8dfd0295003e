/**
 * The part of a cycle that one page takes: of a tree the deepest rows, below which there is nothing. So a run that is
 * interrupted has deleted leaves, however deep the tree is.
 */
import type { Deletion, Plan } from '../../plan/plan.js';
import { quoteName } from '../../sql/names.js';
import { arrayOf, bounded } from '../ordered/collecting.js';
import { type Collecting, stepOf } from '../ordered/step.js';
import { ownName } from '../own-names.js';
import { hasPlace, renderSearch, renderStep, searchName, searchOf } from '../single/actions/deletions.js';
import { columnName, tableOf } from '../single/actions/rows.js';

/** Columns before the arrays. */
const FLAGS = 3;

/**
 * Gives three flags before the arrays: whether the rows go together or not at all, whether there are more of them, and whether they reference
 * each other in a circle. `pgc_r1` is all that the cycle takes; `pgc_w` counts how far each row is from where it begins, by the longest way. A way longer than there are rows
 * goes round: then the rows which nothing references are taken, or all of them where they are no more than a page.
 *
 *     WITH pgc_0 (pgc_c0) AS (…), pgc_r1 AS (WITH RECURSIVE …),
 *     pgc_n AS (SELECT count(*) AS n FROM pgc_r1),
 *     pgc_w AS (WITH RECURSIVE pgc_w (tableoid, ctid, depth) AS (
 *       SELECT e.tableoid, e.ctid, 0::int8 FROM (…) AS e
 *       UNION SELECT n.tableoid, n.ctid, g.depth + 1 FROM pgc_w AS g CROSS JOIN LATERAL (…) AS n WHERE g.depth < (SELECT n FROM pgc_n))
 *       SELECT tableoid, ctid, max(depth) AS depth FROM pgc_w GROUP BY tableoid, ctid),
 *     pgc_k AS (SELECT n, (SELECT max(depth) FROM pgc_w) >= n AS round FROM pgc_n),
 *     pgc_l AS (SELECT g.* FROM pgc_w AS g, pgc_k AS k WHERE NOT k.round OR k.n <= 2500 OR NOT EXISTS (…) ORDER BY g.depth DESC LIMIT 2500)
 *     SELECT a.* FROM (SELECT k.round AND k.n <= 2500, k.n > (SELECT count(*) FROM pgc_l), k.round, l1.* FROM pgc_k AS k, (…) AS l1) AS a WHERE …
 */
export function findCycle(plan: Plan, deletions: readonly Deletion[], rows: number): Collecting {
  const cycle = deletions[0]?.cycle;
  if (cycle === undefined) throw new Error('the deletions are of no cycle');
  const { entries, steps } = searchOf(cycle, deletions, plan);
  const arms = steps.map(renderStep).join(' UNION ALL ');
  const [all, walk, count, kind, page] = [
    searchName(cycle),
    ...['w', 'n', 'k', 'l'].map((name) => ownName(name)),
  ];
  const single = deletions.length === 1;
  const ctes = [
    renderSearch(cycle, deletions, plan),
    `${count} AS (SELECT pg_catalog.count(*) AS n FROM ${all})`,
    `${walk} AS (WITH RECURSIVE ${walk} (tableoid, ctid, depth) AS (\n` +
      `SELECT e.tableoid, e.ctid, 0::pg_catalog.int8 FROM (${entries.join(' UNION ALL ')}) AS e` +
      `\n UNION SELECT n.tableoid, n.ctid, g.depth OPERATOR(pg_catalog.+) 1 FROM ${walk} AS g CROSS JOIN LATERAL (${arms}) AS n` +
      ` WHERE g.depth OPERATOR(pg_catalog.<) (SELECT c.n FROM ${count} AS c))` +
      `\n SELECT tableoid, ctid, pg_catalog.max(depth) AS depth FROM ${walk} GROUP BY tableoid, ctid)`,
    `${kind} AS (SELECT c.n, coalesce((SELECT pg_catalog.max(g.depth) FROM ${walk} AS g) OPERATOR(pg_catalog.>=) c.n, false)` +
      ` AND c.n OPERATOR(pg_catalog.>) 0 AS round FROM ${count} AS c)`,
    `${page} AS (SELECT g.tableoid, g.ctid, g.depth FROM ${walk} AS g CROSS JOIN ${kind} AS k` +
      ` WHERE NOT k.round OR k.n OPERATOR(pg_catalog.<=) ${rows} OR NOT EXISTS (${arms})` +
      `\n ORDER BY g.depth DESC LIMIT ${rows})`,
  ];
  const found = deletions.map(({ id, relation, returns }) => {
    const columns = [...returns.map((column) => `p.${quoteName(column)}`), 'g.depth'].join(', ');
    const names = [...returns.map((_, i) => columnName(i)), 'depth'].join(', ');
    const rowsOf =
      `SELECT ${columns} FROM ${page} AS g JOIN ${tableOf(relation)} AS p ON ${hasPlace('p', 'g')}` +
      ` ORDER BY g.depth DESC FOR UPDATE OF p`;
    return `(SELECT ${returns.map((_, i) => arrayOf(i)).join(', ')} FROM (${rowsOf}) AS l (${names})) AS l${id}`;
  });
  const isWhole = single ? `(k.round AND k.n OPERATOR(pg_catalog.<=) ${rows})` : 'true';
  const hasMore = `k.n OPERATOR(pg_catalog.>) (SELECT pg_catalog.count(*) FROM ${page})`;
  const arrays = deletions.map(({ id }) => `l${id}.*`).join(', ');
  const body = `SELECT ${isWhole}, ${hasMore}, k.round, ${arrays} FROM ${kind} AS k CROSS JOIN ${found.join(' CROSS JOIN ')}`;
  const columns = deletions.reduce((sum, { returns }) => sum + returns.length, 0);
  return { ...stepOf(plan, bounded(body, columns, FLAGS), ctes), collects: deletions.map(({ id }) => id) };
}
