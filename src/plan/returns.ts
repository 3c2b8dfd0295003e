/** The columns that each deletion has to return of its rows, because the rest of the plan needs them. Pure. */
import type { ForeignKey, Relation } from '../graph/model.js';
import { identifyingColumns, PLACE } from './identifying-columns.js';
import type { Check, Deletion, Plan } from './plan.js';

/**
 * Visits every key, check and deletion once, and of each the deletions that it is about.
 * @param plan in which what its deletions return is not known yet
 * @returns the columns of each deletion, by its id
 */
export function returnsOf(plan: Plan): readonly (readonly string[])[] {
  const { deletions, keys, checks, changes, overlaps } = plan;
  const returned = deletions.map(() => new Set<string>());
  const add = (deletion: number, columns: readonly string[]) => {
    for (const column of columns) returned[deletion]?.add(column);
  };
  const identify = (relation: Relation, isAbout: (deletion: Deletion) => boolean) => {
    for (const id of overlaps.get(relation) ?? []) {
      const deletion = deletions[id];
      if (deletion && isAbout(deletion)) add(id, identifyingColumns(relation, deletion));
    }
  };
  const imaged = new Set(checks.map(imageBy));
  for (const key of keys)
    for (const { deletion, within } of plan.members.get(key.referenced) ?? []) {
      add(
        deletion,
        key.columns.map(({ referenced }) => referenced),
      );
      if (imaged.has(key)) add(deletion, PLACE);
      if (within) add(deletion, ['tableoid']);
    }
  for (const { relation, origin, cycle } of deletions) {
    const found = cycle !== undefined && relation.mayKeepRows;
    if (origin === 'key') identify(relation, (deletion) => found || deletion.origin === 'client');
  }
  const kept =
    checks.length === 0
      ? []
      : keys.map(({ referencing }) => referencing).filter(({ mayKeepRows }) => mayKeepRows);
  const compared = [...changes.map(({ relation }) => relation), ...checks.flatMap(lookedAt), ...kept];
  for (const relation of new Set(compared)) identify(relation, () => true);
  for (const { id, relation, origin, cycle } of deletions) {
    // What was found is compared with what several deletions took.
    if (cycle !== undefined && relation.mayKeepRows) add(id, [...relation.primaryKey, ...PLACE]);
    if (origin === 'client' && checks.length > 0) add(id, PLACE);
  }
  return returned.map((columns) => [...columns]);
}

/** The SET key of a check, where the check has to know which deleted row a changed row referenced before. */
function imageBy(check: Check): ForeignKey | undefined {
  switch (check.kind) {
    case 'same key':
    case 'new key':
    case 'mixed key':
      return check.by;
    case 'not null':
    case 'overlap':
      return check.key;
    case 'rows':
    case 'order':
    case 'referenced':
      return undefined;
    default:
      return check satisfies never;
  }
}

/** The relations of which a check has to know the deleted rows. */
function lookedAt(check: Check): readonly Relation[] {
  switch (check.kind) {
    case 'referenced':
      return [check.key.referencing, check.on, check.other.referencing];
    case 'overlap':
      return [check.key.referencing, check.on];
    case 'order':
      return [];
    case 'rows':
    case 'same key':
    case 'new key':
    case 'mixed key':
    case 'not null':
      return [check.key.referencing];
    default:
      return check satisfies never;
  }
}
