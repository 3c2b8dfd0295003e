/** A DELETE in a form that is not expanded, such as EXPLAIN ANALYZE, and forms that execute a prepared one: CREATE TABLE AS EXECUTE. */
import { ProxyError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Relation } from '../../graph/model.js';
import type { Steps } from '../../pace.js';
import { firedByDelete } from '../../plan/triggers.js';
import { quoteRelation } from '../../sql/names.js';
import type { EnclosedDelete } from '../../sql/statement/statement.js';
import { type Expanded, type RewriteContext, relationOf } from './context.js';
import { expandExecute } from './execute.js';
import { AS_SENT, changed } from './program.js';
import type { Executable } from './treatment.js';
import { expandedOf, type Treatment } from './treatment.js';
import { judgeTriggers } from './trigger-policy.js';
import { refuse, unchangedTreatment } from './unexpanded.js';
import { refuseWrites } from './write.js';

/**
 * @param text the statement's own
 * @throws ProxyError PGC_FORM where a table with keys to perform is concerned, and only there
 */
export function* expandEnclosed(
  text: string,
  meaning: EnclosedDelete,
  context: RewriteContext,
): Steps<Expanded> {
  const { executes, targets, form } = meaning;
  refuseWrites(form, meaning.writes, context);
  const executables = executes.flatMap(({ name }) => context.executable(name) ?? []);
  const treatment = treatmentOfOnly(executables);
  const [executed] = executes;
  if (executed && treatment && targets.length === 0 && SHOWS_EXECUTED.has(form)) {
    // The server has a SELECT in the place of a DELETE with RETURNING: it would make the table.
    if (form === 'CREATE TABLE AS' && treatment.command !== undefined) throw new ProxyError('PGC_NOT_SELECT');
    const { treatments, ...rest } = yield* expandExecute(text, executed, context);
    return { ...rest, treatments: treatments.map(answeredAsSent) };
  }
  for (const name of [...targets, ...executables.flatMap((each) => each.targets)]) {
    const target = relationOf(name, context);
    if (target && reachesKey(context.graph, target))
      throw new ProxyError('PGC_FORM', { table: quoteRelation(target), form });
  }
  const named = targets.flatMap((name) => {
    const relation = relationOf(name, context);
    return relation ? [{ relation, only: false }] : [];
  });
  const triggers = judgeTriggers(firedByDelete(context.graph, named), named, context);
  if (triggers.kind === 'refused') return refuse(text, meaning, triggers.error, { reject: true });
  return { treatments: [unchangedTreatment(text, meaning)], warnings: triggers.warnings };
}

/** Forms that execute the prepared statement as the server has it, expanded: they show its plan, or keep its rows in a table. */
const SHOWS_EXECUTED: ReadonlySet<string> = new Set(['EXPLAIN ANALYZE', 'CREATE TABLE AS']);

/** The treatment of the one expanded statement that is executed. */
function treatmentOfOnly([executable, ...more]: readonly Executable[]) {
  return more.length === 0 ? expandedOf(executable?.executeTreatment) : undefined;
}

/** The answer is that of the client's EXPLAIN or CREATE TABLE AS. */
function answeredAsSent(treatment: Treatment): Treatment {
  const expanded = expandedOf(treatment);
  if (expanded?.kind !== 'cascade') return expanded ? { ...expanded, shape: AS_SENT } : treatment;
  return { ...expanded, program: changed(expanded.program, { shape: AS_SENT }) };
}

/** Whether the proxy performs a key of what a DELETE of the relation reaches. */
function reachesKey(graph: Graph, target: Relation): boolean {
  return (
    graph.acts(target) ||
    graph.descendants(target).some((below) => graph.acts(below)) ||
    graph.viewed(target).some((base) => graph.acts(base))
  );
}
