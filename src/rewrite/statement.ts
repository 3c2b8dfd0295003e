/** What is sent in place of one statement of the client's, and what becomes of its answer. Pure. */
import { ProxyError } from '../errors.js';
import type { Graph, Relation } from '../graph/model.js';
import type { Steps } from '../pace.js';
import { brokenError } from '../plan/limits.js';
import type { Plan, Target } from '../plan/plan.js';
import { firedByDelete, firedByTruncate } from '../plan/triggers.js';
import { planOf } from '../render/single/kept-plans.js';
import { renderLocks } from '../render/single/locks.js';
import { type Root, renderStatement } from '../render/single/render.js';
import { insertion, splice } from '../render/splice.js';
import { FAIL_REFUSED } from '../render/violations.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import type { Executed } from '../sql/statement/deletes.js';
import {
  type DeletingStatement,
  type HiddenDelete,
  type Meaning,
  type Site,
  type Statement,
  type TruncateStatement,
  targetsOf,
} from '../sql/statement/statement.js';
import { type Expanded, type RewriteContext, relationOf } from './context.js';
import type { PrepareRule, ReplyRule } from './reply-rule.js';
import { judgeTriggers } from './trigger-rule.js';

const FORWARD: Expanded = { rules: [{ kind: 'forward' }] };

/** @param text the statement's own */
export function* expand(
  text: string,
  statement: Pick<Statement, 'meaning'>,
  means: RewriteContext,
): Steps<Expanded> {
  try {
    return yield* expandMeaning(text, statement.meaning, means);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return refused(text, statement.meaning, error, means);
  }
}

/** @returns the statement refused, or passed on where the configuration says so */
export function refused(
  text: string,
  meaning: Meaning,
  error: ProxyError,
  { reject }: Pick<RewriteContext, 'reject'>,
): Expanded {
  if (reject) return { rules: [{ kind: 'refused', error }], sql: FAIL_REFUSED };
  return { rules: [partOfUnchanged(text, meaning)], error };
}

/** What becomes of a statement that is sent as it is. */
export function partOfUnchanged(text: string, meaning: Meaning): ReplyRule {
  if (meaning.kind === 'release') return { kind: 'release', name: meaning.name };
  if ((meaning.kind === 'deleting' || meaning.kind === 'hidden') && meaning.prepares !== undefined)
    return prepared(meaning.prepares, text, text, { kind: 'forward' }, meaning);
  return { kind: 'forward' };
}

function prepared(name: string, text: string, sql: string, runs: ReplyRule, meaning: Meaning): PrepareRule {
  return { kind: 'prepare', name, text, sql, executeRule: runs, targets: targetsOf({ meaning }) };
}

function* expandMeaning(text: string, meaning: Meaning, means: RewriteContext): Steps<Expanded> {
  switch (meaning.kind) {
    case 'deleting':
      return yield* expandDeletes(text, meaning, means);
    case 'truncate':
      return expandTruncate(text, meaning, means);
    case 'execute':
      return yield* expandExecute(text, meaning, means);
    case 'hidden':
      return yield* expandHidden(text, meaning, means);
    case 'code':
      if (means.refusesCode) throw new ProxyError('PGC_CODE', { form: meaning.form });
      return FORWARD;
    case 'release':
    case 'other':
      return { rules: [partOfUnchanged(text, meaning)] };
  }
}

