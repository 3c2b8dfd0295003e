/** RESTRICT, NO ACTION and the new keys of SET DEFAULT: conditions that fail the statement where a rule is broken. */
import { quoteName } from '../sql/names.js';
import { changeName, combinationsWith } from './changes.js';
import { equals } from './match.js';
import type { Check, Plan } from './plan.js';
import { deletedRows, notDeleted, tableOf } from './rows.js';
import { checkMarker } from './violations.js';

/**
 * At most one condition: no violation is found. The one found is the first that PostgreSQL would have met: by the
 * check's place, then by the order in which the referenced rows were deleted.
 */
export function renderChecks(plan: Plan): readonly string[] {
  const found = plan.checks.flatMap((check, place) => renderCheck(check, place, plan));
  if (found.length === 0) return [];
  const first = `SELECT marker::pg_catalog.int4 FROM (${found.join('\n UNION ALL ')}) AS v (place, position, marker)`;
  return [`(${first} ORDER BY place, position LIMIT 1) IS NULL`];
}

function renderCheck(check: Check, place: number, plan: Plan): readonly string[] {
  return check.kind === 'rows' ? [rowsLeft(check, place, plan)] : keysMissing(check, place, plan);
}

/** Rows of the referencing table that are still there, and their keys. */
function rowsLeft({ edge, other }: Check, place: number, plan: Plan): string {
  const { key, parent } = edge;
  const { cte, column } = deletedRows(plan, parent);
  const marker = checkMarker(
    place,
    key.columns.map(({ to }) => `p.${column(to)}`),
  );
  const spared = other === undefined ? '' : ` WHERE ${notDeleted(plan, other, 'r')}`;
  return (
    `SELECT ${place}, p.n, ${marker} FROM (SELECT *, pg_catalog.row_number() OVER () AS n FROM ${cte}) AS p ` +
    `JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', column, 'r')}${spared}`
  );
}

/** Rows that got a default key which no row of the referenced table has, or only one that is deleted as well. */
function keysMissing({ edge, other }: Check, place: number, plan: Plan): readonly string[] {
  const { key, parent } = edge;
  const index = other ?? -1;
  const change = plan.changes[index];
  if (change === undefined) return [];
  const deleted = deletedRows(plan, parent);
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const gone = `EXISTS (SELECT FROM ${deleted.cte} AS d WHERE ${equals(key, 'd', deleted.column, 'u')})`;
  const there = `EXISTS (SELECT FROM ${tableOf(key.to)} AS p WHERE ${equals(key, 'p', quoteName, 'u')})`;
  return combinationsWith(change, edge).map(
    (combination) =>
      `SELECT ${place}, 0, ${checkMarker(place, columns)} FROM ${changeName(index, combination)} AS u ` +
      `WHERE ${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')} AND (${gone} OR NOT ${there})`,
  );
}
