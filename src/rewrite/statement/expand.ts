/** One statement of the client's to what is sent in its place: a file for each form that is more than passed on. Pure. */
import { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import type { Meaning, Statement } from '../../sql/statement/statement.js';
import { expandLimited } from './at-limit.js';
import type { Expanded, RewriteContext } from './context.js';
import { expandEnclosed } from './enclosed.js';
import { expandExecute } from './execute.js';
import { followUpsOf, type Treatment } from './treatment.js';
import { expandTruncate } from './truncate.js';
import { refuse, unchangedTreatment } from './unexpanded.js';
import { expandWrite } from './write.js';

/**
 * What cannot be expanded is refused, or passed on where the configuration says so.
 * @param text the statement's own
 */
export function* expand(
  text: string,
  { meaning }: Pick<Statement, 'meaning'>,
  context: RewriteContext,
): Steps<Expanded> {
  try {
    const expanded = yield* expandMeaning(text, meaning, context);
    return context.inString ? withFollowUps(text, expanded) : expanded;
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return refuse(text, meaning, error, context);
  }
}

/** In a string the follow-ups of a statement stand after it. Those of a statement that is parsed alone are sent with its Execute (session/execute/follow-ups.ts). */
function withFollowUps(text: string, expanded: Expanded): Expanded {
  const treatment = expanded.treatments.at(-1);
  if (treatment?.kind !== 'guarded' || treatment.followUps.length === 0) return expanded;
  const { sql = text, copied = [{ client: 0, sent: 0, length: text.length }] } = expanded;
  // It is sent with this text, and so has its marker.
  const guarded = { ...treatment, marker: undefined };
  const followUps = treatment.followUps.map(
    ({ counts }): Treatment => ({ kind: 'followUp', guarded, counts }),
  );
  return {
    ...expanded,
    treatments: [...expanded.treatments, ...followUps],
    sql: [sql, ...followUpsOf(treatment)].join('\n; '),
    copied,
  };
}

function* expandMeaning(text: string, meaning: Meaning, context: RewriteContext): Steps<Expanded> {
  switch (meaning.kind) {
    case 'deleting':
      return yield* expandLimited(text, meaning, context);
    case 'truncate':
      return expandTruncate(text, meaning, context);
    case 'execute':
      return yield* expandExecute(text, meaning, context);
    case 'enclosed':
      return yield* expandEnclosed(text, meaning, context);
    case 'writing':
      return expandWrite(text, meaning, context);
    case 'code':
      if (context.refusesCode) throw new ProxyError('PGC_CODE', { form: meaning.form });
      return { treatments: [{ kind: 'forward' }] };
    case 'release':
    case 'other':
      return { treatments: [unchangedTreatment(text, meaning)] };
  }
}
