/**
 * What becomes of a DELETE that reaches a limit of the server's (cascade.on_limit: batch): how it is done again in batches, or why it
 * cannot be. It is planned as if all keys were the proxy's, whoever performs them otherwise. Pure.
 */
import { DEFAULT_BATCH_ROWS } from '../../errors/batch-errors.js';
import { ProxyError } from '../../errors.js';
import { emptying } from '../../graph/emptying.js';
import type { Steps } from '../../pace.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import type { Expanded, RewriteContext } from './context.js';
import { expandDelete } from './delete.js';
import type { AtLimit, Treatment } from './treatment.js';

/**
 * As expandDelete, with what is done at a limit where the session wants batches there, and has none anyhow.
 * @throws ProxyError what expandDelete throws
 */
export function* expandLimited(
  text: string,
  statement: DeletingStatement,
  context: RewriteContext,
): Steps<Expanded> {
  const whole = yield* expandDelete(text, statement, context);
  if (context.onLimit === 'fail' || context.batchRows > 0) return whole;
  const atLimit = yield* planAtLimit(text, statement, context);
  if (atLimit === undefined) return whole;
  return { ...whole, treatments: whole.treatments.map((treatment) => limited(treatment, atLimit)) };
}

/** The same treatment, by which a limit is answered so. */
export function limited(treatment: Treatment, atLimit: AtLimit): Treatment {
  switch (treatment.kind) {
    case 'cascade':
    case 'forward':
      return { ...treatment, atLimit };
    case 'prepare':
      return { ...treatment, executeTreatment: limited(treatment.executeTreatment, atLimit) };
    case 'swallow':
    case 'cleanUp':
    case 'lock':
    case 'followUp':
    case 'guarded':
    case 'truncate':
    case 'refused':
    case 'release':
      return treatment;
    default:
      return treatment satisfies never;
  }
}

/** @returns undefined where nothing hangs on what is deleted */
function* planAtLimit(
  text: string,
  statement: DeletingStatement,
  context: RewriteContext,
): Steps<AtLimit | undefined> {
  const inBatches = { ...context, graph: emptying(context.graph), batchRows: DEFAULT_BATCH_ROWS };
  try {
    const { treatments } = yield* expandDelete(text, statement, inBatches);
    const [cascade] = treatments;
    if (cascade?.kind !== 'cascade' || cascade.program.kind !== 'paged') return undefined;
    return { kind: 'batches', cascade, program: cascade.program };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { kind: 'none', what: error.values.what ?? error.message };
  }
}
