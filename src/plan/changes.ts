/**
 * SET NULL and SET DEFAULT as UPDATEs. Two CTEs that update one row apply only one of them, so all edges of a table
 * go into one statement, with a CASE an edge. DEFAULT cannot stand in a CASE: each combination of SET DEFAULT edges
 * that a row can match is a statement of its own, and no row matches two combinations.
 */
import { quoteName } from '../sql/names.js';
import { references } from './match.js';
import type { Change, Edge, Plan } from './plan.js';
import { deletedRows, notDeleted, tableOf } from './rows.js';

/** The CTEs of a change: `pgc_u0_0 AS (UPDATE …)`, one a combination. They return the columns of `changedColumns`. */
export function renderChange(change: Change, index: number, plan: Plan): readonly string[] {
  const columns = changedColumns(change).map(quoteName);
  const returning = columns.length > 0 ? ` RETURNING ${columns.map((name) => `r.${name}`).join(', ')}` : '';
  return combinations(change).map((defaults, i) => {
    const header = `${changeName(index, i)}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`;
    return `${header} AS (${renderUpdate(change, defaults, plan)}${returning})`;
  });
}

export function changeName(index: number, combination: number): string {
  return `pgc_u${index}_${combination}`;
}

/** What the checks of new keys need: the columns of the SET DEFAULT keys. */
export function changedColumns(change: Change): readonly string[] {
  return [...new Set(defaultEdges(change).flatMap(({ key }) => key.columns.map(({ from }) => from)))];
}

/** For each edge of SET DEFAULT the combinations it takes part in, by their number. */
export function combinationsWith(change: Change, edge: Edge): readonly number[] {
  return combinations(change).flatMap((defaults, i) =>
    defaults.some(({ key }) => key === edge.key) ? [i] : [],
  );
}

function renderUpdate(change: Change, defaults: readonly Edge[], plan: Plan): string {
  const matches = ({ key, parent }: Edge) => references(key, 'r', deletedRows(plan, parent));
  const nulls = change.edges.filter(({ key }) => key.action === 'set null');
  const others = defaultEdges(change).filter((edge) => !defaults.includes(edge));
  const conditions = [
    ...defaults.map((edge) => `(${matches(edge)})`),
    ...others.map((edge) => `(${matches(edge)}) IS NOT TRUE`),
    ...(defaults.length === 0 ? [`(${nulls.map(matches).join(' OR ')})`] : []),
    ...(change.except === undefined ? [] : [notDeleted(plan, change.except, 'r')]),
  ];
  const sure = nulls.length === 1 && defaults.length === 0;
  const nulled = new Set(nulls.flatMap(({ key }) => key.setColumns));
  const assignments = [
    ...[...nulled].map((column) => {
      const edges = nulls.filter(({ key }) => key.setColumns.includes(column));
      const value = sure
        ? 'NULL'
        : `CASE WHEN ${edges.map(matches).join(' OR ')} THEN NULL ELSE r.${quoteName(column)} END`;
      return `${quoteName(column)} = ${value}`;
    }),
    ...[...new Set(defaults.flatMap(({ key }) => key.setColumns))].map(
      (column) => `${quoteName(column)} = DEFAULT`,
    ),
  ];
  return `UPDATE ${tableOf(change.relation)} AS r SET ${assignments.join(', ')} WHERE ${conditions.join(' AND ')}`;
}

/** All sets of SET DEFAULT edges; the empty one only where there is a SET NULL edge to act on. */
function combinations(change: Change): readonly (readonly Edge[])[] {
  const subsets = defaultEdges(change).reduce<readonly (readonly Edge[])[]>(
    (sets, edge) => [...sets, ...sets.map((set) => [...set, edge])],
    [[]],
  );
  return change.edges.some(({ key }) => key.action === 'set null') ? subsets : subsets.slice(1);
}

function defaultEdges(change: Change): readonly Edge[] {
  return change.edges.filter(({ key }) => key.action === 'set default');
}
