/** A statement that is not expanded: it is sent as it is, or refused. */
import type { ProxyError } from '../../errors.js';
import { FAIL_REFUSED } from '../../render/violations.js';
import { type Meaning, targetsOf } from '../../sql/statement/statement.js';
import type { Expanded } from './context.js';
import type { PrepareRule, ReplyRule } from './reply-rule.js';

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
  if (reject || !error.unexpandable) return { rules: [{ kind: 'refused', error }], sql: FAIL_REFUSED };
  return { rules: [unchangedRule(text, meaning)], error };
}

/**
 * The rule for the answers to a statement that is sent as it is.
 * @param text the statement's own
 */
export function unchangedRule(text: string, meaning: Meaning): ReplyRule {
  switch (meaning.kind) {
    case 'release':
      return { kind: 'release', name: meaning.name };
    case 'deleting':
    case 'hidden':
      return meaning.prepares === undefined
        ? { kind: 'forward' }
        : prepareRule(meaning.prepares, text, text, { kind: 'forward' }, meaning);
    case 'truncate':
    case 'execute':
    case 'code':
    case 'other':
      return { kind: 'forward' };
  }
}

/**
 * The rule for the answer to a PREPARE.
 * @param text the client's statement
 * @param sql what is sent in its place
 * @param executeRule the rule for the answers to its EXECUTE
 */
export function prepareRule(
  name: string,
  text: string,
  sql: string,
  executeRule: ReplyRule,
  meaning: Meaning,
): PrepareRule {
  return { kind: 'prepare', name, text, sql, executeRule, targets: targetsOf({ meaning }) };
}
