/** Conditions that fail the statement where it breaks a rule: RESTRICT, NO ACTION, or the new key that SET DEFAULT gives a row. */
import { type Check, isLate, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker, FAIL_ROW_KEPT, FAIL_SUSPICION } from '../../violations.js';
import { changedBefore, deletedBefore, eventOf, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { renderQueue } from '../actions/queue.js';
import {
  columnName,
  deletedRows,
  foundName,
  isDeletedBy,
  isWithin,
  notDeletedBy,
  tableOf,
} from '../actions/rows.js';
import { newKeyQueries, notNullQueries } from './new-keys.js';
import { undecidedQueries } from './undecided.js';
import { eventPlace, PLACE_COLUMNS, referencedMarker, type ViolationQueries } from './violation-queries.js';

/**
 * The conditions, each of which is true or fails the statement, and the CTEs that they read from. For a NO ACTION key, while the statement
 * only suspects:
 *
 *     CASE WHEN EXISTS (SELECT FROM pgc_0 AS p JOIN ONLY posts AS r ON p.pgc_c0 = r.author)
 *       THEN concat('pgcascade/…/ruleSuspected')::int4 = 0 ELSE true END
 *
 * and where it has to name the rule, with the queue as its CTE:
 *
 *     CASE WHEN EXISTS (…) THEN coalesce(
 *         (SELECT v.marker FROM (the violations, with their places) AS v (…, marker) ORDER BY … LIMIT 1),
 *         (SELECT v.marker FROM (the rows that break the rule whatever the order) AS v (marker) LIMIT 1))::int4 IS NULL ELSE true END
 *
 * @param suspecting the statement only finds out whether any rule may be broken: this costs the server much less than to find out which
 */
export function renderChecks(
  plan: Plan,
  suspecting: boolean,
): {
  readonly ctes: readonly string[];
  readonly conditions: readonly string[];
} {
  const { ctes, conditions } = renderRules(plan, suspecting);
  return { ctes, conditions: [...renderKept(plan), ...conditions] };
}

/** As `renderChecks`, without the conditions of `renderKept`. */
export function renderRules(plan: Plan, suspecting: boolean): ReturnType<typeof renderChecks> {
  const found = plan.checks.flatMap((check, index) => queriesOf(check, index, plan));
  if (found.length === 0) return { ctes: [], conditions: [] };
  const suspected = (broken: readonly ViolationQueries[]) =>
    broken.map(({ suspects }) => `EXISTS (${suspects})`).join('\n OR ');
  if (suspecting) {
    const stops = `CASE WHEN ${suspected(found)}\n THEN ${FAIL_SUSPICION} OPERATOR(pg_catalog.=) 0 ELSE true END`;
    return { ctes: [], conditions: [stops] };
  }
  const reported = found.filter(({ ordered }) => ordered.length > 0);
  if (reported.length === 0) return { ctes: [renderQueue(plan)], conditions: [] };
  const all = (which: 'ordered' | 'certain') => reported.flatMap((each) => each[which]).join('\n UNION ALL ');
  const first =
    `SELECT v.marker FROM (${all('ordered')}) AS v (${PLACE_COLUMNS}, marker)` +
    ` ORDER BY ${PLACE_COLUMNS}, marker LIMIT 1`;
  // The queue does not have rows that another transaction has changed since the statement's snapshot.
  const any = `SELECT v.marker FROM (${all('certain')}) AS v (marker) LIMIT 1`;
  const marker = all('certain') === '' ? `(${first})` : `coalesce((${first}), (${any}))`;
  return {
    ctes: [renderQueue(plan)],
    conditions: [`CASE WHEN ${suspected(reported)}\n THEN ${marker}::pg_catalog.int4 IS NULL ELSE true END`],
  };
}

function queriesOf(check: Check, index: number, plan: Plan): readonly ViolationQueries[] {
  switch (check.kind) {
    case 'rows':
      return [rowsLeft(check, index, plan)];
    case 'same key':
    case 'new key':
    case 'mixed key':
      return newKeyQueries(check, index, plan);
    case 'not null':
      return notNullQueries(check, index, plan);
    case 'order':
    case 'overlap':
    case 'referenced':
      return undecidedQueries(check, index, plan);
  }
}

/**
 * RESTRICT and NO ACTION: referencing rows `r` that PostgreSQL would still find when the key's event fires. In `ordered`:
 *
 *     SELECT false, q.parent_position, q.key_order, q.position, 1, NULL::oid, NULL::tid, 0,
 *       format('pgcascade/…/0/%s/(%s)', p.tableoid, p.id)
 *     FROM pgc_q AS q JOIN ONLY users AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid JOIN ONLY posts AS r ON p.id = r.author
 *     WHERE NOT EXISTS (SELECT FROM pgc_q AS d WHERE d.tableoid = r.tableoid AND d.ctid = r.ctid
 *       AND ROW(d.parent_position, d.key_order) < ROW(q.position, 1))
 */
function rowsLeft(check: Check & { kind: 'rows' }, index: number, plan: Plan): ViolationQueries {
  const { key, gone, changers } = check;
  const { rows, column } = deletedRows(plan, key.referenced);
  const pairs = `${rows} AS p JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', column, 'r')}`;
  const clear = notDeletedBy(plan, key.referencing, 'r');
  const changed = changers.map(({ key: by, within }) => {
    const found = deletedRows(plan, by.referenced);
    const conditions = [
      equals(by, 'y', found.column, 'r'),
      ...(within ? [isWithin('r.tableoid', within)] : []),
    ];
    return `NOT EXISTS (SELECT FROM ${found.rows} AS y WHERE ${conditions.join(' AND ')})`;
  });
  const where = (conditions: readonly string[]) =>
    conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const values = key.columns.map(({ referenced }) => `p.${column(referenced)}`);
  const event = isLate(key) ? undefined : eventOf(plan, key, 'q.position');
  const by = [deletedBefore('r', event), ...changedBefore(plan, changers, 'r', event)];
  return {
    suspects: `SELECT FROM ${pairs}${gone === 'some' ? '' : where(clear)}`,
    certain: [`SELECT ${checkMarker(index, '0', values)} FROM ${pairs}${where([...clear, ...changed])}`],
    ordered: [
      `SELECT ${eventPlace(plan, key, isLate(key))}, ${referencedMarker(index, key)} FROM ${queued(key)}` +
        ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
        ` WHERE ${by.map((each) => `NOT ${each}`).join(' AND ')}`,
    ],
  };
}

/**
 * Conditions that every row which the search of a cycle has found was also deleted. Where a BEFORE trigger has kept one, the search may have
 * found other rows by way of it, which PostgreSQL would not have deleted: the statement fails.
 *
 *     CASE WHEN EXISTS (SELECT FROM pgc_f1 AS f WHERE NOT EXISTS (SELECT FROM pgc_0 AS g WHERE g.pgc_c0 = f.pgc_c0)
 *       AND NOT EXISTS (SELECT FROM pgc_1 AS g WHERE g.pgc_c0 = f.pgc_c0)) THEN concat('pgcascade/…/rowKept')::int4 = 0 ELSE true END
 */
function renderKept(plan: Plan): readonly string[] {
  return plan.deletions.flatMap((deletion) => {
    const { cycle, relation, id } = deletion;
    if (cycle === undefined || !relation.mayKeepRows) return [];
    const deleted = (plan.overlaps.get(relation) ?? [])
      .flatMap((other) => plan.deletions[other] ?? [])
      .map((other) =>
        isDeletedBy(relation, other, 'f', (name) => columnName(deletion.returns.indexOf(name))),
      );
    const stays = `SELECT FROM ${foundName(id)} AS f WHERE ${deleted.map((each) => `NOT ${each}`).join(' AND ')}`;
    return [`CASE WHEN EXISTS (${stays}) THEN ${FAIL_ROW_KEPT} OPERATOR(pg_catalog.=) 0 ELSE true END`];
  });
}
