/**
 * When PostgreSQL checks the new key of a changed row, and which values the row has then. Each change of the row queues a check, and
 * RI_FKey_check skips a row version that is not the newest. So the check that counts is the one of the last change, of those whose
 * events were queued before the check of the first change.
 *
 * Names in the SQL, in addition to those of events.ts: `a` is the place in the queue of a deleted row for which another key changes the
 * row; `v` has all changes of the row, and `w` the last of them; `s` has the values of the row at its check.
 */
import type { ForeignKey } from '../../../graph/model.js';
import type { NewKeyCheck, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { eventOf, outOfReach, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { keyOrder } from '../actions/queue.js';
import { type Image, newValue } from './images.js';
import { checkPlace } from './violation-queries.js';

export interface CheckTime {
  /** The place of the check among the violations (violation-queries.ts). */
  readonly place: string;
  /** Joins to add to those of the image `u`, the row `r` as it was, and the place `b` of the row that `r` referenced. */
  readonly joins: string;
  /** What has the values of the key's columns at the check: the image `u`, or `s` of `stateAt`. */
  readonly row: 'u' | 's';
  /** The event that queued the check. */
  readonly event: string;
}

/**
 * When the new key of a row is checked. Where other keys may change the row as well, `w` is the change whose check counts:
 *
 *     CROSS JOIN LATERAL (SELECT v.position, v.key_order FROM (SELECT b.position, 1
 *         UNION ALL SELECT a.position, 2 FROM pgc_q AS a JOIN ONLY orders AS p3 ON p3.tableoid = a.tableoid AND p3.ctid = a.ctid
 *           WHERE p3.shop = r.shop AND p3.number = r.gift AND ROW(a.position, 2) > ROW(b.position, 1)
 *           AND ROW(a.parent_position, a.key_order) < ROW(b.position, 1)) AS v (position, key_order)
 *       ORDER BY v.position DESC, v.key_order DESC LIMIT 1) AS w
 */
export function checkTimeOf(check: NewKeyCheck, plan: Plan, { fate }: Image): CheckTime {
  const { by, key } = check;
  const first = ['b.position', keyOrder(plan, by)] as const;
  const own = eventOf(plan, by, 'b.position');
  const others = othersOf(plan, check);
  if (fate === 'stays' || others.length === 0) {
    const row = fate === 'stays' ? undefined : 'r';
    return { place: checkPlace(plan, key, first, row), joins: '', row: 'u', event: own };
  }
  const inTime = key.deferred ? [] : [`ROW(a.parent_position, a.key_order) OPERATOR(pg_catalog.<) ${own}`];
  const later = others.map((other) => {
    const conditions = [`${eventOf(plan, other, 'a.position')} OPERATOR(pg_catalog.>) ${own}`, ...inTime];
    return `SELECT a.position, ${keyOrder(plan, other)} FROM ${changing(plan, other)} AND ${conditions.join(' AND ')}`;
  });
  const all = [`SELECT ${first.join(', ')}`, ...later].join(' UNION ALL ');
  const last = `SELECT v.position, v.key_order FROM (${all}) AS v (position, key_order) ORDER BY v.position DESC, v.key_order DESC LIMIT 1`;
  const place = checkPlace(plan, key, ['w.position', 'w.key_order'], 'r');
  const joins = ` CROSS JOIN LATERAL (${last}) AS w`;
  const event = 'ROW(w.position, w.key_order)';
  if (otherSettersOf(plan, check).length === 0) return { place, joins, row: 'u', event };
  return { place, joins: `${joins}${stateAt(check, plan, event)}`, row: 's', event };
}

/**
 * A join to the image `u` and its row `r` as it was: with the values `s` of the key's columns after an event.
 *
 *     CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM pgc_q AS a JOIN ONLY orders AS p3 ON …
 *         WHERE p3.shop = r.shop AND p3.number = r.gift AND ROW(a.position, 2) <= ROW(w.position, w.key_order))
 *       THEN (0)::int4 ELSE u.shop END AS shop, u.number) AS s
 */
export function stateAt(check: NewKeyCheck, plan: Plan, event: string): string {
  const { by, key } = check;
  const columns = key.columns.map(({ referencing }) => {
    const name = quoteName(referencing);
    const other = otherSettersOf(plan, check).find(({ setColumns }) => setColumns.includes(referencing));
    if (other === undefined || by.setColumns.includes(referencing)) return `u.${name}`;
    const before = `${eventOf(plan, other, 'a.position')} OPERATOR(pg_catalog.<=) ${event}`;
    const changed = `EXISTS (SELECT FROM ${changing(plan, other)} AND ${before})`;
    return `CASE WHEN ${changed} THEN ${newValue(other, referencing)} ELSE u.${name} END AS ${name}`;
  });
  return ` CROSS JOIN LATERAL (SELECT ${columns.join(', ')}) AS s`;
}

/** The other SET keys, beside the one whose change is checked, that set columns of the checked key. */
export function otherSettersOf(plan: Plan, check: NewKeyCheck): readonly ForeignKey[] {
  const used = check.key.columns.map(({ referencing }) => referencing);
  return othersOf(plan, check).filter(({ setColumns }) => setColumns.some((name) => used.includes(name)));
}

function othersOf(plan: Plan, { by, change }: NewKeyCheck): readonly ForeignKey[] {
  return plan.changes[change]?.keys.filter((other) => other !== by) ?? [];
}

/** The deleted rows `a` for which a key changes the row `r`: `pgc_q AS a JOIN ONLY parent AS p3 ON … WHERE p3.a = r.a`. */
function changing(plan: Plan, key: ForeignKey): string {
  const conditions = [
    equals(key, 'p3', quoteName, 'r'),
    ...outOfReach(plan, key, 'r', 'a.position').map((each) => `NOT ${each}`),
  ];
  return `${queued(key, 'a', 'p3')} WHERE ${conditions.join(' AND ')}`;
}
