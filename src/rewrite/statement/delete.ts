/** DELETE, and MERGE or WITH that deletes: expanded, where the proxy performs a key of what is deleted. */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Steps } from '../../pace.js';
import type { Plan, Target } from '../../plan/plan.js';
import { firedByDelete } from '../../plan/triggers.js';
import { identifiedPlan } from '../../render/ordered/identified.js';
import { renderSequence } from '../../render/ordered/sequence.js';
import { wholePlan } from '../../render/paged/paged-plan.js';
import { renderPages } from '../../render/paged/pages.js';
import { renderLocks } from '../../render/single/locks.js';
import { cachedPlan } from '../../render/single/plan-cache.js';
import { renderStatement } from '../../render/single/render.js';
import type { Root } from '../../render/single/root.js';
import type { Spliced } from '../../render/splice.js';
import { quoteRelation } from '../../sql/names.js';
import { fingerprint } from '../../sql/parser/parser.js';
import type { DeletingStatement, Site } from '../../sql/statement/statement.js';
import { type Expanded, type RewriteContext, relationOf } from './context.js';
import type { SingleProgram } from './program.js';
import type { CascadeTreatment } from './treatment.js';
import { judgeTriggers } from './trigger-policy.js';
import { prepareTreatment, refuse, unchangedTreatment } from './unexpanded.js';
import { refuseWrites } from './write.js';

/** Characters: a longer text would hold up the event loop. */
const LONGEST_FINGERPRINTED = 4 * 1024;

/** A place in the statement that deletes, and what it deletes from. */
interface Concerned {
  readonly site: Site;
  readonly target: Target;
}

/**
 * @param text the statement's own
 * @throws ProxyError PGC_RELATION, PGC_FORM or PGC_SERVER for what cannot be expanded; what cachedPlan, renderStatement and refuseWrites throw
 */
export function* expandDelete(
  text: string,
  statement: DeletingStatement,
  context: RewriteContext,
): Steps<Expanded> {
  refuseWrites(statement.form, statement.writes, context);
  const concerned = statement.executed.flatMap((site): readonly Concerned[] => {
    const target = targetOf(site, context);
    return target ? [{ site, target }] : [];
  });
  const targets = concerned.map(({ target }) => target);
  const planned = yield* cachedPlan(context.graph, targets);
  const plan = planned && planFor(planned, context);
  yield;
  const named = statement.sites.flatMap(({ target, only }) => {
    const relation = relationOf(target, context);
    return relation ? [{ relation, only }] : [];
  });
  const triggers = judgeTriggers(firedByDelete(context.graph, [...named, ...targets]), named, context);
  if (triggers.kind === 'refused') return refuse(text, statement, triggers.error, { reject: true });
  const { warnings } = triggers;
  if (plan === undefined) return { treatments: [unchangedTreatment(text, statement)], warnings };
  refuseServer(targets, context);
  refuseForm(statement, plan, targets, context);
  return { ...(yield* render(text, statement, plan, concerned, context)), warnings };
}

/** With what the way in which it is carried out has to know of the rows. */
function planFor(plan: Plan, { batchRows, strategy }: RewriteContext): Plan {
  if (batchRows > 0) return wholePlan(plan);
  return strategy === 'ordered' ? identifiedPlan(plan) : plan;
}

