/** The deletions of the cascade as CTEs. Before those of a cycle comes the CTE that searches the rows of the cycle. */
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
  notDeletedBy,
  tableOf,
} from './rows.js';

/**
 * The CTEs of the cascade, each after those that it reads from:
 *
 *     pgc_1 (pgc_c0) AS (DELETE FROM ONLY b AS r WHERE EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a) RETURNING r.id)
 *     pgc_3 AS (DELETE FROM ONLY d AS r WHERE EXISTS (SELECT FROM pgc_1 AS d WHERE d.pgc_c0 = r.b) OR …)
 *
 * @param purpose what each of them does
 */
export function renderDeletions(plan: Plan, purpose: (deletion: Deletion) => Purpose): readonly string[] {
  const done = new Set<number>();
  return plan.deletions.flatMap((deletion) => {
    const what = purpose(deletion);
    if (deletion.origin === 'client' || what === 'nothing') return [];
    const { cycle } = deletion;
    if (cycle === undefined || done.has(cycle)) return [renderDeletion(deletion, plan, what)];
    done.add(cycle);
    const members = cyclesOf(plan).get(cycle) ?? [];
    return [
      renderSearch(cycle, members, plan),
      ...members.map((each) => renderFound(each)),
      renderDeletion(deletion, plan, what),
    ];
  });
}

/**
 * What a CTE does with the rows of a deletion. `count`: it deletes them, and returns them even where no other CTE reads them. `lock` and
 * `read`: it only locks them, or finds them (locks.ts). `nothing`: there is no CTE; then there is none for the others of its cycle either.
 */
export type Purpose = 'delete' | 'count' | 'lock' | 'read' | 'nothing';

const cyclesOf = oncePerPlan(({ deletions }) => grouped(deletions, ({ cycle }) => cycle));

/** `pgc_1 (pgc_c0)`: the name of a deletion's CTE, and of the columns that the deletion returns. */
export function header(name: string, deletion: Deletion): string {
  const columns = deletion.returns.map((_, i) => columnName(i));
  return `${name}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`;
}

/**
 * A table that several keys reach has one deletion, for all of them. It leaves out rows that the client's own DELETE deletes; here the client
 * deletes from `a`, and `a` is in the cycle too:
 *
 *     pgc_2 (pgc_c0) AS (DELETE FROM ONLY a AS r WHERE (EXISTS (SELECT FROM pgc_f1 AS d WHERE d.pgc_c0 = r.b))
 *       AND NOT EXISTS (SELECT FROM pgc_0 AS g WHERE g.pgc_c0 = r.id) RETURNING r.id)
 */
function renderDeletion(deletion: Deletion, plan: Plan, purpose: Purpose): string {
  const { relation, returns } = deletion;
  const returning = returns.map((name) => `r.${quoteName(name)}`).join(', ');
  const rows = `FROM ${tableOf(relation)} AS r WHERE ${isReached(deletion, plan)}`;
  const returned = returning === '' && purpose === 'count' ? '1' : returning;
  const deleting = `DELETE ${rows}${returned === '' ? '' : ` RETURNING ${returned}`}`;
  const found = `SELECT ${returning} ${rows}${purpose === 'lock' ? ' FOR UPDATE' : ''}`;
  const sql = purpose === 'lock' || purpose === 'read' ? found : deleting;
  return `${header(cteName(deletion.id), deletion)} AS (${sql})`;
}

/** A condition: by one of its keys the deletion deletes `r`, a row of its relation. */
export function isReached({ relation, keys, cycle }: Deletion, plan: Plan): string {
  const matches = keys.map((key) =>
    references(
      key,
      'r',
      cycle === undefined ? deletedRows(plan, key.referenced) : foundRows(plan, key.referenced, cycle),
    ),
  );
  const clear = notDeletedBy(plan, relation, 'r', ({ origin }) => origin === 'client');
  return clear.length === 0 ? matches.join(' OR ') : `(${matches.join(' OR ')}) AND ${clear.join(' AND ')}`;
}

export function searchName(cycle: number): string {
  return ownName(`r${cycle}`);
}

/**
 * The rows that a cycle takes, by `tableoid` and `ctid`, which have the same types in all tables. The search has a WITH of its
 * own inside of its CTE, so that the client's WITH need not become a recursive one. Where `a` and `b` reference each other:
 *
 *     pgc_r1 AS (WITH RECURSIVE pgc_r1 (tableoid, ctid) AS (
 *       SELECT r.tableoid, r.ctid FROM ONLY b AS r WHERE EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a)
 *       UNION SELECT n.* FROM pgc_r1 AS g CROSS JOIN LATERAL (
 *         SELECT r.tableoid, r.ctid FROM ONLY a AS p JOIN ONLY b AS r ON p.id = r.a WHERE p.tableoid = g.tableoid AND p.ctid = g.ctid
 *         UNION ALL SELECT r.tableoid, r.ctid FROM ONLY b AS p JOIN ONLY a AS r ON p.id = r.b WHERE …) AS n)
 *       SELECT tableoid, ctid FROM pgc_r1)
 */
export function renderSearch(cycle: number, members: readonly Deletion[], plan: Plan): string {
  const name = searchName(cycle);
  const { entries, steps } = searchOf(cycle, members, plan);
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

/** Where the search of a cycle begins, a SELECT for each table of the cycle that a key from outside reaches; and the keys by which it goes on. */
export function searchOf(
  cycle: number,
  members: readonly Deletion[],
  plan: Plan,
): { readonly entries: readonly string[]; readonly steps: readonly ForeignKey[] } {
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
  return { entries, steps: members.flatMap(({ keys }) => keys.filter(within)) };
}

/** The rows that reference the row at `g` by this key: one arm of the LATERAL union of `renderSearch`. */
export function renderStep(key: ForeignKey): string {
  return (
    `SELECT r.tableoid, r.ctid FROM ${tableOf(key.referenced)} AS p JOIN ${tableOf(key.referencing)} AS r ` +
    `ON ${equals(key, 'p', quoteName, 'r')} WHERE ${hasPlace('p', 'g')}`
  );
}

/**
 * The rows of one table that the search has found, with the columns that its deletion returns:
 *
 *     pgc_f1 (pgc_c0) AS (SELECT p.id FROM pgc_r1 AS g JOIN ONLY b AS p ON p.tableoid = g.tableoid AND p.ctid = g.ctid)
 */
function renderFound(deletion: Deletion): string {
  const columns = deletion.returns.map((name) => `p.${quoteName(name)}`).join(', ');
  const found = `${searchName(deletion.cycle ?? 0)} AS g JOIN ${tableOf(deletion.relation)} AS p ON ${hasPlace('p', 'g')}`;
  return `${header(foundName(deletion.id), deletion)} AS (SELECT ${columns} FROM ${found})`;
}

/** `p.tableoid = g.tableoid AND p.ctid = g.ctid`: `row` is the row at this place, as the statement sees it. */
export function hasPlace(row: string, place: string): string {
  return `${row}.tableoid OPERATOR(pg_catalog.=) ${place}.tableoid AND ${row}.ctid OPERATOR(pg_catalog.=) ${place}.ctid`;
}
