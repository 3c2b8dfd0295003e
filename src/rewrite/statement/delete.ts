/** DELETE, and MERGE or WITH that deletes: expanded, where the proxy performs a key of what is deleted. */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Steps } from '../../pace.js';
import type { Plan, Target } from '../../plan/plan.js';
import { firedByDelete } from '../../plan/triggers.js';
import { serverOf } from '../../profiles/families/family.js';
import type { Guarded } from '../../render/guard/guarded.js';
import { renderLocks } from '../../render/single/locks.js';
import { cachedPlan } from '../../render/single/plan-cache.js';
import { type Beside, renderStatement } from '../../render/single/render.js';
import type { Root } from '../../render/single/root.js';
import { renderTableLocks } from '../../render/single/table-locks.js';
import type { Spliced } from '../../render/splice.js';
import { quoteRelation } from '../../sql/names.js';
import type { DeletingStatement, InTurn, Site } from '../../sql/statement/statement.js';
import { guardedBeside, insertsClear, renderedBeside, writingOf } from './beside.js';
import { type Expanded, fingerprintOf, type RewriteContext, relationOf } from './context.js';
import { inSteps } from './in-steps.js';
import type { SingleProgram } from './program.js';
import type { CascadeTreatment } from './treatment.js';
import { judgeTriggers } from './trigger-policy.js';
import { prepareTreatment, refuse } from './unexpanded.js';
import { expandWrite } from './write.js';

/** A place in the statement that deletes, and what it deletes from. */
interface Concerned {
  readonly site: InTurn<Site>;
  readonly target: Target;
}

/**
 * @param text the statement's own
 * @throws ProxyError PGC_RELATION, PGC_FORM or PGC_SERVER for what cannot be expanded; what inSteps, cachedPlan, renderStatement and guardedBeside throw
 */
export function* expandDelete(
  text: string,
  statement: DeletingStatement,
  context: RewriteContext,
): Steps<Expanded> {
  const concerned = statement.executed.flatMap((site): readonly Concerned[] => {
    const target = targetOf(site, context);
    return target ? [{ site, target }] : [];
  });
  const targets = concerned.map(({ target }) => target);
  const planned = yield* cachedPlan(context.graph, targets);
  yield;
  const named = statement.sites.flatMap(({ target, only }) => {
    const relation = relationOf(target, context);
    return relation ? [{ relation, only }] : [];
  });
  const triggers = judgeTriggers(firedByDelete(context.graph, [...named, ...targets]), named, context);
  if (triggers.kind === 'refused') return refuse(text, statement, triggers.error, { reject: true });
  const { warnings } = triggers;
  // No key that it writes references what is deleted then.
  if (planned === undefined)
    return { ...expandWrite(text, writingOf(statement), context, statement), warnings };
  const parts = guardedBeside(statement, planned, context);
  refuseServer(targets, context);
  refuseForm(statement, planned, targets, context, parts.length > 0);
  const steps =
    parts.length > 0
      ? undefined
      : inSteps(text, statement, planned, (plan) => rootsOf(plan, concerned), context);
  if (steps === undefined)
    return { ...(yield* inOne(text, statement, planned, concerned, context, parts)), warnings };
  const { plan, program } = steps;
  return {
    treatments: [{ ...treatmentOf(text, statement, plan, concerned, context), program }],
    warnings,
  };
}

