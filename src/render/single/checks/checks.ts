/** RESTRICT, NO ACTION and the new keys of SET DEFAULT: conditions that fail the statement where a rule is broken. */

import { type Check, isLate, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { checkMarker, FAIL_ROW_KEPT, FAIL_SUSPICION } from '../../violations.js';
import { changedBefore, eventOf, goneBefore, queued } from '../actions/events.js';
import { equals } from '../actions/match.js';
import { renderQueue } from '../actions/queue.js';
import { columnName, deletedRows, foundName, isAmong, staysClearOf, tableOf } from '../actions/rows.js';
import { type Broken, eventPlace, PLACE_COLUMNS, referencedMarker } from './broken.js';
import { doubted } from './doubts.js';
import { newKeysBroken, nullsBroken } from './new-keys.js';

/**
 * The CTEs that the conditions need, and the conditions: each true, or an error.
 * @param suspecting only finds out whether any rule may be broken, which costs the server much less than to tell which
 */
export function renderChecks(
  plan: Plan,
  suspecting: boolean,
): {
  readonly ctes: readonly string[];
  readonly conditions: readonly string[];
} {
  const found = plan.checks.flatMap((check, place) => brokenBy(check, place, plan));
  const kept = renderKept(plan);
  if (found.length === 0) return { ctes: [], conditions: kept };
  const suspected = (broken: readonly Broken[]) =>
    broken.map(({ suspects }) => `EXISTS (${suspects})`).join('\n OR ');
  if (suspecting) {
    const stops = `CASE WHEN ${suspected(found)}\n THEN ${FAIL_SUSPICION} OPERATOR(pg_catalog.=) 0 ELSE true END`;
    return { ctes: [], conditions: [...kept, stops] };
  }
  const told = found.filter(({ ordered }) => ordered.length > 0);
  if (told.length === 0) return { ctes: [renderQueue(plan)], conditions: kept };
  const all = (which: 'ordered' | 'certain') => told.flatMap((each) => each[which]).join('\n UNION ALL ');
  const first =
    `SELECT v.marker FROM (${all('ordered')}) AS v (${PLACE_COLUMNS}, marker)` +
    ` ORDER BY ${PLACE_COLUMNS}, marker LIMIT 1`;
  // Rows that another transaction has changed meanwhile are not in the queue.
  const any = `SELECT v.marker FROM (${all('certain')}) AS v (marker) LIMIT 1`;
  const marker = all('certain') === '' ? `(${first})` : `coalesce((${first}), (${any}))`;
  return {
    ctes: [renderQueue(plan)],
    conditions: [
      ...kept,
      `CASE WHEN ${suspected(told)}\n THEN ${marker}::pg_catalog.int4 IS NULL ELSE true END`,
    ],
  };
}

function brokenBy(check: Check, place: number, plan: Plan): readonly Broken[] {
  switch (check.kind) {
    case 'rows':
      return [rowsLeft(check, place, plan)];
    case 'same key':
    case 'new key':
    case 'mixed key':
      return newKeysBroken(check, place, plan);
    case 'not null':
      return nullsBroken(check, place, plan);
    case 'order':
    case 'overlap':
    case 'referenced':
      return doubted(check, place, plan);
  }
}

/** Rows of the referencing table that are still there, and the keys they reference. */
function rowsLeft(check: Check & { kind: 'rows' }, place: number, plan: Plan): Broken {
  const { key, gone, changers } = check;
  const { rows, column } = deletedRows(plan, key.referenced);
  const pairs = `${rows} AS p JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', column, 'r')}`;
  const clear = staysClearOf(plan, key.referencing, 'r');
  const changed = changers.map((by) => {
    const found = deletedRows(plan, by.referenced);
    return `NOT EXISTS (SELECT FROM ${found.rows} AS y WHERE ${equals(by, 'y', found.column, 'r')})`;
  });
  const where = (conditions: readonly string[]) =>
    conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const values = key.columns.map(({ referenced }) => `p.${column(referenced)}`);
  const event = isLate(key) ? undefined : eventOf(plan, key, 'q.position');
  const by = [goneBefore('r', event), ...changedBefore(plan, changers, 'r', event)];
  return {
    suspects: `SELECT FROM ${pairs}${gone === 'some' ? '' : where(clear)}`,
    certain: [`SELECT ${checkMarker(place, '0', values)} FROM ${pairs}${where([...clear, ...changed])}`],
    ordered: [
      `SELECT ${eventPlace(plan, key, isLate(key))}, ${referencedMarker(place, key)} FROM ${queued(key)}` +
        ` JOIN ${tableOf(key.referencing)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
        ` WHERE ${by.map((each) => `NOT ${each}`).join(' AND ')}`,
    ],
  };
}

/** The rows of a cycle are found before they are deleted: what a trigger kept had brought others with it. */
function renderKept(plan: Plan): readonly string[] {
  return plan.deletions.flatMap((deletion) => {
    const { cycle, relation, id } = deletion;
    if (cycle === undefined || !relation.mayKeepRows) return [];
    const deleted = (plan.overlaps.get(relation) ?? [])
      .flatMap((other) => plan.deletions[other] ?? [])
      .map((other) => isAmong(relation, other, 'f', (name) => columnName(deletion.returns.indexOf(name))));
    const stays = `SELECT FROM ${foundName(id)} AS f WHERE ${deleted.map((each) => `NOT ${each}`).join(' AND ')}`;
    return [`CASE WHEN EXISTS (${stays}) THEN ${FAIL_ROW_KEPT} OPERATOR(pg_catalog.=) 0 ELSE true END`];
  });
}
