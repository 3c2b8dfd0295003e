/** A client's text, rewritten: what is sent instead, and what becomes of each statement's answer. Pure. */
import { ProxyError } from '../errors.js';
import type { Graph, Relation } from '../graph/model.js';
import type { Plan } from '../plan/plan.js';
import { planDelete } from '../plan/planner.js';
import { renderSingleStatement } from '../plan/render.js';
import { REFUSED_SQL } from '../plan/violations.js';
import { quoteRelation, type RelationName } from '../sql/names.js';
import type { DeleteStatement, HiddenDelete, Meaning, Statement } from '../sql/statement.js';

export type Part =
  | { readonly kind: 'forward' }
  | {
      readonly kind: 'cascade';
      readonly plan: Plan;
      /** `"public"."orgs"`, for errors. */
      readonly target: string;
      /** Columns before the client's own in each row; undefined where the client gets no rows. */
      readonly hidden: number | undefined;
    }
  | { readonly kind: 'refused'; readonly error: ProxyError }
  /** PREPARE in SQL of a statement that deletes, from nothing that concerns the proxy as yet. */
  | { readonly kind: 'prepare'; readonly name: string }
  | { readonly kind: 'release'; readonly name: string | undefined };

/** A run of the client's text in the text that is sent; both places in characters. */
export interface Copied {
  readonly client: number;
  readonly sent: number;
  readonly length: number;
}

export interface Rewrite {
  /** The client's text. */
  readonly text: string;
  /** What is sent. */
  readonly sql: string;
  readonly parts: readonly Part[];
  readonly copied: readonly Copied[];
  /** Whether anything was done: false is the client's text as it is. */
  readonly changed: boolean;
  /** The relations that its statements delete from. */
  readonly targets: readonly RelationName[];
  /** What was passed on although it is not understood. */
  readonly passed: readonly ProxyError[];
}

/** A text that is sent as it is. */
export function unchanged(text: string, statements: readonly Statement[]): Rewrite {
  const parts = statements.map((statement): Part => partOfUnchanged(statement));
  const copied = [{ client: 0, sent: 0, length: text.length }];
  return {
    text,
    sql: text,
    parts,
    copied,
    changed: false,
    targets: statements.flatMap(targetsOf),
    passed: [],
  };
}

/** What a text is rewritten with. */
export interface Means {
  readonly graph: Graph;
  /** What a name in the text means, where it names a relation at all. */
  readonly meaning: (name: RelationName) => number | null;
  /** What EXECUTE of this name would run: whether the proxy expanded it, and what it deletes from. */
  readonly prepared: (name: string) => {
    readonly expanded: boolean;
    readonly targets: readonly RelationName[];
  };
  /** The open transaction has changed settings or the schema. */
  readonly touched: boolean;
  /** What is not understood is refused; else it is passed on, and the rewrite says so. */
  readonly reject: boolean;
}

const KEY_MAKING = /\b(?:references|enforced|constraint|inherits?|attach|do|call)\b/i;

/** The end of a transaction matters to later statements only where something was set or changed in it. */
export function unsettlesNow({ unsettles }: Statement, touched: boolean): boolean {
  return unsettles === 'always' || (unsettles === 'at its end' && touched);
}

export function rewrite(text: string, statements: readonly Statement[], means: Means): Rewrite {
  const pieces: string[] = [];
  const copied: Copied[] = [];
  const parts: Part[] = [];
  const passed: ProxyError[] = [];
  let read = 0;
  let sent = 0;
  const copy = (to: number) => {
    if (to > read) copied.push({ client: read, sent, length: to - read });
    push(text.slice(read, to));
    read = to;
  };
  const push = (sql: string) => {
    pieces.push(sql);
    sent += sql.length;
  };
  // Where this database has no keys for the proxy, only the text itself can bring some.
  const sensitive = means.graph.isActive || KEY_MAKING.test(text);
  let unsettled = false;
  for (const statement of statements) {
    const { part, sql, own, error } = rewriteStatement(statement, unsettled, means);
    if (error) passed.push(error);
    parts.push(part);
    if (sql !== undefined) {
      copy(statement.start);
      for (const run of own ?? [])
        copied.push({ client: statement.start + run.client, sent: sent + run.sent, length: run.length });
      push(sql);
      read = statement.end;
    }
    unsettled ||= sensitive && unsettlesNow(statement, means.touched);
  }
  copy(text.length);
  return {
    text,
    sql: pieces.join(''),
    parts,
    copied,
    changed: parts.some(({ kind }) => kind === 'cascade' || kind === 'refused'),
    targets: statements.flatMap(targetsOf),
    passed,
  };
}

