/**
 * The steps of one page, which is one transaction. They find no more rows than a page may have, from the client's own down. Then they delete, from
 * the leaves up, those rows that no row outside of the page references.
 */
import type { ForeignKey } from '../../graph/model.js';
import type { Deletion, Plan } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import { arrayOf, bounded } from '../ordered/collecting.js';
import { type Collecting, type Step, stepOf } from '../ordered/step.js';
import { deleteHeld, deleteRows } from '../ordered/writing.js';
import { ownName } from '../own-names.js';
import { references } from '../single/actions/match.js';
import { columnName, deletedRows, isDeletedBy, notDeletedBy, tableOf } from '../single/actions/rows.js';
import { renderRules } from '../single/checks/checks.js';
import { FAIL_ROW_KEPT, FAIL_SUSPICION } from '../violations.js';
import { findCycle } from './cycle-page.js';
import type { PagedPlan, PageNode } from './paged-plan.js';

/**
 * Finds rows of a node that reference rows which are held: at most one more than a page may have, so that the proxy knows whether there are
 * more.
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
 * Checks all rules again for the rows of the page: other transactions may have written since the rules were checked for all rows.
 * @param plan without the deletions that stand for UPDATEs
 */
export function askRules(plan: Plan): readonly Step[] {
  const { ctes, conditions } = renderRules(plan, false);
  return conditions.length === 0 ? [] : [stepOf(plan, `SELECT WHERE ${conditions.join('\n AND ')}`, ctes)];
}

/** The steps that delete or update the rows of the page, from the leaves up. */
export function writePage({
  plan,
  nodes,
}: PagedPlan): readonly { readonly node: number; readonly step: Step }[] {
  return nodes.map((node, i) => ({ node: i, step: writeRows(plan, node) })).toReversed();
}

function writeRows(plan: Plan, { deletions, key }: PageNode): Step {
  const [deletion, ...more] = deletions;
  if (deletion === undefined) throw new Error('a node has a deletion');
  if (key) return setNull(plan, deletion, key.setColumns);
  return more.length === 0 ? deleteRows(plan, deletion) : deleteTogether(plan, deletions);
}

/**
 * Deletes the rows of a cycle in one statement: a server that enforces a key as NO ACTION checks after each statement whether a deleted row is
 * still referenced. The number in the tag is that of all tables together.
 *
 *     WITH pgc_1 (…) AS (…), pgc_2 (…) AS (…),
 *     pgc_g1 AS (DELETE FROM ONLY users AS r WHERE … RETURNING true), pgc_g2 AS (DELETE FROM ONLY teams AS r WHERE … RETURNING true)
 *     SELECT FROM pgc_g1 UNION ALL SELECT FROM pgc_g2
 */
function deleteTogether(plan: Plan, deletions: readonly Deletion[]): Step {
  const names = deletions.map(({ id }) => ownName(`g${id}`));
  const ctes = deletions.map(
    (deletion, i) => `${names[i]} AS (${deleteHeld(plan, deletion)} RETURNING true)`,
  );
  const body = names.map((name) => `SELECT FROM ${name}`).join(' UNION ALL ');
  return { ...stepOf(plan, body, ctes), takes: 'several' };
}

/**
 * `WITH pgc_3 (…) AS (…) UPDATE ONLY notes AS r SET author = NULL WHERE EXISTS (SELECT FROM pgc_3 AS g WHERE g.pgc_c0 = r.id)`: the
 * rows were locked when they were found, and still reference rows that are held. A row that the page deletes too is not updated: the
 * UPDATE would change its ctid, by which the page finds it where the table has no primary key.
 */
function setNull(plan: Plan, deletion: Deletion, columns: readonly string[]): Step {
  const { relation } = deletion;
  const set = columns.map((column) => `${quoteName(column)} = NULL`).join(', ');
  const which = [isDeletedBy(relation, deletion, 'r'), ...notDeletedBy(plan, relation, 'r')].join(' AND ');
  const update = `UPDATE ${tableOf(relation)} AS r SET ${set} WHERE ${which}`;
  return { ...stepOf(plan, update), takes: { relation, action: 'set null' } };
}

/**
 * Fails the page where a trigger has kept a row, as then no page would ever be the last one. Fails it also where a row references one that the
 * page has deleted: another transaction has committed that row meanwhile, and the page is retried.
 *
 *     SELECT WHERE CASE WHEN EXISTS (SELECT FROM ONLY posts AS r WHERE …) THEN concat('pgcascade/…/rowKept')::int4 = 0
 *       WHEN EXISTS (SELECT FROM ONLY posts AS r WHERE …) THEN concat('pgcascade/…/ruleSuspected')::int4 = 0 ELSE true END
 */
export function endPage({ plan, nodes }: PagedPlan): Step | undefined {
  const fails = (found: string, fail: string) =>
    `WHEN EXISTS (${found}) THEN ${fail} OPERATOR(pg_catalog.=) 0`;
  const left = (key: ForeignKey) => references(key, 'r', deletedRows(plan, key.referenced));
  const late = plan.keys
    .filter(({ enforcedByServer, referencing }) => !enforcedByServer && !referencing.mayKeepRows)
    .map((key) => fails(`SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${left(key)}`, FAIL_SUSPICION));
  const unchanged = nodes.flatMap(({ key, deletions: [deletion] }) => {
    if (!key || !deletion) return [];
    const which = `${isDeletedBy(key.referencing, deletion, 'r')} AND ${left(key)}`;
    return [fails(`SELECT FROM ${tableOf(key.referencing)} AS r WHERE ${which}`, FAIL_ROW_KEPT)];
  });
  const kept = nodes
    .flatMap(({ key, deletions }) => (key ? [] : deletions))
    .filter(({ relation }) => relation.mayKeepRows)
    .map((deletion) => {
      const { relation, inherits } = deletion;
      const table = inherits ? quoteRelation(relation) : tableOf(relation);
      return fails(`SELECT FROM ${table} AS r WHERE ${isDeletedBy(relation, deletion, 'r')}`, FAIL_ROW_KEPT);
    });
  const cases = [...kept, ...unchanged, ...late];
  return cases.length === 0
    ? undefined
    : stepOf(plan, `SELECT WHERE CASE ${cases.join('\n ')} ELSE true END`);
}
