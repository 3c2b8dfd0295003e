/** EXECUTE of a prepared statement that may delete, or writes keys that are looked at. */
import { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import { FAIL_REFUSED } from '../../render/violations.js';
import { quoteName } from '../../sql/names.js';
import type { Executed } from '../../sql/statement/deletes.js';
import type { Expanded, RewriteContext } from './context.js';
import { changed, locksBefore } from './program.js';
import { expandedOf, type PreparedSource, shapeOf, type Treatment } from './treatment.js';

/**
 * Where the schema has changed since the client prepared the statement, the proxy prepares it again, in the same string:
 *
 *     EXPLAIN EXECUTE d (NULL); DEALLOCATE d; PREPARE d (int) AS WITH … DELETE …; EXECUTE d (1)
 *
 * EXPLAIN runs nothing. It has the server check whether the statement still returns the columns that it returned when the
 * client prepared it, and raise its own error if not (RevalidateCachedQuery in plancache.c).
 *
 * @param text the statement's own
 * @throws ProxyError PGC_EXECUTE where it would have to be prepared again, and the text is no string
 */
export function* expandExecute(
  text: string,
  { name, values }: Executed,
  context: RewriteContext,
): Steps<Expanded> {
  const executable = context.executable(name);
  if (executable === undefined) return { treatments: [{ kind: 'forward' }] };
  const { source } = executable;
  const executeTreatment = withSource(executable.executeTreatment, source, values > 0);
  // The server has the client's own statement under the name.
  if (executeTreatment.kind === 'cascade' && executeTreatment.program.kind === 'ordered')
    throw new ProxyError('PGC_ORDERED', { table: executeTreatment.target, what: 'EXECUTE in SQL' });
  if (executeTreatment.kind === 'cascade' && executeTreatment.program.kind === 'paged')
    throw new ProxyError('PGC_BATCH', { table: executeTreatment.target, what: 'EXECUTE in SQL' });
  const now = executable.replan && (yield* executable.replan());
  if (now?.error) return { treatments: [executeTreatment], error: now.error };
  if (now?.treatment.kind === 'refused') return { treatments: [now.treatment], sql: FAIL_REFUSED };
  if (now === undefined) return { treatments: [executeTreatment] };
  if (now.sql === executable.sql) return { treatments: [asOfNow(executeTreatment, now.treatment)] };
  if (now.treatment.kind !== 'prepare' || !context.inString) throw new ProxyError('PGC_EXECUTE', { name });
  const returnsRows = shapeOf(executeTreatment)?.kind !== 'count';
  const nulls = values > 0 ? ` (${Array<string>(values).fill('NULL').join(', ')})` : '';
  const before = [
    ...(returnsRows ? [`EXPLAIN EXECUTE ${quoteName(name)}${nulls}`] : []),
    `DEALLOCATE ${quoteName(name)}`,
  ];
  const within = before.map((each) => `${each}; `).join('');
  const inserted = `${within}${now.sql}; `;
  return {
    sql: `${inserted}${text}`,
    copied: [{ client: 0, sent: inserted.length, length: text.length }],
    treatments: [
      ...before.map((): Treatment => ({ kind: 'swallow', source })),
      { ...now.treatment, again: { within: within.length, client: source?.origin.client ?? 0 } },
      now.treatment.executeTreatment,
    ],
  };
}

function withSource(treatment: Treatment, source: PreparedSource | undefined, hasValues: boolean): Treatment {
  const expanded = expandedOf(treatment);
  return expanded && source ? { ...expanded, source: { ...source, hasValues } } : treatment;
}

/** The server has the right text, and errors have to tell what its keys are called now. */
function asOfNow(before: Treatment, now: Treatment): Treatment {
  const executed = now.kind === 'prepare' ? now.executeTreatment : now;
  if (before.kind === 'cascade' && executed.kind === 'cascade')
    return {
      ...executed,
      marker: before.marker,
      source: before.source,
      program: changed(executed.program, { locks: locksBefore(before.program) }),
    };
  if (before.kind === 'guarded' && executed.kind === 'guarded')
    return { ...executed, marker: before.marker, source: before.source };
  return before;
}
