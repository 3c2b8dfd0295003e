/** What a statement does to those behind it in the same text. */
import type { Node } from './parser.js';
import { asNode } from './tree.js';

/** Neither schema nor settings change by these. (A function that they call is not seen.) */
const SETTLED: ReadonlySet<string> = new Set(
  'SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt ExplainStmt LockStmt VacuumStmt FetchStmt ClosePortalStmt DeclareCursorStmt PrepareStmt ExecuteStmt DeallocateStmt NotifyStmt ListenStmt UnlistenStmt CheckPointStmt ConstraintsSetStmt VariableShowStmt CommentStmt TruncateStmt'.split(
    ' ',
  ),
);
/** Settings that decide what a name means, or what the proxy does. */
const DECISIVE = /^(?:search_path|role|session_authorization|session_replication_role|pgcascade\..*)$/i;

/** Whether a statement may change what the next ones mean: DDL, SET of what names depend on, ROLLBACK. */
export function unsettles(tree: Node): boolean {
  const [type = ''] = Object.keys(tree);
  const value = asNode(tree[type]);
  if (type === 'TransactionStmt') return String(value.kind).startsWith('TRANS_STMT_ROLLBACK');
  if (type === 'VariableSetStmt') return value.kind === 'VAR_RESET_ALL' || DECISIVE.test(String(value.name));
  return !SETTLED.has(type);
}
