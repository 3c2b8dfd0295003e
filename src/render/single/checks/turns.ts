/**
 * When the new key of a changed row is checked, and what the row is by then: behind its last change that was queued before
 * the check of an earlier one had its turn, as RI_FKey_check looks at no version that is not the newest.
 */
import type { ForeignKey } from '../../../graph/model.js';
import type { NewKeyCheck, Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { eventOf, outOfReach, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { keyOrder } from '../actions/queue.js';
import { checkPlace } from './broken.js';
import { type Image, newValue } from './images.js';

export interface Turn {
  /** Where the check stands (broken.ts). */
  readonly turn: string;
  /** What has to be joined to the image `u`, the row `r` as it was, and the place `b` of what it referenced. */
  readonly joins: string;
  /** What has the key's columns as they are then. */
  readonly row: 'u' | 's';
  /** The event that queued the check. */
  readonly event: string;
}

export function turnOf(check: NewKeyCheck, plan: Plan, { fate }: Image): Turn {
  const { by, key } = check;
  const first = ['b.position', keyOrder(plan, by)] as const;
  const own = eventOf(plan, by, 'b.position');
  const others = othersOf(plan, check);
  if (fate === 'stays' || others.length === 0) {
    const row = fate === 'stays' ? undefined : 'r';
    return { turn: checkPlace(plan, key, first, row), joins: '', row: 'u', event: own };
  }
  const inTime = key.deferred ? [] : [`ROW(a.parent_position, a.key_order) OPERATOR(pg_catalog.<) ${own}`];
  const later = others.map((other) => {
    const conditions = [`${eventOf(plan, other, 'a.position')} OPERATOR(pg_catalog.>) ${own}`, ...inTime];
    return `SELECT a.position, ${keyOrder(plan, other)} FROM ${changing(plan, other)} AND ${conditions.join(' AND ')}`;
  });
  const all = [`SELECT ${first.join(', ')}`, ...later].join(' UNION ALL ');
  const last = `SELECT v.position, v.key_order FROM (${all}) AS v (position, key_order) ORDER BY v.position DESC, v.key_order DESC LIMIT 1`;
  const turn = checkPlace(plan, key, ['w.position', 'w.key_order'], 'r');
  const joins = ` CROSS JOIN LATERAL (${last}) AS w`;
  const event = 'ROW(w.position, w.key_order)';
  if (keysBeside(plan, check).length === 0) return { turn, joins, row: 'u', event };
  return { turn, joins: `${joins}${stateAt(check, plan, event)}`, row: 's', event };
}

/** Joins `s` to the image `u` and its row `r` as it was: the columns of the key as they are behind an event. */
export function stateAt(check: NewKeyCheck, plan: Plan, event: string): string {
  const { by, key } = check;
  const columns = key.columns.map(({ referencing }) => {
    const name = quoteName(referencing);
    const beside = keysBeside(plan, check).find(({ setColumns }) => setColumns.includes(referencing));
    if (beside === undefined || by.setColumns.includes(referencing)) return `u.${name}`;
    const before = `${eventOf(plan, beside, 'a.position')} OPERATOR(pg_catalog.<=) ${event}`;
    const changed = `EXISTS (SELECT FROM ${changing(plan, beside)} AND ${before})`;
    return `CASE WHEN ${changed} THEN ${newValue(beside, referencing)} ELSE u.${name} END AS ${name}`;
  });
  return ` CROSS JOIN LATERAL (SELECT ${columns.join(', ')}) AS s`;
}

/** The keys that set columns of the one that is checked, beside the one whose change is. */
export function keysBeside(plan: Plan, check: NewKeyCheck): readonly ForeignKey[] {
  const used = check.key.columns.map(({ referencing }) => referencing);
  return othersOf(plan, check).filter(({ setColumns }) => setColumns.some((name) => used.includes(name)));
}

function othersOf(plan: Plan, { by, change }: NewKeyCheck): readonly ForeignKey[] {
  return plan.changes[change]?.keys.filter((other) => other !== by) ?? [];
}

/** The deleted rows `a` for which a key changes the row `r`. */
function changing(plan: Plan, key: ForeignKey): string {
  const conditions = [
    equals(key, 'p3', quoteName, 'r'),
    ...outOfReach(plan, key, 'r', 'a.position').map((each) => `NOT ${each}`),
  ];
  return `${queued(key, 'a', 'p3')} WHERE ${conditions.join(' AND ')}`;
}