function* expandDeletes(text: string, statement: DeletingStatement, means: RewriteContext): Steps<Expanded> {
  const main = statement.sites.find(({ cte }) => cte === undefined);
  const concerned = statement.executed.flatMap((site) => {
    const target = targetOf(site, means);
    return target ? [{ site, target }] : [];
  });
  const targets = concerned.map(({ target }) => target);
  const named = statement.sites.flatMap(({ target, only }) => {
    const relation = relationOf(target, means);
    return relation ? [{ relation, only }] : [];
  });
  const plan = yield* planOf(means.graph, targets);
  yield;
  const found = judgeTriggers(firedByDelete(means.graph, [...named, ...targets]), named, means);
  if (found instanceof ProxyError) return refused(text, statement, found, { reject: true });
  const { warnings } = found;
  if (plan === undefined) return { rules: [partOfUnchanged(text, statement)], warnings };
  refuseForm(statement, plan, targets, means);
  const roots = concerned.flatMap((each, i): Root[] => {
    const deletion = plan.deletions[i];
    return deletion ? [{ ...each, deletion }] : [];
  });
  // A prepared statement may be executed where it cannot be sent again, and the answer to a COPY begins before it is done.
  const retries = means.retries && statement.outer !== 'PREPARE' && statement.outer !== 'COPY';
  const { sql, copied, answers } = yield* renderStatement(
    text,
    statement,
    plan,
    roots,
    retries,
    means.returnedColumns,
  );
  const target = targets.map(({ relation, view }) => quoteRelation(view?.relation ?? relation)).join(', ');
  const suspecting = retries && plan.checks.length > 0;
  yield;
  const locks = renderLocks(text, statement, plan, roots);
  const part: ReplyRule = {
    kind: 'cascade',
    plan,
    target,
    command: main?.command,
    answers,
    suspecting,
    locks,
  };
  const { prepares } = statement;
  const whole = prepares === undefined ? part : prepared(prepares, text, sql, part, statement);
  return { rules: [whole], sql, copied, warnings };
}

/** @throws ProxyError PGC_RELATION for a view of which it cannot be told what it deletes from */
function targetOf(site: Site, means: RewriteContext): Target | undefined {
  const relation = relationOf(site.target, means);
  if (relation?.kind !== 'v') return relation && { relation, only: site.only, view: undefined };
  const base = means.graph.base(relation);
  if (base === undefined) return undefined;
  if (base !== 'unknown')
    return { relation: base.relation, only: base.only, view: { relation, columns: base.columns } };
  if (!means.graph.viewed(relation).some((each) => means.graph.acts(each))) return undefined;
  const what = 'a view of which cannot be told what is deleted';
  throw new ProxyError('PGC_RELATION', { table: quoteRelation(relation), what });
}

/** @throws ProxyError PGC_FORM for what cannot be expanded together with what it deletes */
function refuseForm(
  { form, sites, changes }: DeletingStatement,
  plan: Plan,
  targets: readonly Target[],
  means: RewriteContext,
): void {
  const table = targets.map(({ relation }) => quoteRelation(relation)).join(', ');
  if (sites.some(({ command }) => command === 'MERGE') && !means.profile.can.returnFromMerge)
    throw new ProxyError('PGC_FORM', { table, form: 'MERGE on a server before version 17' });
  // What the same statement inserts or moves is not seen by the rest of it, as it is natively.
  const referencing = new Set(plan.keys.map(({ referencing }) => referencing));
  const concerned = new Set([...referencing].flatMap((each) => means.graph.tree(each)));
  const { graph } = means;
  const holds = (relation: Relation) =>
    [relation, ...graph.descendants(relation), ...graph.viewed(relation)].some((each) => concerned.has(each));
  const changed = changes.map((name) => relationOf(name, means)).find((each) => each && holds(each));
  if (changed)
    throw new ProxyError('PGC_FORM', {
      table,
      form: `a ${form} that also changes ${quoteRelation(changed)}`,
    });
}

/** Natively a table can be truncated only together with all that reference it (heap_truncate_check_FKs). */
function expandTruncate(text: string, statement: TruncateStatement, means: RewriteContext): Expanded {
  const { graph } = means;
  const taken = new Set(
    statement.targets.flatMap(({ name, only }) => {
      const target = relationOf(name, means);
      return target ? [target, ...(only ? [] : graph.descendants(target))] : [];
    }),
  );
  const named = [...taken].map((relation) => ({ relation }));
  const added: Relation[] = [];
  for (const relation of taken) {
    const [broken] = graph.brokenTo(relation);
    if (broken) throw brokenError(quoteRelation(relation), relation, broken);
    for (const key of graph.keysTo(relation)) {
      if (taken.has(key.referencing)) continue;
      // Of a key that it enforces the server itself says so.
      if (!statement.cascades && key.performer === 'proxy' && !key.enforced)
        throw new ProxyError('PGC_TRUNCATE', { from: key.referencing.name, to: key.referenced.name });
      if (!statement.cascades) continue;
      if (!key.declared) added.push(key.referencing);
      for (const each of graph.tree(key.referencing)) taken.add(each);
    }
  }
  const found = judgeTriggers(firedByTruncate(taken), named, means);
  if (found instanceof ProxyError) return refused(text, statement, found, { reject: true });
  if (added.length === 0) return { ...FORWARD, ...found };
  // The server finds what the catalog knows by itself, from these too.
  const list = added.map((relation) => `, ${quoteRelation(relation)}`).join('');
  return {
    ...splice(text, [insertion(statement.listEnd, list)]),
    rules: [{ kind: 'truncate', tables: added.map(({ name }) => name) }],
    ...found,
  };
}

