/** The SQL with which one check finds rows that break its rule. */
import type { ForeignKey } from '../../../graph/model.js';
import type { Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker } from '../../violations.js';
import { keyOrder } from '../actions/queue.js';

export interface Broken {
  /** A query that finds any row that may break the rule: where it finds none, none does. */
  readonly suspects: string;
  /** Queries that give of each violation its place in PostgreSQL's order (`PLACE_COLUMNS`), and its marker. */
  readonly ordered: readonly string[];
  /** Queries that give the marker of any row that breaks the rule whatever the order. */
  readonly certain: readonly string[];
}

/**
 * The place of a violation: PostgreSQL reports the one that comes first in the order of these columns. `late` says whether it
 * is found at COMMIT. Then comes the event that queued what finds the violation, then the event that finds it, a deleted row
 * and a key each; then the row that breaks the rule.
 */
export const PLACE_COLUMNS =
  'late, parent_position, parent_key_order, position, key_order, tableoid, ctid, key';

/**
 * The place of a violation that the event of a key finds for the deleted row `q` of the queue:
 *
 *     false, q.parent_position, q.key_order, q.position, 1, NULL::oid, NULL::tid, 0
 *
 * @param row one that it finds, where there is an order among several
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
 * The place of the check of a new key that an event has given a row: after all that was queued before, row by row.
 *
 *     false, b.position, 1, 0::int8, 0, r.tableoid, r.ctid, 0
 *
 * @param event the position of a deleted row, and the order of a key
 */
export function checkPlace(
  plan: Plan,
  key: ForeignKey,
  event: readonly [string, string | number],
  row: string | undefined,
): string {
  return [key.deferred, ...event, '0::pg_catalog.int8', 0, ...rowPlace(row), olderKeys(plan, key)].join(', ');
}

/** How many of the plan's keys, which stand in their order, are older than this one. */
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
 * `format('pgcascade/…/0/%s/(%s)', p.tableoid, p.id)`: the marker of a check that names the referenced row `p`.
 * @param index that of the check in the plan
 */
export function referencedMarker(index: number, key: ForeignKey): string {
  return checkMarker(
    index,
    'p.tableoid',
    key.columns.map(({ referenced }) => `p.${quoteName(referenced)}`),
  );
}
