/** Where in a statement something is deleted, or run that might delete. */
import type { RelationName } from './names.js';
import type { Json, Node } from './parser.js';
import { asList, asNode, node, relationName } from './tree.js';

/** Only stored by these, not run: what their bodies delete is not theirs. */
const DEFINITIONS: ReadonlySet<string> = new Set(['CreateFunctionStmt', 'RuleStmt']);

export interface Found {
  readonly targets: readonly RelationName[];
  readonly executes: readonly string[];
}

/**
 * Everything in a tree that deletes rows, wherever it stands: in a WITH, under EXPLAIN or COPY, in a PREPARE.
 */
export function findDeletes(tree: Json): readonly Found[] {
  if (tree === null || typeof tree !== 'object') return [];
  if (Array.isArray(tree)) return tree.flatMap(findDeletes);
  return Object.entries(tree as Node).flatMap(([key, value]) => {
    if (DEFINITIONS.has(key)) return [];
    const own = deletesOf(key, asNode(value));
    const below = findDeletes(value);
    return own ? [own, ...below] : below;
  });
}

/** The relations that anything in a tree inserts into or updates. */
export function findChanges(tree: Json): readonly RelationName[] {
  if (tree === null || typeof tree !== 'object') return [];
  if (Array.isArray(tree)) return tree.flatMap(findChanges);
  return Object.entries(tree as Node).flatMap(([key, value]) => {
    const own = CHANGING.has(key) || (key === 'MergeStmt' && mergeHas(asNode(value), /INSERT|UPDATE/));
    return [...(own ? [relationName(asNode(asNode(value).relation))] : []), ...findChanges(value)];
  });
}

const CHANGING: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt']);

/** Whether a MERGE deletes. */
export function mergeDeletes(merge: Node): boolean {
  return mergeHas(merge, /DELETE/);
}

function mergeHas(merge: Node, command: RegExp): boolean {
  return asList(merge.mergeWhenClauses).some((clause) =>
    command.test(String(asNode(asNode(clause).MergeWhenClause).commandType)),
  );
}

function deletesOf(type: string, value: Node): Found | undefined {
  switch (type) {
    case 'DeleteStmt':
      return { targets: [relationName(asNode(value.relation))], executes: [] };
    case 'MergeStmt':
      return mergeDeletes(value)
        ? { targets: [relationName(asNode(value.relation))], executes: [] }
        : undefined;
    case 'ExecuteStmt':
      return { targets: [], executes: [String(value.name)] };
    default:
      return undefined;
  }
}

/** EXPLAIN without ANALYZE runs nothing. */
export function isPlainExplain(tree: Node): boolean {
  const explain = node(tree, 'ExplainStmt');
  return (
    explain !== undefined &&
    !asList(explain.options).some((option) => asNode(asNode(option).DefElem).defname === 'analyze')
  );
}

const FORMS: Readonly<Record<string, string>> = {
  CopyStmt: 'COPY',
  CreateTableAsStmt: 'CREATE TABLE AS',
  DeleteStmt: 'DELETE with SEARCH or CYCLE',
  ExecuteStmt: 'EXECUTE',
  ExplainStmt: 'EXPLAIN ANALYZE',
  MergeStmt: 'MERGE',
  PrepareStmt: 'PREPARE',
};

/** What a statement is called in an error. */
export function formOf(tree: Node): string {
  return FORMS[Object.keys(tree)[0] ?? ''] ?? 'a WITH that deletes';
}
