/** The deletions that follow from the client's, as CTEs; those in a cycle behind the search for its rows. */
import type { ForeignKey } from '../../../graph/model.js';
import { type Deletion, grouped, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { equals, references } from './match.js';
import {
  columnName,
  cteName,
  deletedRows,
  enteringRows,
  foundName,
  foundRows,
  staysClearOf,
  tableOf,
} from './rows.js';

/**
 * The CTEs that delete what follows from the client's own deletions, in an order in which they may stand.
 * @param locking they only lock the rows that others reference
 */
export function renderDeletions(plan: Plan, locking = false): readonly string[] {
  const done = new Set<number>();
  return plan.deletions.flatMap((deletion) => {
    if (deletion.origin === 'client' || (locking && deletion.returns.length === 0)) return [];
    const { cycle } = deletion;
    if (cycle === undefined || done.has(cycle)) return [renderDeletion(deletion, plan, locking)];
    done.add(cycle);
    const members = cyclesOf(plan).get(cycle) ?? [];
    return [
      renderSearch(cycle, members, plan),
      ...members.map((each) => renderFound(each)),
      renderDeletion(deletion, plan, locking),
    ];
  });
}

const cyclesOf = oncePerPlan(({ deletions }) => grouped(deletions, ({ cycle }) => cycle));

export function header(name: string, deletion: Deletion): string {
  const columns = deletion.returns.map((_, i) => columnName(i));
  return `${name}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`;
}

/** A table reached over several keys is deleted from once, by any of them; and the client's own rows are the client's. */
function renderDeletion(deletion: Deletion, plan: Plan, locking: boolean): string {
  const { relation, keys, cycle, returns } = deletion;
  const matches = keys.map((key) =>
    references(
      key,
      'r',
      cycle === undefined ? deletedRows(plan, key.referenced) : foundRows(plan, key.referenced, cycle),
    ),
  );
  const clear = staysClearOf(plan, relation, 'r', ({ origin }) => origin === 'client');
  const condition =
    clear.length === 0 ? matches.join(' OR ') : `(${matches.join(' OR ')}) AND ${clear.join(' AND ')}`;
  const returning = returns.map((name) => `r.${quoteName(name)}`).join(', ');
  const rows = `FROM ${tableOf(relation)} AS r WHERE ${condition}`;
  const deleting = `DELETE ${rows}${returning === '' ? '' : ` RETURNING ${returning}`}`;
  const sql = locking ? `SELECT ${returning} ${rows} FOR UPDATE` : deleting;
  return `${header(cteName(deletion.id), deletion)} AS (${sql})`;
}

function searchName(cycle: number): string {
  return ownName(`r${cycle}`);
}

/**
 * The rows that a cycle takes, by their places, which are of one type for all tables. A WITH of its own inside of a CTE,
 * so that the client's need not become a recursive one.
 */
function renderSearch(cycle: number, members: readonly Deletion[], plan: Plan): string {
  const name = searchName(cycle);
  const entries = members.flatMap(({ relation, keys }) => {
    const matches = keys.flatMap((key) => {
      const rows = enteringRows(plan, key.referenced, cycle);
      return rows ? [references(key, 'r', rows)] : [];
    });
    const from = `SELECT r.tableoid, r.ctid FROM ${tableOf(relation)} AS r`;
    return matches.length === 0 ? [] : [`${from} WHERE ${matches.join(' OR ')}`];
  });
  const within = (key: ForeignKey) =>
    (plan.members.get(key.referenced) ?? []).some(
      ({ deletion }) => plan.deletions[deletion]?.cycle === cycle,
    );
  const steps = members.flatMap(({ keys }) => keys.filter(within));
  const [only, ...more] = steps;
  // PostgreSQL allows one reference to the rows found so far: several keys go through one LATERAL union.
  const next =
    only && more.length === 0
      ? `SELECT r.tableoid, r.ctid FROM ${name} AS g JOIN ${tableOf(only.referenced)} AS p ON ${hasPlace('p', 'g')} ` +
        `JOIN ${tableOf(only.referencing)} AS r ON ${equals(only, 'p', quoteName, 'r')}`
      : `SELECT n.* FROM ${name} AS g CROSS JOIN LATERAL (${steps.map(renderStep).join(' UNION ALL ')}) AS n`;
  return (
    `${name} AS (WITH RECURSIVE ${name} (tableoid, ctid) AS (\n${entries.join(' UNION ALL ')}` +
    `\n UNION ${next})\n SELECT tableoid, ctid FROM ${name})`
  );
}

/** The rows that reference the one at `g` by this key. */
function renderStep(key: ForeignKey): string {
  return (
    `SELECT r.tableoid, r.ctid FROM ${tableOf(key.referenced)} AS p JOIN ${tableOf(key.referencing)} AS r ` +
    `ON ${equals(key, 'p', quoteName, 'r')} WHERE ${hasPlace('p', 'g')}`
  );
}

/** Of the rows found those of one table, with the columns that its deletion returns. */
function renderFound(deletion: Deletion): string {
  const columns = deletion.returns.map((name) => `p.${quoteName(name)}`).join(', ');
  const found = `${searchName(deletion.cycle ?? 0)} AS g JOIN ${tableOf(deletion.relation)} AS p ON ${hasPlace('p', 'g')}`;
  return `${header(foundName(deletion.id), deletion)} AS (SELECT ${columns} FROM ${found})`;
}

/** `row` is the one at this place, as the statement sees it. */
export function hasPlace(row: string, place: string): string {
  return `${row}.tableoid OPERATOR(pg_catalog.=) ${place}.tableoid AND ${row}.ctid OPERATOR(pg_catalog.=) ${place}.ctid`;
}
