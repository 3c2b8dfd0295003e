/**
 * Conditions on the queue (queue.ts) that tell which of two events comes first. An event is a deleted row, told by its `position` in the
 * queue, and a key that references the row, told by its `key_order`. PostgreSQL fires events in the order of position, then key order.
 *
 * The names in the SQL of these conditions: `q` is a place in the queue and `p` the deleted row at that place, with a number
 * where one EXISTS stands in another (`q1`, `p1`; `q2`, `p2`); `r` is a referencing row as it was; `u` is that row with the
 * values that a SET key gives it; `b` is the place of the row that `r` referenced; `d` is the place of the row that a condition is
 * about, and `e` the place of that row's parent.
 */
import type { ForeignKey } from '../../../graph/model.js';
import { type Changer, grouped, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { hasPlace } from './deletions.js';
import { equals } from './match.js';
import { keyOrder, QUEUE } from './queue.js';
import { isWithin, tableOf } from './rows.js';

/** `ROW(q.position, 2)`: the event of the plan's second key for the deleted row at this position. */
export function eventOf(plan: Plan, key: ForeignKey, position: string): string {
  return `ROW(${position}, ${keyOrder(plan, key)})`;
}

/**
 * A condition: the row is deleted by an event before this one; by any event, where none is named.
 *
 *     EXISTS (SELECT FROM pgc_q AS d WHERE d.tableoid = r.tableoid AND d.ctid = r.ctid
 *       AND ROW(d.parent_position, d.key_order) < ROW(q.position, 1))
 */
export function deletedBefore(row: string, event?: string): string {
  const before =
    event === undefined ? '' : ` AND ROW(d.parent_position, d.key_order) OPERATOR(pg_catalog.<) ${event}`;
  return `EXISTS (SELECT FROM ${QUEUE} AS d WHERE ${hasPlace('d', row)}${before})`;
}

/**
 * A condition: the row is deleted before the check that this event queues.
 *
 *     EXISTS (SELECT FROM pgc_q AS d LEFT JOIN pgc_q AS e ON e.position = d.parent_position
 *       WHERE d.tableoid = r.tableoid AND d.ctid = r.ctid
 *       AND (e.position IS NULL OR ROW(e.parent_position, e.key_order) < ROW(b.position, 1)))
 */
export function deletedBeforeCheck(row: string, event: string): string {
  return (
    `EXISTS (SELECT FROM ${QUEUE} AS d LEFT JOIN ${QUEUE} AS e ON e.position OPERATOR(pg_catalog.=) d.parent_position` +
    ` WHERE ${hasPlace('d', row)} AND ${parentQueuedBefore(event)})`
  );
}

/**
 * A condition on the place `d` of a row and the place `e` of its parent, the deleted row that it references: the event that deletes the row
 * was queued before this event fires, as its parent was deleted before this event, or by the client.
 */
export function parentQueuedBefore(event: string): string {
  return `(e.position IS NULL OR ROW(e.parent_position, e.key_order) OPERATOR(pg_catalog.<) ${event})`;
}

/**
 * The deleted rows `p` of the table that a key references, with their places `q` in the queue:
 *
 *     pgc_q AS q JOIN ONLY users AS p ON p.tableoid = q.tableoid AND p.ctid = q.ctid
 */
export function queued(key: ForeignKey, q = 'q', p = 'p'): string {
  return `${QUEUE} AS ${q} JOIN ${tableOf(key.referenced)} AS ${p} ON ${hasPlace(p, q)}`;
}

/**
 * Conditions, one for each of these SET keys: the key has changed the row before this event, or at any time where no event is given, so that
 * another key no longer finds the row. A key that only some partitions have changes the rows of these only.
 *
 *     EXISTS (SELECT FROM pgc_q AS q1 JOIN ONLY accounts AS p1 ON p1.tableoid = q1.tableoid AND p1.ctid = q1.ctid
 *       WHERE p1.id = r.account AND ROW(q1.position, 1) < ROW(q.position, 2))
 */
export function changedBefore(
  plan: Plan,
  changers: readonly Changer[],
  row: string,
  event?: string,
): readonly string[] {
  return changers.map(({ key, within }) => {
    const own = eventOf(plan, key, 'q1.position');
    const conditions = [
      equals(key, 'p1', quoteName, row),
      ...(within ? [isWithin(`${row}.tableoid`, within)] : []),
      ...(event === undefined ? [] : [`${own} OPERATOR(pg_catalog.<) ${event}`]),
      ...outOfReach(plan, key, row, 'q1.position').map((each) => `NOT ${each}`),
    ];
    return `EXISTS (SELECT FROM ${queued(key, 'q1', 'p1')} WHERE ${conditions.join(' AND ')})`;
  });
}

/**
 * Conditions: another SET key has changed the row before the event of SET NULL `key` for the deleted row at this position, so
 * that `key` no longer finds the row.
 *
 *     EXISTS (SELECT FROM pgc_q AS q2 JOIN ONLY parent AS p2 ON p2.tableoid = q2.tableoid AND p2.ctid = q2.ctid
 *       WHERE p2.a = r.a AND ROW(q2.position, 1) < ROW(q1.position, 2))
 */
export function outOfReach(plan: Plan, key: ForeignKey, row: string, position: string): readonly string[] {
  return changersIn(plan, key).map((by) => {
    const before = `${eventOf(plan, by, 'q2.position')} OPERATOR(pg_catalog.<) ${eventOf(plan, key, position)}`;
    return `EXISTS (SELECT FROM ${queued(by, 'q2', 'p2')} WHERE ${equals(by, 'p2', quoteName, row)} AND ${before})`;
  });
}

/** The SET keys that may change a row before this key finds it, where the queue tells which of the two comes first. */
function changersIn(plan: Plan, key: ForeignKey): readonly ForeignKey[] {
  return (ordersOf(plan).get(key) ?? []).map(({ by }) => by);
}

const ordersOf = oncePerPlan(({ checks }) =>
  grouped(
    checks.filter((check) => check.kind === 'order'),
    ({ key }) => key,
  ),
);