function* inOne(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  concerned: readonly Concerned[],
  context: RewriteContext,
  parts: readonly Guarded[],
): Steps<Expanded> {
  const roots = rootsOf(plan, concerned);
  const beside = renderedBeside(text, statement, parts, plan, roots, context);
  const { program, sql, copied } = yield* single(text, statement, plan, roots, context, beside);
  const expanded = { ...treatmentOf(text, statement, plan, concerned, context), program, beside };
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

function rootsOf(plan: Plan, concerned: readonly Concerned[]): readonly Root[] {
  return concerned.flatMap((each, i): readonly Root[] => {
    const deletion = plan.deletions[i];
    return deletion ? [{ ...each, deletion }] : [];
  });
}

function treatmentOf(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  concerned: readonly Concerned[],
  context: RewriteContext,
): Omit<CascadeTreatment, 'program'> {
  return {
    kind: 'cascade',
    plan,
    fingerprint: fingerprintOf(text, context),
    target: concerned
      .map(({ target: { relation, view } }) => quoteRelation(view?.relation ?? relation))
      .join(', '),
    command: statement.sites.find(({ cte }) => cte === undefined)?.command,
    tableLocks: context.locks === 'tables' ? renderTableLocks(plan) : undefined,
  };
}

function* single(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  { counting, locks, retries: mayRetry, returnedColumns, strategy }: RewriteContext,
  beside: Beside | undefined,
): Steps<Spliced & { readonly program: SingleProgram }> {
  // A prepared statement may be executed where it cannot be sent again, and the answer to a COPY begins before it is done.
  const retries = mayRetry && statement.outer !== 'PREPARE' && statement.outer !== 'COPY';
  const mode = { suspecting: retries, counting };
  const rendered = yield* renderStatement(text, statement, plan, roots, mode, returnedColumns, beside);
  yield;
  const program: SingleProgram = {
    kind: 'single',
    shape: rendered.shape,
    suspecting: retries && plan.checks.length > 0,
    // The rows of an ordered one are always locked first, as far as they can be.
    locks: renderLocks(text, statement, plan, roots, strategy === 'ordered' ? 'rows' : locks),
  };
  return { sql: rendered.sql, copied: rendered.copied, program };
}

/** `"public"."orgs", "public"."users"`, for errors. */
function namesOf(targets: readonly Target[]): string {
  return targets.map(({ relation }) => quoteRelation(relation)).join(', ');
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

/**
 * @throws ProxyError PGC_SERVER where the server is known to refuse a statement that changes several tables, and nothing else may be
 * sent; PGC_ATOMIC where the configuration wants a whole, and there are no transactions;
 * PGC_FAMILY_LOCKS where it wants tables to be locked, and they cannot be
 */
function refuseServer(
  targets: readonly Target[],
  { atomic, locks, profile: { family }, strategy }: RewriteContext,
): void {
  const { reason = '', strategy: own, transactions } = family;
  const table = namesOf(targets);
  const server = serverOf(family);
  if (own === 'none' || (own === 'ordered' && strategy === 'single'))
    throw new ProxyError('PGC_SERVER', { table, server, reason });
  if (atomic && transactions.kind === 'none')
    throw new ProxyError('PGC_ATOMIC', { table, server, reason: 'it has no transactions' });
  if (locks === 'tables' && !family.locksTables) throw new ProxyError('PGC_FAMILY_LOCKS', { table, server });
}

/** @throws ProxyError PGC_FORM for a form that cannot be expanded on this server, or together with what it changes */
function refuseForm(
  { form, sites, writes }: DeletingStatement,
  plan: Plan,
  targets: readonly Target[],
  context: RewriteContext,
  isGuarded: boolean,
): void {
  const { graph, profile } = context;
  const table = namesOf(targets);
  if (sites.some(({ command }) => command === 'MERGE') && !profile.can.returnFromMerge)
    throw new ProxyError('PGC_FORM', { table, form: 'MERGE on a server before version 17' });
  // The rest of a statement does not see what the statement itself inserts or gives another key; natively the cascade sees it.
  const referencing = new Set(plan.keys.map((key) => key.referencing));
  const concerned = new Set([...referencing].flatMap((each) => graph.tree(each)));
  const holds = (relation: Relation) =>
    [relation, ...graph.descendants(relation), ...graph.viewed(relation)].some((each) => concerned.has(each));
  const changed = writes
    .filter((write) => !(isGuarded && insertsClear(write, plan, context)))
    .map(({ target }) => relationOf(target, context))
    .find((each) => each && holds(each));
  if (changed)
    throw new ProxyError('PGC_FORM', {
      table,
      form: `a ${form} that also changes ${quoteRelation(changed)}`,
    });
}