interface Rewritten {
  readonly part: Part;
  /** What stands in the statement's place; undefined where it stays. */
  readonly sql?: string;
  /** The runs of the statement's own text in it, in characters from its start. */
  readonly own?: readonly Copied[];
  /** Why it should have been refused. */
  readonly error?: ProxyError;
}

function partOfUnchanged(statement: Meaning): Part {
  if (statement.kind === 'release') return { kind: 'release', name: statement.name };
  if (statement.kind === 'hidden' && statement.prepares !== undefined)
    return { kind: 'prepare', name: statement.prepares };
  return { kind: 'forward' };
}

function rewriteStatement(statement: Statement, unsettled: boolean, means: Means): Rewritten {
  if (statement.kind === 'other' || statement.kind === 'release') return { part: partOfUnchanged(statement) };
  try {
    if (unsettled)
      throw new ProxyError('PGC_AFTER_DDL', { table: targetsOf(statement).map(quoteRelation).join(', ') });
    return statement.kind === 'delete' ? rewriteDelete(statement, means) : rewriteHidden(statement, means);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    if (means.reject) return { part: { kind: 'refused', error }, sql: REFUSED_SQL };
    return { part: partOfUnchanged(statement), error };
  }
}

function rewriteDelete(statement: DeleteStatement, means: Means): Rewritten {
  const target = relationOf(statement.target, means);
  const plan = target && planDelete(means.graph, target, statement.only);
  if (!plan) return { part: { kind: 'forward' } };
  const { sql, copied, hidden } = renderSingleStatement(plan, statement);
  const part: Part = {
    kind: 'cascade',
    plan,
    target: quoteRelation(plan.target),
    hidden: statement.returning === undefined ? undefined : hidden,
  };
  return { part, sql, own: copied };
}

/** Refused where it concerns a table with keys to perform, and only there. */
function rewriteHidden(statement: HiddenDelete, means: Means): Rewritten {
  const executed = statement.executes.map((name) => ({ name, ...means.prepared(name) }));
  for (const { name, expanded } of executed) if (expanded) throw new ProxyError('PGC_EXECUTE', { name });
  const targets = [statement, ...executed]
    .flatMap((each) => each.targets)
    .flatMap((name) => relationOf(name, means) ?? []);
  for (const target of targets) {
    if (!concerns(means.graph, target)) continue;
    if (statement.form !== 'TRUNCATE')
      throw new ProxyError('PGC_FORM', { table: quoteRelation(target), form: statement.form });
    refuseTruncate(target, targets, statement.cascades, means.graph);
  }
  return { part: partOfUnchanged(statement) };
}

/** Natively a table can be truncated only together with all that reference it (heap_truncate_check_FKs). */
function refuseTruncate(
  target: Relation,
  targets: readonly Relation[],
  cascades: boolean,
  graph: Graph,
): void {
  const left = [target, ...graph.descendants(target)]
    .flatMap((each) => graph.keysTo(each))
    .find((key) => key.performer === 'proxy' && !targets.includes(key.from));
  if (left === undefined) return;
  throw cascades
    ? new ProxyError('PGC_FORM', { table: quoteRelation(target), form: 'TRUNCATE … CASCADE' })
    : new ProxyError('PGC_TRUNCATE', { from: left.from.name, to: left.to.name });
}

function concerns(graph: Graph, target: Relation): boolean {
  return (
    graph.acts(target) ||
    graph.descendants(target).some((below) => graph.acts(below)) ||
    graph.viewed(target).some((base) => graph.acts(base))
  );
}

function relationOf(name: RelationName, means: Means): Relation | undefined {
  const oid = means.meaning(name);
  return oid === null ? undefined : means.graph.relation(oid);
}

/** The relations that a statement names as targets. */
export function targetsOf(statement: Statement): readonly RelationName[] {
  switch (statement.kind) {
    case 'delete':
      return [statement.target];
    case 'hidden':
      return statement.targets;
    case 'release':
    case 'other':
      return [];
  }
}