/**
 * Where the schema has changed since the statement was prepared, it is prepared again, in the same string:
 *
 *     EXPLAIN EXECUTE d (NULL); DEALLOCATE d; PREPARE d (int) AS WITH … DELETE …; EXECUTE d (1)
 *
 * EXPLAIN has the server look whether the statement still returns what it did when the client prepared it, and raise its
 * own error where it does not (RevalidateCachedQuery in plancache.c). It runs nothing.
 */
function* expandExecute(text: string, { name, values }: Executed, means: RewriteContext): Steps<Expanded> {
  const executable = means.executable(name);
  if (executable === undefined) return FORWARD;
  const now = executable.replan && (yield* executable.replan());
  if (now?.error) return { rules: [executable.executeRule], error: now.error };
  if (now?.rule.kind === 'refused') return { rules: [now.rule], sql: FAIL_REFUSED };
  if (now === undefined || now.sql === executable.sql) return { rules: [executable.executeRule] };
  if (now.rule.kind !== 'prepare' || !means.inString) throw new ProxyError('PGC_EXECUTE', { name });
  const { executeRule } = executable;
  const returnsRows = executeRule.kind !== 'cascade' || executeRule.answers.kind !== 'count';
  const nulls = values > 0 ? ` (${Array<string>(values).fill('NULL').join(', ')})` : '';
  const before = [
    ...(returnsRows ? [`EXPLAIN EXECUTE ${quoteName(name)}${nulls}`] : []),
    `DEALLOCATE ${quoteName(name)}`,
  ];
  const again = [...before, now.sql, ''].join('; ');
  return {
    sql: `${again}${text}`,
    copied: [{ client: 0, sent: again.length, length: text.length }],
    rules: [
      ...before.map((): ReplyRule => ({ kind: 'swallow' })),
      { ...now.rule, again: true },
      now.rule.executeRule,
    ],
  };
}

/** Refused where it concerns a table with keys to perform, and only there. */
function* expandHidden(text: string, meaning: HiddenDelete, means: RewriteContext): Steps<Expanded> {
  const { executes, targets, form } = meaning;
  const runs = executes.flatMap(({ name }) => means.executable(name) ?? []);
  const [first] = executes;
  const [only, ...more] = runs;
  const executing = form === 'EXPLAIN ANALYZE' || form === 'CREATE TABLE AS';
  // What the statement was made into is on the server: its plan is what is shown, its rows are those of the table.
  if (executing && first && only?.executeRule.kind === 'cascade' && more.length + targets.length === 0) {
    // It was made into a SELECT.
    if (form === 'CREATE TABLE AS' && only.executeRule.command !== undefined)
      throw new ProxyError('PGC_NOT_SELECT');
    const { rules, ...rest } = yield* expandExecute(text, first, means);
    return { ...rest, rules: rules.map((part) => (part.kind === 'cascade' ? asSent(part) : part)) };
  }
  for (const name of [...targets, ...runs.flatMap((executed) => executed.targets)]) {
    const target = relationOf(name, means);
    if (target && concerns(means.graph, target))
      throw new ProxyError('PGC_FORM', { table: quoteRelation(target), form });
  }
  const named = targets.flatMap((name) => {
    const relation = relationOf(name, means);
    return relation ? [{ relation, only: false }] : [];
  });
  const found = judgeTriggers(firedByDelete(means.graph, named), named, means);
  if (found instanceof ProxyError) return refused(text, meaning, found, { reject: true });
  return { rules: [partOfUnchanged(text, meaning)], ...found };
}

function asSent(part: ReplyRule & { kind: 'cascade' }): ReplyRule {
  return { ...part, answers: { kind: 'as sent' } };
}

function concerns(graph: Graph, target: Relation): boolean {
  return (
    graph.acts(target) ||
    graph.descendants(target).some((below) => graph.acts(below)) ||
    graph.viewed(target).some((base) => graph.acts(base))
  );
}
