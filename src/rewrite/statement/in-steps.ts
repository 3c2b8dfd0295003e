/** A DELETE that several statements carry out: which, and by what kind of program. */
import { ProxyError } from '../../errors.js';
import { identifyingColumns, PLACE } from '../../plan/identifying-columns.js';
import { type Deletion, type Plan, setsColumns } from '../../plan/plan.js';
import { batchOf, type Family, serverOf } from '../../profiles/families/family.js';
import { identifiedPlan } from '../../render/ordered/identified.js';
import { renderSequence } from '../../render/ordered/sequence.js';
import { wholePlan } from '../../render/paged/paged-plan.js';
import { renderPages } from '../../render/paged/pages.js';
import { refusedBy } from '../../render/plain/refusal.js';
import { renderPlain } from '../../render/plain/sequence.js';
import type { Root } from '../../render/single/root.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import type { RewriteContext } from './context.js';
import type { Program } from './program.js';

/** How it is carried out, and the plan with what that has to know of the rows. */
export interface InSteps {
  readonly program: Program;
  readonly plan: Plan;
}

/**
 * @param rootsOf gives the client's deletions, as a plan has them
 * @returns undefined where one statement carries it out
 * @throws ProxyError PGC_FAMILY where it would have to, and the server takes none that changes several tables; PGC_BATCH for what
 * cannot be done in batches; and what renderPlain throws
 */
export function inSteps(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  rootsOf: (plan: Plan) => readonly Root[],
  context: RewriteContext,
): InSteps | undefined {
  const { batchRows, graph, onLimit, profile, strategy } = context;
  const { family } = profile;
  const table = () => tablesOf(rootsOf(plan));
  if (batchRows > 0) {
    const what = againstBatches(context);
    if (what !== undefined) throw new ProxyError('PGC_BATCH', { table: table(), what });
    const whole = wholePlan(plan);
    if (
      family.placesRepeat &&
      whole.deletions.some((each) => each.cycle !== undefined || isToldByPlace(each))
    )
      throw new ProxyError('PGC_BATCH', { table: table(), what: toldByPlace(family) });
    const rows = batchOf(batchRows, family);
    const pages = renderPages(text, statement, whole, rootsOf(whole), rows, graph.sharing);
    return { program: { kind: 'paged', pages, shrinks: onLimit === 'batch' }, plan: whole };
  }
  if (strategy === 'plain') {
    const apart = separatingKey(plan, context);
    const sequence = renderPlain(text, statement, plan, rootsOf(plan), family, graph, apart);
    return { program: { kind: 'plain', sequence }, plan };
  }
  // Whose graph is not made of names has PostgreSQL's grammar.
  if (statement.foreign) throw refusedBy(family, table(), `a ${statement.form} in its own grammar`);
  if (strategy === 'single') return undefined;
  const ordered = inOrder(text, statement, plan, rootsOf, context);
  if (ordered !== undefined || family.strategy === 'single') return ordered;
  throw refusedBy(family, table(), `${statement.form} that only one statement can carry out`);
}

/**
 * A key that the server enforces so that what references a row and the row itself cannot go in one transaction.
 * @throws ProxyError PGC_ATOMIC where the configuration wants them to
 */
function separatingKey(
  plan: Plan,
  { atomic, graph, profile: { family } }: RewriteContext,
): string | undefined {
  if (family.transactions.keepsReferenced !== true) return undefined;
  const changing = plan.keys.filter(setsColumns).map(({ referencing }) => referencing);
  const changed = new Set([...plan.deletions.map(({ relation }) => relation), ...changing]);
  const key = plan.deletions
    .flatMap(({ relation }) => graph.keysTo(relation))
    .find(({ enforced, referencing }) => enforced && changed.has(referencing));
  if (key === undefined) return undefined;
  const reason = `it enforces ${quoteName(key.name)}: a row is not deleted there in the transaction in which what references it was`;
  const [client] = plan.deletions;
  const table = client ? quoteRelation(client.relation) : '';
  if (atomic) throw new ProxyError('PGC_ATOMIC', { table, server: serverOf(family), reason });
  return key.name;
}

function tablesOf(roots: readonly Root[]): string {
  return roots.map(({ target: { relation } }) => quoteRelation(relation)).join(', ');
}

/** What stands against batches, whatever is deleted. */
function againstBatches({ locks, profile, strategy }: RewriteContext): string | undefined {
  // Their statements need the catalog's types, and arrays of keys.
  if (strategy === 'plain') return `the server is ${serverOf(profile.family)}`;
  return locks === 'tables' ? 'tables are to be locked for all of it (cascade.locks)' : undefined;
}

/** Whether the places of rows tell which of them go: those of a table without a primary key, or of several partitions, where they are known before they go. */
function isToldByPlace(deletion: Deletion): boolean {
  return deletion.returns.length > 0 && identifyingColumns(deletion.relation, deletion) === PLACE;
}

function toldByPlace(family: Family): string {
  return `rows of cycles, of partitions, or of a table without a primary key, which nothing tells apart on ${serverOf(family)}`;
}

/** @returns undefined for what only one statement can carry out */
function inOrder(
  text: string,
  statement: DeletingStatement,
  planned: Plan,
  rootsOf: (plan: Plan) => readonly Root[],
  context: RewriteContext,
): InSteps | undefined {
  if (planned.deletions.some((deletion) => mayKeepRows(deletion, context))) return undefined;
  const plan = identifiedPlan(planned);
  const { family } = context.profile;
  if (family.placesRepeat && plan.deletions.some(isToldByPlace))
    throw refusedBy(family, tablesOf(rootsOf(plan)), toldByPlace(family));
  const sequence = renderSequence(text, statement, plan, rootsOf(plan));
  return sequence && { program: { kind: 'ordered', sequence }, plan };
}

/** Whether a trigger may keep a row, from the leaves up when its dependents are gone: natively they stay then, and no rule is asked. */
function mayKeepRows({ relation, inherits }: Deletion, { graph }: RewriteContext): boolean {
  return relation.mayKeepRows || (inherits && graph.descendants(relation).some((below) => below.mayKeepRows));
}
