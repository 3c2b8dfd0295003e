import type { Relation } from '../graph/model.js';

/**
 * The columns that tell a relation's rows apart. The primary key holds through a concurrent update; a table without one
 * has only the place of the row, which does not.
 */
export function identity(relation: Relation): readonly string[] {
  return relation.primaryKey.length > 0 ? relation.primaryKey : ['tableoid', 'ctid'];
}
