/**
 * A plan as the pages carry it out. Pages find all rows before they delete or update them, and no more rows than a page may have. The rows that
 * one step finds are a node; the rows of the nodes below it reference them.
 */
import type { ForeignKey } from '../../graph/model.js';
import { identifyingColumns } from '../../plan/identifying-columns.js';
import { type Deletion, grouped, oncePerPlan, type Plan } from '../../plan/plan.js';
import { depthsOf } from '../single/levels.js';

/**
 * `client`: the rows of the client's own DELETE. `rows`: rows of one table to delete, which reference rows of nodes above. `cycle`: the same for the
 * tables of a cycle, or a table that references itself. `nulls`: rows whose key is set to NULL.
 */
export interface PageNode {
  readonly kind: 'client' | 'rows' | 'cycle' | 'nulls';
  /** The deletions whose rows it has. A `nulls` node has one that stands for the UPDATE. */
  readonly deletions: readonly Deletion[];
  /** The key that is set to NULL. */
  readonly key?: ForeignKey;
  /** The indexes of the nodes whose rows reference its rows. */
  readonly below: readonly number[];
  /**
   * The indexes of other `nulls` nodes that may have the same rows, where rows are known by their ctid, which an UPDATE changes: a page has only
   * one of these nodes.
   */
  readonly exclusive: readonly number[];
  /** How many steps after that of the client's rows it is found. */
  readonly depth: number;
}

export interface PagedPlan {
  /** The plan, with a further deletion for each SET NULL key, after all others, which is in none of the plan's `members`. */
  readonly plan: Plan;
  /** The client's node first, then each after those whose rows its own reference. */
  readonly nodes: readonly PageNode[];
}

/** @param plan one of wholePlan */
export const pagedPlan = oncePerPlan((plan): PagedPlan => {
  const nulls = plan.keys
    .filter(({ action }) => action === 'set null')
    .map((key, i) =>
      identified({ ...CHANGED, id: plan.deletions.length + i, relation: key.referencing, keys: [key] }),
    );
  const extended: Plan = { ...plan, deletions: [...plan.deletions, ...nulls] };
  const depths = depthsOf(extended);
  const groups = [
    ...grouped(plan.deletions, ({ id, cycle }) =>
      cycle === undefined ? `${id}` : `cycle ${cycle}`,
    ).values(),
    ...nulls.map((deletion) => [deletion]),
  ];
  const nodes = groups.map((deletions): PageNode => {
    const [first] = deletions;
    if (first === undefined) throw new Error('a group of deletions has one');
    const isNull = first.id >= plan.deletions.length;
    const kind = isNull
      ? 'nulls'
      : first.origin === 'client'
        ? 'client'
        : first.cycle === undefined
          ? 'rows'
          : 'cycle';
    const own = new Set(deletions.map(({ id }) => id));
    const below = groups.flatMap((others, i) =>
      others !== deletions && others.some(references(own, plan)) ? [i] : [],
    );
    const [key] = isNull ? first.keys : [];
    const exclusive = groups.flatMap(([other], i) =>
      isNull && other && other.id >= plan.deletions.length && areExclusive(first, other) ? [i] : [],
    );
    return { kind, deletions, below, exclusive, depth: depths[first.id] ?? 0, ...(key ? { key } : {}) };
  });
  return { plan: extended, nodes };
});

/** The same plan, in which each deletion also returns the columns that identify its rows. */
export const wholePlan = oncePerPlan(
  (plan): Plan => ({ ...plan, deletions: plan.deletions.map(identified) }),
);

const CHANGED = { origin: 'key', inherits: false, cycle: undefined, returns: [] } as const;

function identified(deletion: Deletion): Deletion {
  const { relation, returns } = deletion;
  return { ...deletion, returns: [...new Set([...returns, ...identifyingColumns(relation, deletion)])] };
}

/** Whether two UPDATEs may find the same row by its ctid, which the first one changes. */
function areExclusive(one: Deletion, other: Deletion): boolean {
  return one !== other && one.relation === other.relation && one.relation.primaryKey.length === 0;
}

/** Whether a deletion deletes rows that reference those of one of these deletions. */
function references(ids: ReadonlySet<number>, { members }: Plan): (deletion: Deletion) => boolean {
  return ({ keys }) =>
    keys.some(({ referenced }) => (members.get(referenced) ?? []).some(({ deletion }) => ids.has(deletion)));
}
