/**
 * The plans that were made last over a graph, and the SQL that comes after the client's own DELETEs. The statements of a series
 * differ in their values alone, and these are neither in the plan nor in that SQL.
 */
import type { Graph } from '../../graph/graph.js';
import type { Steps } from '../../pace.js';
import type { Plan, Target } from '../../plan/plan.js';
import { planDelete } from '../../plan/planner.js';
import { renderChange } from './actions/changes.js';
import { renderDeletions } from './actions/deletions.js';
import type { RenderMode } from './actions/rows.js';
import { renderChecks } from './checks/checks.js';

/** Plans cached for a graph: each is as large as the number of tables that it reaches. */
const MOST_PLANS = 8;

const plans = new WeakMap<Graph, Map<string, { readonly plan: Plan | undefined }>>();

/** As planDelete, or what it gave before for the same targets. */
export function* cachedPlan(graph: Graph, targets: readonly Target[]): Steps<Plan | undefined> {
  const known = plans.get(graph) ?? new Map<string, { readonly plan: Plan | undefined }>();
  plans.set(graph, known);
  const key = targets
    .map(({ relation, only, view }) => [relation.oid, only, view?.relation.oid].join())
    .join(' ');
  const made = known.get(key) ?? { plan: yield* planDelete(graph, targets) };
  // A plan that is used moves to the end: the one at the beginning was not used for the longest time.
  known.delete(key);
  known.set(key, made);
  const [oldest] = known.keys();
  if (known.size > MOST_PLANS && oldest !== undefined) known.delete(oldest);
  return made.plan;
}

/** The CTEs that follow the client's DELETEs, and the conditions of the whole statement: each is true, or fails. */
export interface CascadeSql {
  readonly ctes: readonly string[];
  readonly conditions: readonly string[];
}

const rendered = new Map<string, WeakMap<Plan, CascadeSql>>();

/** `pgc_1 AS (DELETE FROM ONLY posts …), pgc_u0_0 AS (UPDATE ONLY notes …)`, and the conditions of renderChecks. */
export function* renderCascade(plan: Plan, mode: RenderMode): Steps<CascadeSql> {
  const way = `${mode.suspecting} ${mode.counting}`;
  const known = rendered.get(way) ?? new WeakMap<Plan, CascadeSql>();
  rendered.set(way, known);
  const made = known.get(plan) ?? (yield* below(plan, mode));
  known.set(plan, made);
  return made;
}

function* below(plan: Plan, mode: RenderMode): Steps<CascadeSql> {
  const { ctes, conditions } = renderChecks(plan, mode.suspecting);
  yield;
  const changes = plan.changes.flatMap((change, i) => renderChange(change, i, plan, mode));
  yield;
  const deletions = renderDeletions(plan, () => (mode.counting ? 'count' : 'delete'));
  return { ctes: [...deletions, ...ctes, ...changes], conditions };
}
