/** A statement that is not expanded: it is sent as it is, or refused. */

import type { ProxyError } from '../../errors.js';
import type { Spliced } from '../../render/splice.js';
import { FAIL_REFUSED } from '../../render/violations.js';
import { type Meaning, targetsOf } from '../../sql/statement/statement.js';
import type { Expanded } from './context.js';
import type { PrepareTreatment, Treatment } from './treatment.js';

/**
 * A statement that is refused, or passed on with the error for the log.
 * @param text the statement's own
 * @param reject the configuration's: refuse also what cannot be expanded; else that is passed on
 */
export function refuse(
  text: string,
  meaning: Meaning,
  error: ProxyError,
  { reject }: { readonly reject: boolean },
): Expanded {
  if (reject || !error.unexpandable) return { treatments: [{ kind: 'refused', error }], sql: FAIL_REFUSED };
  return { treatments: [unchangedTreatment(text, meaning)], error };
}

/**
 * What becomes of the answers to a statement that is sent as it is.
 * @param text the statement's own
 */
export function unchangedTreatment(text: string, meaning: Meaning): Treatment {
  switch (meaning.kind) {
    case 'release':
      return { kind: 'release', name: meaning.name };
    case 'deleting':
    case 'enclosed':
    case 'writing':
      return meaning.prepares === undefined
        ? { kind: 'forward' }
        : prepareTreatment(meaning.prepares, text, asItIs(text), { kind: 'forward' }, meaning);
    case 'truncate':
    case 'execute':
    case 'code':
    case 'other':
      return { kind: 'forward' };
  }
}

function asItIs(text: string): Spliced {
  return { sql: text, copied: [{ client: 0, sent: 0, length: text.length }] };
}

/**
 * What becomes of the answer to a PREPARE.
 * @param text the client's statement
 * @param sent what is sent in its place
 * @param executeTreatment what becomes of the answers to its EXECUTE
 */
export function prepareTreatment(
  name: string,
  text: string,
  { sql, copied }: Spliced,
  executeTreatment: Treatment,
  meaning: Meaning,
): PrepareTreatment {
  return { kind: 'prepare', name, text, sql, copied, executeTreatment, targets: targetsOf({ meaning }) };
}
