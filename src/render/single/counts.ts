/** Counts the rows that each part of the one statement takes, in a column beside the client's result, where they are to be counted. */
import type { Relation } from '../../graph/model.js';
import type { Change, Plan } from '../../plan/plan.js';
import { changeParts } from './actions/changes.js';
import { cteName } from './actions/rows.js';

/** What a part of the statement does to rows of a relation. */
export interface Counted {
  readonly relation: Relation;
  readonly action: 'delete' | 'cascade' | 'set null' | 'set default';
}

/** How many rows a part took. */
export interface CountedRows extends Counted {
  readonly rows: number;
}

interface Part extends Counted {
  readonly cte: string;
}

/** What the numbers in the column of `countsColumn` count, in their order. */
export function countedParts(plan: Plan): readonly Counted[] {
  return partsOf(plan).map(({ relation, action }) => ({ relation, action }));
}

/**
 * A column with all counts, as text: one column, whatever the number of tables. The server executes a CTE that changes rows when it is first
 * read from, and those that nothing reads from at the end, the last one first. Here all of them are read from, in the order in which
 * they would be executed without that: the last one first.
 *
 *     array_to_string(ARRAY[(SELECT count(*) FROM pgc_u0_0), (SELECT count(*) FROM pgc_1), (SELECT count(*) FROM pgc_0)], ',')
 */
export function countsColumn(plan: Plan): string {
  const counts = partsOf(plan).map(({ cte }) => `(SELECT pg_catalog.count(*) FROM ${cte})`);
  return `pg_catalog.array_to_string(ARRAY[${counts.join(', ')}], ',')`;
}

function partsOf({ deletions, changes }: Plan): readonly Part[] {
  // What the client deletes from a table that no key of the plan follows has no CTE of the proxy's.
  const told = deletions.filter(({ origin, returns }) => origin === 'key' || returns.length > 0);
  const deleted = told.map(({ id, relation, origin }): Part => {
    return { cte: cteName(id), relation, action: origin === 'client' ? 'delete' : 'cascade' };
  });
  return [...deleted, ...changes.flatMap(partsOfChange)].reverse();
}

function partsOfChange(change: Change, index: number): readonly Part[] {
  return changeParts(change, index).map(({ name, defaults }): Part => {
    return { cte: name, relation: change.relation, action: defaults.length > 0 ? 'set default' : 'set null' };
  });
}
