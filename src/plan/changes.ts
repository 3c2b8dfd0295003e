/**
 * SET NULL and SET DEFAULT as UPDATEs. Two CTEs that update one row apply only one of them, so all edges of a table
 * go into one statement, with a CASE an edge. DEFAULT cannot stand in a CASE: each combination of SET DEFAULT edges
 * that a row can match is a statement of its own, and no row matches two combinations.
 */
import { quoteName } from '../sql/names.js';
import { equals, references } from './match.js';
import type { Change, Edge, Plan } from './plan.js';
import { deletedRows, isDeleted, numbered, tableOf } from './rows.js';

/**
 * The CTEs of a change: `pgc_u0_0 AS (UPDATE …)`, one a combination. Those with SET DEFAULT return the new keys, and
 * for each such edge the place of the referenced row among those deleted.
 */
export function renderChange(change: Change, index: number, plan: Plan): readonly string[] {
  return combinations(change).map((defaults, i) => {
    const keys = [...new Set(defaults.flatMap(({ key }) => key.columns.map(({ from }) => from)))].map(
      quoteName,
    );
    const positions = defaults.map((edge) => positionName(change, edge));
    const update = renderUpdate(change, defaults, plan);
    if (defaults.length === 0) return `${changeName(index, i)} AS (${update})`;
    const returned = [...keys.map((name) => `r.${name}`), ...positions.map((name) => `${name}.n`)];
    const header = `${changeName(index, i)} (${[...keys, ...positions].join(', ')})`;
    return `${header} AS (${update} RETURNING ${returned.join(', ')})`;
  });
}

export function changeName(index: number, combination: number): string {
  return `pgc_u${index}_${combination}`;
}

/** The column that holds the place of the row that an edge of SET DEFAULT referenced. */
export function positionName(change: Change, edge: Edge): string {
  return `pgc_n${change.edges.findIndex(({ key }) => key === edge.key)}`;
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
  const sources = defaults.map((edge) => `${numbered(edge.parent)} AS ${positionName(change, edge)}`);
  const conditions = [
    ...defaults.map((edge) =>
      equals(edge.key, positionName(change, edge), deletedRows(plan, edge.parent).column, 'r'),
    ),
    ...others.map((edge) => `(${matches(edge)}) IS NOT TRUE`),
    ...(defaults.length === 0 ? [`(${nulls.map(matches).join(' OR ')})`] : []),
    ...(change.except === undefined ? [] : [`NOT ${isDeleted(plan, change.except, 'r')}`]),
  ];
  const sure = nulls.length === 1 && defaults.length === 0;
  const nulled = new Set(nulls.flatMap(({ key }) => key.setColumns));
  const assignments = [
    ...[...nulled].map((column) => {
      const edges = nulls.filter(({ key }) => key.setColumns.includes(column));
      const condition = edges.map(matches).join(' OR ');
      const value = sure ? 'NULL' : `CASE WHEN ${condition} THEN NULL ELSE r.${quoteName(column)} END`;
      return `${quoteName(column)} = ${value}`;
    }),
    ...[...new Set(defaults.flatMap(({ key }) => key.setColumns))].map(
      (column) => `${quoteName(column)} = DEFAULT`,
    ),
  ];
  const from = sources.length > 0 ? ` FROM ${sources.join(', ')}` : '';
  return `UPDATE ${tableOf(change.relation)} AS r SET ${assignments.join(', ')}${from} WHERE ${conditions.join(' AND ')}`;
}

/** All sets of SET DEFAULT edges; the empty one only where there is a SET NULL edge to act on. */
function combinations(change: Change): readonly (readonly Edge[])[] {
  let subsets: readonly (readonly Edge[])[] = [[]];
  for (const edge of defaultEdges(change)) subsets = [...subsets, ...subsets.map((set) => [...set, edge])];
  return change.edges.some(({ key }) => key.action === 'set null') ? subsets : subsets.slice(1);
}

function defaultEdges(change: Change): readonly Edge[] {
  return change.edges.filter(({ key }) => key.action === 'set default');
}
