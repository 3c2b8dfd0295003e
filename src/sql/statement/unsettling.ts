/** What a statement does to those after it in the same text. */
import { lookAt, type TextSettings } from '../lexer/look.js';
import type { Node } from '../parser/parser.js';
import { asNode } from '../parser/tree.js';

/** Neither schema nor settings change by these. (A function that they call is not seen.) */
const SETTLED: ReadonlySet<string> = new Set(
  'SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt ExplainStmt LockStmt VacuumStmt FetchStmt ClosePortalStmt DeclareCursorStmt PrepareStmt ExecuteStmt DeallocateStmt NotifyStmt ListenStmt UnlistenStmt CheckPointStmt ConstraintsSetStmt VariableShowStmt CommentStmt TruncateStmt'.split(
    ' ',
  ),
);
/** Of these the words tell more: what they set by calling set_config, and tables that they make. */
const QUERIES: ReadonlySet<string> = new Set(
  'SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt ExplainStmt DeclareCursorStmt'.split(' '),
);
/** As the parser reads a text. */
const PARSED: TextSettings = { strings: 'on', hasHalves: false };
/** Settings that decide what a name means, or what the proxy does. */
const DECISIVE = /^(?:search_path|role|session_authorization|session_replication_role|pgcascade\..*)$/i;

/** `at its end`: it ends a transaction, and what was set in it. */
export type Unsettling = 'never' | 'at its end' | 'always';

/**
 * Whether a statement may change what the next ones mean: DDL, SET of what names depend on, the end of a transaction.
 * @param text the statement's own, in UTF-8
 */
export function unsettles(tree: Node, text: Buffer): Unsettling {
  const [type = ''] = Object.keys(tree);
  const value = asNode(tree[type]);
  if (type === 'TransactionStmt') return TRANSACTION_END.test(String(value.kind)) ? 'at its end' : 'never';
  if (type === 'VariableSetStmt')
    return value.kind === 'VAR_RESET_ALL' || DECISIVE.test(String(value.name)) ? 'always' : 'never';
  if (!SETTLED.has(type)) return 'always';
  return QUERIES.has(type) && lookAt(text, PARSED).effect !== 'none' ? 'always' : 'never';
}

const TRANSACTION_END = /^TRANS_STMT_(?:COMMIT|ROLLBACK|PREPARE)/;
