/** Whether the statements of a text are sent as one text, or one after the other. */
import { isAfterUnsettling, namesRelations } from '../../rewrite/unsettling.js';
import type { ClientText } from './client-texts.js';
import { isCuttable, type TextSource } from './decision.js';
import type { Resolved } from './resolver.js';
import { isSensitive } from './rewriter.js';

/** Whether what a statement means may depend on one before it in the same text, so that they are sent one after the other. */
export function orderOf(
  client: ClientText,
  resolved: Resolved,
  source: TextSource,
): 'as it is' | 'statementByStatement' | 'as one text' {
  const { statements } = client;
  if (resolved.hides && statements.slice(1).some(namesRelations)) return 'statementByStatement';
  const isAfter = isAfterUnsettling(statements, resolved.touched);
  if (!resolved.active && !isAfter) return 'as it is';
  if (!isAfter || !isSensitive(client, resolved)) return 'as one text';
  // Where cascades are switched on, a text that cannot be cut has its later statements refused one by one.
  return isCuttable(client, source) || !resolved.active ? 'statementByStatement' : 'as one text';
}
