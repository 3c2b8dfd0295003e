/** How the parts of the one statement name tables, and the rows that other parts delete. */
import type { Relation } from '../graph/model.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import { identity } from './identity.js';
import { type Deleted, equals } from './match.js';
import type { Deletion, Plan } from './plan.js';

export function cteName(deletion: number): string {
  return `pgc_${deletion}`;
}

/** The columns of a deletion's CTE. Those of the client's RETURNING stand beside them, under whatever names they have. */
export function columnName(index: number): string {
  return `pgc_c${index}`;
}

/** The rows of a deletion, for matching. */
export function deletedRows(plan: Plan, id: number): Deleted {
  const returns = plan.deletions[id]?.returns ?? [];
  return { cte: cteName(id), column: (name) => columnName(returns.indexOf(name)) };
}

/** `ONLY`, as a key never holds for inheritance children; a partitioned table's rows are all in its partitions. */
export function tableOf(relation: Relation): string {
  return `${relation.kind === 'p' ? '' : 'ONLY '}${quoteRelation(relation)}`;
}

/** The rows of an ordered deletion with their place `n` in it. */
export function numbered(id: number): string {
  return `pgc_n${id}`;
}

/**
 * The CTE that numbers an ordered deletion. The client's own rows come as they were deleted. Others come as PostgreSQL's
 * queue would have deleted them: by the stage, by the place of the row they referenced, then by the age of the key.
 */
export function renderNumbered(plan: Plan, { id, edges }: Deletion): string {
  const { cte, column } = deletedRows(plan, id);
  const columns = (plan.deletions[id]?.returns ?? []).map((name) => column(name)).join(', ');
  const rows = `SELECT ${columns}, pg_catalog.row_number() OVER () AS n FROM ${cte}`;
  if (edges.length === 0) return `${numbered(id)} AS (${rows})`;
  const events = edges.map(({ key, parent, stage }, age) => {
    const referenced = deletedRows(plan, parent).column;
    const by = `JOIN ${numbered(parent)} AS p ON ${equals(key, 'p', referenced, 'd', column)}`;
    return `SELECT d.*, ARRAY[${stage}, p.n, ${age}] AS event FROM (${rows}) AS d ${by}`;
  });
  // `n` of the inner rows is the order in which they were found: the last resort.
  const first = `SELECT DISTINCT ON (n) * FROM (${events.join(' UNION ALL ')}) AS e ORDER BY n, event`;
  const place = 'pg_catalog.row_number() OVER (ORDER BY event, n) AS n';
  return `${numbered(id)} AS (SELECT ${columns}, ${place} FROM (${first}) AS f)`;
}

/** A condition: `row` is among the rows that a deletion takes. Never null. */
export function isDeleted(plan: Plan, id: number, row: string): string {
  const { cte, column } = deletedRows(plan, id);
  const relation = plan.deletions[id]?.relation;
  const same = (relation ? identity(relation) : []).map(
    (name) => `g.${column(name)} OPERATOR(pg_catalog.=) ${row}.${quoteName(name)}`,
  );
  return `EXISTS (SELECT FROM ${cte} AS g WHERE ${same.join(' AND ')})`;
}
