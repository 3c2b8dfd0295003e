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

/** Everything in a tree that deletes, wherever it stands: in a WITH, under EXPLAIN or COPY, in a PREPARE. */
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

/** Whether anything in a tree changes rows. */
export function modifies(tree: Json): boolean {
  if (tree === null || typeof tree !== 'object') return false;
  if (Array.isArray(tree)) return tree.some(modifies);
  return Object.entries(tree as Node).some(([key, value]) => MODIFYING.has(key) || modifies(value));
}

const MODIFYING: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

function deletesOf(type: string, value: Node): Found | undefined {
  switch (type) {
    case 'DeleteStmt':
      return { targets: [relationName(asNode(value.relation))], executes: [] };
    case 'MergeStmt': {
      const deletes = asList(value.mergeWhenClauses).some(
        (clause) => asNode(asNode(clause).MergeWhenClause).commandType === 'CMD_DELETE',
      );
      return deletes ? { targets: [relationName(asNode(value.relation))], executes: [] } : undefined;
    }
    case 'TruncateStmt':
      return {
        targets: asList(value.relations).map((each) => relationName(asNode(asNode(each).RangeVar))),
        executes: [],
      };
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
  DeleteStmt: 'DELETE with a modifying WITH',
  ExecuteStmt: 'EXECUTE',
  ExplainStmt: 'EXPLAIN ANALYZE',
  MergeStmt: 'MERGE',
  PrepareStmt: 'PREPARE',
  TruncateStmt: 'TRUNCATE',
};

/** What a statement is called in an error. */
export function formOf(tree: Node): string {
  return FORMS[Object.keys(tree)[0] ?? ''] ?? 'a WITH that deletes';
}
