/** Counts the rows that each part of the one statement deletes or updates, in a column beside the client's result. Only where `audit.path` asks for it. */
import type { Relation } from '../../graph/model.js';
import type { Change, Plan } from '../../plan/plan.js';
import { changeParts } from './actions/changes.js';
import { cteName } from './actions/rows.js';

/** A part of the statement: the relation whose rows it changes, and by which action. */
export interface Counted {
  readonly relation: Relation;
  readonly action: 'delete' | 'cascade' | 'set null' | 'set default';
}

/** How many rows a part has changed. */
export interface CountedRows extends Counted {
  readonly rows: number;
}

interface Part extends Counted {
  readonly cte: string;
}

/** The parts that the numbers of `countsColumn` are about, in the same order. */
export function countedParts(plan: Plan): readonly Counted[] {
  return partsOf(plan).map(({ relation, action }) => ({ relation, action }));
}

/**
 * One column with all counts, as text. The server executes a data-modifying CTE when another query first reads from it; those that nothing
 * reads from it executes at the end, the last one first. This column reads from all of them, so it reads in that order too.
 *
 *     array_to_string(ARRAY[(SELECT count(*) FROM pgc_u0_0), (SELECT count(*) FROM pgc_1), (SELECT count(*) FROM pgc_0)], ',')
 */
export function countsColumn(plan: Plan): string {
  const counts = partsOf(plan).map(({ cte }) => `(SELECT pg_catalog.count(*) FROM ${cte})`);
  return `pg_catalog.array_to_string(ARRAY[${counts.join(', ')}], ',')`;
}

function partsOf({ deletions, changes }: Plan): readonly Part[] {
  // A DELETE of the client's from a table that no key of the plan references has no CTE of the proxy's.
  const counted = deletions.filter(({ origin, returns }) => origin === 'key' || returns.length > 0);
  const deleted = counted.map(({ id, relation, origin }): Part => {
    return { cte: cteName(id), relation, action: origin === 'client' ? 'delete' : 'cascade' };
  });
  return [...deleted, ...changes.flatMap(partsOfChange)].reverse();
}

function partsOfChange(change: Change, index: number): readonly Part[] {
  return changeParts(change, index).map(({ name, defaults }): Part => {
    return { cte: name, relation: change.relation, action: defaults.length > 0 ? 'set default' : 'set null' };
  });
}
