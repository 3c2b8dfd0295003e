import type { Relation } from '../graph/model.js';
import type { Deletion } from './plan.js';

/** Where a row is. */
export const PLACE = ['tableoid', 'ctid'];

/**
 * The columns that tell the rows of `relation` apart among those of a deletion. The primary key holds through a
 * concurrent update; where there is none, or the deletion takes rows of other relations too, there is only the place of
 * the row, which does not.
 */
export function identifyingColumns(relation: Relation, deletion: Deletion): readonly string[] {
  const alone = deletion.relation === relation && !deletion.inherits;
  return alone && relation.primaryKey.length > 0 ? relation.primaryKey : PLACE;
}
