/**
 * Caches the last plans that were made over a graph, and the SQL that follows the client's own DELETEs. The statements of a series differ
 * only in their values, and neither the plan nor this SQL has values.
 */
import type { Graph } from '../../graph/graph.js';
import type { Steps } from '../../pace.js';
import type { Plan, Target } from '../../plan/plan.js';
import { planDelete } from '../../plan/planner.js';
import { renderChange } from './actions/changes.js';
import { renderDeletions } from './actions/deletions.js';
import type { RenderMode } from './actions/rows.js';
import { renderChecks } from './checks/checks.js';

/** How many plans are cached for a graph. A plan is as large as the number of tables that it reaches. */
const MOST_PLANS = 8;

const plans = new WeakMap<Graph, Map<string, { readonly plan: Plan | undefined }>>();

/** The plan of planDelete for these targets, from the cache where it is there. */
export function* cachedPlan(graph: Graph, targets: readonly Target[]): Steps<Plan | undefined> {
  const known = plans.get(graph) ?? new Map<string, { readonly plan: Plan | undefined }>();
  plans.set(graph, known);
  const key = targets
    .map(({ relation, only, view }) => [relation.oid, only, view?.relation.oid].join())
    .join(' ');
  const made = known.get(key) ?? { plan: yield* planDelete(graph, targets) };
  // A plan that is used moves to the end, so that the first one is the least recently used.
  known.delete(key);
  known.set(key, made);
  const [oldest] = known.keys();
  if (known.size > MOST_PLANS && oldest !== undefined) known.delete(oldest);
  return made.plan;
}

/** The CTEs that follow the client's DELETEs, and the conditions of the whole statement, each of which is true or fails it. */
export interface CascadeSql {
  readonly ctes: readonly string[];
  readonly conditions: readonly string[];
}

const rendered = new Map<string, WeakMap<Plan, CascadeSql>>();

/** `pgc_1 AS (DELETE FROM ONLY posts …), pgc_u0_0 AS (UPDATE ONLY notes …)`, and the conditions of renderChecks. */
export function* renderCascade(plan: Plan, mode: RenderMode): Steps<CascadeSql> {
  const modeKey = `${mode.suspecting} ${mode.counting}`;
  const known = rendered.get(modeKey) ?? new WeakMap<Plan, CascadeSql>();
  rendered.set(modeKey, known);
  const made = known.get(plan) ?? (yield* cascadeSql(plan, mode));
  known.set(plan, made);
  return made;
}

function* cascadeSql(plan: Plan, mode: RenderMode): Steps<CascadeSql> {
  const { ctes, conditions } = renderChecks(plan, mode.suspecting);
  yield;
  const changes = plan.changes.flatMap((change, i) => renderChange(change, i, plan, mode));
  yield;
  const deletions = renderDeletions(plan, () => (mode.counting ? 'count' : 'delete'));
  return { ctes: [...deletions, ...ctes, ...changes], conditions };
}
