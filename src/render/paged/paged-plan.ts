/**
 * A plan as pages go by it: every row that is deleted or changed is found by a step of its own, and no more of them than a page
 * may have. What is found together is a node; a node is referenced by the rows of the nodes that hang on it.
 */

import type { ForeignKey } from '../../graph/model.js';
import { identifyingColumns } from '../../plan/identifying-columns.js';
import { type Deletion, grouped, oncePerPlan, type Plan } from '../../plan/plan.js';
import { depthsOf } from '../single/levels.js';

/**
 * `rows`: of one table, which reference rows of nodes above. `cycle`: rows of the tables of a cycle, or of one that references
 * itself. `nulls`: rows that stay, and lose the key by which they reference rows that go. `client`: those of the client's own DELETE.
 */
export interface PageNode {
  readonly kind: 'client' | 'rows' | 'cycle' | 'nulls';
  /** Its deletions. Of `nulls` it is one that stands for the change. */
  readonly deletions: readonly Deletion[];
  /** The key that is set to NULL. */
  readonly key?: ForeignKey;
  /** The places, among the nodes, of those that hang on it. */
  readonly below: readonly number[];
  /** The places of other `nulls` that may be about a row of these, which is somewhere else when it was changed: a page has only one of them. */
  readonly apart: readonly number[];
  /** How many steps after the client's rows it is found. */
  readonly depth: number;
}

export interface PagedPlan {
  /** With a deletion for each key that is set to NULL, after all others; no member of anything. */
  readonly plan: Plan;
  /** The client's first, then each after those that it hangs on. */
  readonly nodes: readonly PageNode[];
}

/** @param plan with what tells all rows apart (wholePlan) */
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
    const apart = groups.flatMap(([other], i) =>
      isNull && other && other.id >= plan.deletions.length && areApart(first, other) ? [i] : [],
    );
    return { kind, deletions, below, apart, depth: depths[first.id] ?? 0, ...(key ? { key } : {}) };
  });
  return { plan: extended, nodes };
});

/** The same plan, in which each deletion also returns what tells its rows apart. */
export const wholePlan = oncePerPlan(
  (plan): Plan => ({ ...plan, deletions: plan.deletions.map(identified) }),
);

const CHANGED = { origin: 'key', inherits: false, cycle: undefined, returns: [] } as const;

function identified(deletion: Deletion): Deletion {
  const { relation, returns } = deletion;
  return { ...deletion, returns: [...new Set([...returns, ...identifyingColumns(relation, deletion)])] };
}

/** Whether two changes may be of one row that they find by its place, from which the first one moves it. */
function areApart(one: Deletion, other: Deletion): boolean {
  return one !== other && one.relation === other.relation && one.relation.primaryKey.length === 0;
}

/** Whether a deletion takes rows that reference those of one of these deletions. */
function references(ids: ReadonlySet<number>, { members }: Plan): (deletion: Deletion) => boolean {
  return ({ keys }) =>
    keys.some(({ referenced }) => (members.get(referenced) ?? []).some(({ deletion }) => ids.has(deletion)));
}
