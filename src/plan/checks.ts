/** RESTRICT, NO ACTION and the new keys of SET DEFAULT: conditions that fail the statement where a rule is broken. */
import { quoteName } from '../sql/names.js';
import { changeName, combinationsWith, positionName } from './changes.js';
import { equals, references } from './match.js';
import type { Check, Edge, Plan, Spared, SparingEdge } from './plan.js';
import { deletedRows, isDeleted, numbered, tableOf } from './rows.js';
import { checkMarker } from './violations.js';

/**
 * At most one condition: no violation is found. The one found is the first that PostgreSQL would have met: by the
 * stage, then by the order in which the referenced rows were deleted, then by the age of the key.
 */
export function renderChecks(plan: Plan): readonly string[] {
  const found = plan.checks.flatMap((check, place) =>
    renderCheck(check, place, plan).map(
      ({ position, marker, from }) => `SELECT ${check.stage}, ${position}, ${place}, ${marker} FROM ${from}`,
    ),
  );
  if (found.length === 0) return [];
  const all = found.join('\n UNION ALL ');
  const first = `SELECT marker FROM (${all}) AS v (stage, position, place, marker) ORDER BY stage, position, place LIMIT 1`;
  // The cast fails on the first row it meets, so it stands outside of the sorting.
  return [`(SELECT marker::pg_catalog.int4 FROM (${first}) AS first) IS NULL`];
}

interface Violations {
  /** The referenced row's place among those deleted. */
  readonly position: string;
  readonly marker: string;
  /** The tables and conditions that find them. */
  readonly from: string;
}

function renderCheck(check: Check, place: number, plan: Plan): readonly Violations[] {
  switch (check.kind) {
    case 'rows':
      return [rowsLeft(check.edge, check.spared, place, plan)];
    case 'same key':
    case 'new key':
      return keysGiven(check, check.change, place, plan);
  }
}

/** Rows of the referencing table that are still there, and the keys they reference. */
function rowsLeft({ key, parent }: Edge, spared: Spared | undefined, place: number, plan: Plan): Violations {
  const { column } = deletedRows(plan, parent);
  const values = key.columns.map(({ to }) => `p.${column(to)}`);
  return {
    position: 'p.n',
    marker: checkMarker(place, values),
    from:
      `${numbered(parent)} AS p JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', column, 'r')}` +
      (spared === undefined ? '' : ` WHERE NOT (${goneInTime(spared, plan)})`),
  };
}

/** `r` is a row that was deleted before the check of the referenced row `p`. */
function goneInTime(spared: Spared, plan: Plan): string {
  const deleted = isDeleted(plan, spared.deletion, 'r');
  if (spared.all) return deleted;
  const intime = spared.edges.map((edge) => firedBefore(edge, plan));
  return `${deleted} AND (${intime.join(' OR ')})`;
}

function firedBefore({ key, parent, fires }: SparingEdge, plan: Plan): string {
  const rows = deletedRows(plan, parent);
  if (fires === 'before') return references(key, 'r', rows);
  const earlier = fires === 'older' ? 'q.n <= p.n' : 'q.n < p.n';
  return `EXISTS (SELECT FROM ${numbered(parent)} AS q WHERE ${earlier} AND ${equals(key, 'q', rows.column, 'r')})`;
}

/**
 * Rows that SET DEFAULT gave the key of a row deleted behind the one they referenced (or of that one itself), so that
 * its own action would find them; or a key that no row of the referenced table has, or none that stays.
 */
function keysGiven(check: Check, index: number, place: number, plan: Plan): readonly Violations[] {
  const { key, parent } = check.edge;
  const change = plan.changes[index];
  if (change === undefined) return [];
  const { column } = deletedRows(plan, parent);
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const marker = checkMarker(place, columns);
  return combinationsWith(change, check.edge).map((combination) => {
    const given = `${changeName(index, combination)} AS u`;
    const position = `u.${positionName(change, check.edge)}`;
    const deleted = `${numbered(parent)} AS p ON ${equals(key, 'p', column, 'u')}`;
    if (check.kind === 'same key')
      return { position: 'p.n', marker, from: `${given} JOIN ${deleted} AND ${position} <= p.n` };
    const there = `EXISTS (SELECT FROM ${tableOf(key.to)} AS t WHERE ${equals(key, 't', quoteName, 'u')})`;
    const complete = columns.map((each) => `${each} IS NOT NULL`).join(' AND ');
    const gone = `EXISTS (SELECT FROM ${numbered(parent)} AS p WHERE ${equals(key, 'p', column, 'u')})`;
    return { position, marker, from: `${given} WHERE ${complete} AND (${gone} OR NOT ${there})` };
  });
}
