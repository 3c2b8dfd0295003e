/**
 * Which of several events comes first: conditions on the queue (queue.ts). An event is a deleted row, by its `position` in
 * the queue, and a key that references it, by its order; PostgreSQL fires them in the order of both.
 */
import type { ForeignKey } from '../../../graph/model.js';
import { grouped, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { hasPlace } from './deletions.js';
import { equals } from './match.js';
import { keyOrder, QUEUE } from './queue.js';
import { tableOf } from './rows.js';

/** `ROW(q.position, 2)`: the event of a key for the deleted row at this position. */
export function eventOf(plan: Plan, key: ForeignKey, position: string): string {
  return `ROW(${position}, ${keyOrder(plan, key)})`;
}

/** The row is deleted by an event before this one; by any, where none is named. */
export function goneBefore(row: string, event?: string): string {
  const before =
    event === undefined ? '' : ` AND ROW(d.parent_position, d.key_order) OPERATOR(pg_catalog.<) ${event}`;
  return `EXISTS (SELECT FROM ${QUEUE} AS d WHERE d.tableoid OPERATOR(pg_catalog.=) ${row}.tableoid AND d.ctid OPERATOR(pg_catalog.=) ${row}.ctid${before})`;
}

/** The row is deleted before a check that was queued by this event comes: by what was queued before it. */
export function goneBeforeCheck(row: string, event: string): string {
  return (
    `EXISTS (SELECT FROM ${QUEUE} AS d LEFT JOIN ${QUEUE} AS e ON e.position OPERATOR(pg_catalog.=) d.parent_position` +
    ` WHERE d.tableoid OPERATOR(pg_catalog.=) ${row}.tableoid AND d.ctid OPERATOR(pg_catalog.=) ${row}.ctid` +
    ` AND (e.position IS NULL OR ROW(e.parent_position, e.key_order) OPERATOR(pg_catalog.<) ${event}))`
  );
}

/** The deleted rows `p` of the table that a key references, with their places `q` in the queue. */
export function queued(key: ForeignKey, q = 'q', p = 'p'): string {
  return `${QUEUE} AS ${q} JOIN ${tableOf(key.referenced)} AS ${p} ON ${hasPlace(p, q)}`;
}

/** One of these SET keys has taken the row out of the reach of another key before this event; ever, where none is named. */
export function changedBefore(
  plan: Plan,
  keys: readonly ForeignKey[],
  row: string,
  event?: string,
): readonly string[] {
  return keys.map((key) => {
    const own = eventOf(plan, key, 'q1.position');
    const conditions = [
      equals(key, 'p1', quoteName, row),
      ...(event === undefined ? [] : [`${own} OPERATOR(pg_catalog.<) ${event}`]),
      ...outOfReach(plan, key, row, 'q1.position').map((each) => `NOT ${each}`),
    ];
    return `EXISTS (SELECT FROM ${queued(key, 'q1', 'p1')} WHERE ${conditions.join(' AND ')})`;
  });
}

/** Another SET key has changed the row before the event of SET NULL `key` for the deleted row at this position: it does not match then. */
export function outOfReach(plan: Plan, key: ForeignKey, row: string, position: string): readonly string[] {
  return changersIn(plan, key).map((by) => {
    const before = `${eventOf(plan, by, 'q2.position')} OPERATOR(pg_catalog.<) ${eventOf(plan, key, position)}`;
    return `EXISTS (SELECT FROM ${queued(by, 'q2', 'p2')} WHERE ${equals(by, 'p2', quoteName, row)} AND ${before})`;
  });
}

/** The keys of which the queue tells whether they take a row out of the reach of this one. */
export function changersIn(plan: Plan, key: ForeignKey): readonly ForeignKey[] {
  return (ordersOf(plan).get(key) ?? []).map(({ by }) => by);
}

const ordersOf = oncePerPlan(({ checks }) =>
  grouped(
    checks.filter((check) => check.kind === 'order'),
    ({ key }) => key,
  ),
);
