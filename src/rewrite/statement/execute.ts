/** EXECUTE of a prepared statement that may delete, or writes keys that are looked at. */

import { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import { FAIL_REFUSED, MARKER } from '../../render/violations.js';
import { quoteName } from '../../sql/names.js';
import type { Executed } from '../../sql/statement/deletes.js';
import type { Expanded, RewriteContext } from './context.js';
import { cannotCarryOut, changed, locksBefore } from './program.js';
import { expandedOf, type PreparedSource, shapeOf, type Treatment } from './treatment.js';

/**
 * Where the schema has changed since the client prepared the statement, the proxy prepares it again, in the same string:
 *
 *     EXPLAIN EXECUTE d (NULL); DEALLOCATE d; PREPARE d (int) AS WITH … DELETE …; EXECUTE d (1)
 *
 * EXPLAIN runs nothing. It has the server check whether the statement still returns the columns that it returned when the
 * client prepared it, and raise its own error if not (RevalidateCachedQuery in plancache.c). Where the expanded statement has other
 * columns than the client's, what is new is prepared under another name first, so that an error leaves the client its statement:
 *
 *     PREPARE "pgcascade/…/trial" (int) AS WITH … DELETE …; DEALLOCATE "pgcascade/…/trial"; DEALLOCATE d; PREPARE d (int) AS …; EXECUTE d (1)
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
  if (executeTreatment.kind === 'cascade' && executeTreatment.program.kind !== 'single')
    throw cannotCarryOut(executeTreatment.program, executeTreatment.target, 'EXECUTE in SQL');
  const now = executable.replan && (yield* executable.replan());
  if (now?.error) return { treatments: [executeTreatment], error: now.error };
  if (now?.treatment.kind === 'refused') return { treatments: [now.treatment], sql: FAIL_REFUSED };
  if (now === undefined) return { treatments: [executeTreatment] };
  if (now.sql === executable.sql) return { treatments: [asOfNow(executeTreatment, now.treatment)] };
  if (now.treatment.kind !== 'prepare' || !context.inString) throw new ProxyError('PGC_EXECUTE', { name });
  const returnsRows = shapeOf(executeTreatment)?.kind !== 'count';
  const nulls = values > 0 ? ` (${Array<string>(values).fill('NULL').join(', ')})` : '';
  const again = { within: 0, client: source?.origin.client ?? 0 };
  const trial = returnsRows ? undefined : tried(now.sql);
  const first = returnsRows ? [`EXPLAIN EXECUTE ${quoteName(name)}${nulls}`] : [];
  const released = [...(trial ? [`DEALLOCATE ${TRIAL}`] : []), `DEALLOCATE ${quoteName(name)}`];
  const before = [...first, ...(trial ? [trial.sql] : []), ...released];
  const within = before.map((each) => `${each}; `).join('');
  const inserted = `${within}${now.sql}; `;
  return {
    sql: `${inserted}${text}`,
    copied: [{ client: 0, sent: inserted.length, length: text.length }],
    treatments: [
      ...first.map((): Treatment => ({ kind: 'swallow', source })),
      ...(trial ? [{ ...now.treatment, again: { ...again, within: trial.longer, isTrial: true } }] : []),
      ...released.map((): Treatment => ({ kind: 'swallow', source })),
      { ...now.treatment, again: { ...again, within: within.length } },
      now.treatment.executeTreatment,
    ],
  };
}

/** Each sending of it has another marker, and so another name. */
const TRIAL = quoteName(`${MARKER}trial`);
const PREPARED_NAME = /^(PREPARE\s+)("(?:[^"]|"")+"|[^\s("]+)/i;

/**
 * What is prepared for trial.
 * @returns undefined where comments stand before the name. `longer`: by so many characters than what comes under the client's name
 */
function tried(prepare: string): { readonly sql: string; readonly longer: number } | undefined {
  const [, before, name] = PREPARED_NAME.exec(prepare) ?? [];
  if (before === undefined || name === undefined) return undefined;
  const rest = prepare.slice(before.length + name.length);
  return { sql: `${before}${TRIAL}${rest}`, longer: TRIAL.length - name.length };
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
