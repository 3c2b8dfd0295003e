/** Of what two parts of a WITH break, the key of one is named here, as its keys are checked part by part. */
import type { BrokenRule } from '../broken-rule.js';
import { type Relation, type Schema, tree } from '../schema.js';
import { writtenParts } from './write-forms.js';
import type { WriteSpec } from './write-spec.js';

/**
 * Whether the proxy names a key that a row of one part breaks, and natively another part breaks a key of its own, or a constraint of another
 * sort: here that part is carried out after the one whose key is named, as in these statements neither reads from one that writes
 * another table.
 * @param one what is natively broken
 * @param other what the proxy says is broken
 */
export function brokenInOtherPart(
  one: BrokenRule,
  other: BrokenRule,
  schema: Schema,
  spec: WriteSpec,
): boolean {
  if (!other.unreferenced || !other.key || one.key === other.key) return false;
  const isOtherSort = one.key === undefined && one.code !== FOREIGN_KEY;
  if (!isOtherSort && !one.unreferenced) return false;
  const parts = writtenParts(schema, spec);
  return parts.some(
    (part, i) => isIn(part, one.table) && parts.some((another, j) => i !== j && isIn(another, other.table)),
  );
}

/** A row may have to go to another partition than the one that is written. */
export function isIn({ table }: Relation, name: string | undefined): boolean {
  return tree(table.root).some((each) => `${each.schema}.${each.name}` === name);
}

const FOREIGN_KEY = '23503';
