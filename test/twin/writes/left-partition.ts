/** A row that leaves a partition under an overridden key: the server goes by its own ON DELETE. */
import type { BrokenRule } from '../broken-rule.js';
import { type Schema, tree } from '../schema.js';
import { writtenRelations } from './write-forms.js';
import { setsReferenced, type WriteSpec } from './write-spec.js';

/**
 * Whether an UPDATE sets what its table is partitioned by, and here the server says that a row is still referenced by a key of a
 * partition, which it enforces as NO ACTION. Natively the key is another one, and acts.
 * @param one what is natively broken
 * @param other what the proxy says is broken
 */
export function leavesPartition(
  one: BrokenRule | undefined,
  { key, unreferenced, code }: BrokenRule,
  schema: Schema,
  spec: WriteSpec,
): boolean {
  if (!schema.overridden || key === undefined || unreferenced || code !== FOREIGN_KEY) return false;
  if (one?.key === key || key.action === 'NO ACTION' || key.to.part === undefined) return false;
  const written = writtenRelations(schema, spec);
  return setsReferenced(spec) && written.some((each) => tree(each.table.root).includes(key.to));
}

const FOREIGN_KEY = '23503';