function* render(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  concerned: readonly Concerned[],
  context: RewriteContext,
): Steps<Expanded> {
  const roots = concerned.flatMap((each, i): readonly Root[] => {
    const deletion = plan.deletions[i];
    return deletion ? [{ ...each, deletion }] : [];
  });
  const { batchRows, counting, strategy } = context;
  const treatment: Omit<CascadeTreatment, 'program'> = {
    kind: 'cascade',
    plan,
    fingerprint: counting && text.length <= LONGEST_FINGERPRINTED ? fingerprint(text) : undefined,
    target: concerned
      .map(({ target: { relation, view } }) => quoteRelation(view?.relation ?? relation))
      .join(', '),
    command: statement.sites.find(({ cte }) => cte === undefined)?.command,
  };
  if (batchRows > 0) {
    const pages = renderPages(text, statement, plan, roots, batchRows);
    return { treatments: [{ ...treatment, program: { kind: 'paged', pages } }] };
  }
  if (strategy === 'ordered') {
    const program = { kind: strategy, sequence: renderSequence(text, statement, plan, roots) };
    return { treatments: [{ ...treatment, program }] };
  }
  const { program, sql, copied } = yield* single(text, statement, plan, roots, context);
  const expanded: CascadeTreatment = { ...treatment, program };
  const { prepares } = statement;
  return {
    treatments: [
      prepares === undefined
        ? expanded
        : prepareTreatment(prepares, text, { sql, copied }, expanded, statement),
    ],
    sql,
    copied,
  };
}

function* single(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  { counting, locks, retries: mayRetry, returnedColumns }: RewriteContext,
): Steps<Spliced & { readonly program: SingleProgram }> {
  // A prepared statement may be executed where it cannot be sent again, and the answer to a COPY begins before it is done.
  const retries = mayRetry && statement.outer !== 'PREPARE' && statement.outer !== 'COPY';
  const mode = { suspecting: retries, counting };
  const { sql, copied, shape } = yield* renderStatement(text, statement, plan, roots, mode, returnedColumns);
  yield;
  const program: SingleProgram = {
    kind: 'single',
    shape,
    suspecting: retries && plan.checks.length > 0,
    locks: renderLocks(text, statement, plan, roots, locks),
  };
  return { sql, copied, program };
}

/** @throws ProxyError PGC_RELATION for a view of which it cannot be told what it deletes from */
function targetOf(site: Site, context: RewriteContext): Target | undefined {
  const { graph } = context;
  const relation = relationOf(site.target, context);
  if (relation?.kind !== 'v') return relation && { relation, only: site.only, view: undefined };
  const base = graph.base(relation);
  if (base === undefined) return undefined;
  if (base !== 'unknown')
    return { relation: base.relation, only: base.only, view: { relation, columns: base.columns } };
  if (!graph.viewed(relation).some((each) => graph.acts(each))) return undefined;
  const what = 'a view of which cannot be told what is deleted';
  throw new ProxyError('PGC_RELATION', { table: quoteRelation(relation), what });
}

/** @throws ProxyError PGC_SERVER where the server is known to refuse a statement that changes several tables */
function refuseServer(targets: readonly Target[], { profile: { family } }: RewriteContext): void {
  const { reason = '', servers, strategy } = family;
  if (strategy === 'single') return;
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  throw new ProxyError('PGC_SERVER', { table, server: servers[0] ?? family.name, reason });
}

/** @throws ProxyError PGC_FORM for a form that cannot be expanded on this server, or together with what it changes */
function refuseForm(
  { form, sites, writes }: DeletingStatement,
  plan: Plan,
  targets: readonly Target[],
  context: RewriteContext,
): void {
  const { graph, profile } = context;
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  if (sites.some(({ command }) => command === 'MERGE') && !profile.can.returnFromMerge)
    throw new ProxyError('PGC_FORM', { table, form: 'MERGE on a server before version 17' });
  // The rest of a statement does not see what the statement itself inserts or gives another key; natively the cascade sees it.
  const referencing = new Set(plan.keys.map((key) => key.referencing));
  const concerned = new Set([...referencing].flatMap((each) => graph.tree(each)));
  const holds = (relation: Relation) =>
    [relation, ...graph.descendants(relation), ...graph.viewed(relation)].some((each) => concerned.has(each));
  const changed = writes.map(({ target }) => relationOf(target, context)).find((each) => each && holds(each));
  if (changed)
    throw new ProxyError('PGC_FORM', {
      table,
      form: `a ${form} that also changes ${quoteRelation(changed)}`,
    });
}
