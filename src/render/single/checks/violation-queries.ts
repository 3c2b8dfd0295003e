/** The queries with which one check of the plan finds the rows that break its rule, and the order in which PostgreSQL reports violations. */
import type { ForeignKey } from '../../../graph/model.js';
import type { Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { keyOrder } from '../actions/queue.js';

export interface ViolationQueries {
  /** Finds rows that may break the rule. Where this query returns no row, the rule is kept. */
  readonly suspects: string;
  /** Return, for each violation, its place in PostgreSQL's order (`PLACE_COLUMNS`) and its marker. */
  readonly ordered: readonly string[];
  /** Return the marker of each row that breaks the rule whatever the order of events. */
  readonly certain: readonly string[];
}

/**
 * The place of a violation. PostgreSQL reports the violation that is first in the order of these columns. `late`: the key is deferred, so
 * PostgreSQL finds the violation at COMMIT. `parent_position` and `parent_key_order` are the event by which the row was deleted whose
 * own event finds the violation; `position` and `key_order` are that own event. `tableoid` and `ctid` are the row that breaks the rule.
 */
export const PLACE_COLUMNS =
  'late, parent_position, parent_key_order, position, key_order, tableoid, ctid, key';

/**
 * The place of a violation that the action of `key` finds when it fires for the deleted row `q` of the queue:
 *
 *     false, q.parent_position, q.key_order, q.position, 1, NULL::oid, NULL::tid, 0
 *
 * @param row the row that the action finds, where PostgreSQL goes through several in an order
 */
export function eventPlace(plan: Plan, key: ForeignKey, late = false, q = 'q', row?: string): string {
  return [
    late,
    `${q}.parent_position`,
    `${q}.key_order`,
    `${q}.position`,
    keyOrder(plan, key),
    ...rowPlace(row),
    0,
  ].join(', ');
}

/**
 * The place of the check of a new key. The event that gave the row its new key queued this check, so that it comes after everything queued
 * before, row by row:
 *
 *     false, b.position, 1, 0::int8, 0, r.tableoid, r.ctid, 0
 *
 * @param event that event: the position of the deleted row, and the order of the SET key
 */
export function checkPlace(
  plan: Plan,
  key: ForeignKey,
  event: readonly [string, string | number],
  row: string | undefined,
): string {
  return [key.deferred, ...event, '0::pg_catalog.int8', 0, ...rowPlace(row), olderKeys(plan, key)].join(', ');
}

/** How many keys of the plan are older than this one. The plan has its keys oldest first. */
function olderKeys({ keys }: Plan, { id }: ForeignKey): number {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((keys[middle]?.id ?? id) < id) from = middle + 1;
    else to = middle;
  }
  return from;
}

function rowPlace(row: string | undefined): readonly string[] {
  return row === undefined
    ? ['NULL::pg_catalog.oid', 'NULL::pg_catalog.tid']
    : [`${row}.tableoid`, `${row}.ctid`];
}

/**
 * `format('pgcascade/…/0/%s/(%s)', p.tableoid, p.id)`: the marker of a violation whose error names the referenced row `p`.
 * @param index the check's index in the plan
 */
export function referencedMarker(index: number, key: ForeignKey): string {
  return checkMarker(
    index,
    'p.tableoid',
    key.columns.map(({ referenced }) => `p.${quoteName(referenced)}`),
  );
}
