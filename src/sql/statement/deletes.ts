/** Where in a statement something is deleted, or run that might delete. */
import type { RelationName } from '../names.js';
import type { Json, Node } from '../parser/parser.js';
import { asList, asNode, node, relationName, stringOf } from '../parser/tree.js';

/** Only stored by these, not run: what their bodies delete is not theirs. */
const DEFINITIONS: ReadonlySet<string> = new Set(['CreateFunctionStmt', 'RuleStmt']);

export interface Found {
  readonly targets: readonly RelationName[];
  readonly executes: readonly Executed[];
}

/** EXECUTE: the name of the prepared statement, and how many values it is given. */
export interface Executed {
  readonly name: string;
  readonly values: number;
}

/**
 * Everything in a tree that deletes rows, wherever it stands: in a WITH, under EXPLAIN or COPY, in a PREPARE.
 */
export function findDeletes(tree: Json): readonly Found[] {
  return nodesOf(tree).flatMap(([type, value]) => deletesOf(type, value) ?? []);
}

/** A node's type and what it has. What is no node of its own, as a statement's list of columns, has the name of its field. */
type Typed = readonly [type: string, value: Node];

/** What was walked: several look for something in the same tree, and it is kept for no longer than the tree. */
const walked = new WeakMap<object, readonly Typed[]>();

/**
 * All nodes of a tree, in the order of the text.
 * @param rank puts the parts of a node with a higher one first
 */
export function nodesOf(tree: Json, rank?: (key: string) => number): readonly Typed[] {
  if (rank !== undefined || tree === null || typeof tree !== 'object') return walk(tree, rank);
  const known = walked.get(tree) ?? walk(tree, undefined);
  walked.set(tree, known);
  return known;
}

/** Without recursion: 1 + 1 + … can be thousands of nodes deep. */
function walk(tree: Json, rank: ((key: string) => number) | undefined): readonly Typed[] {
  const found: Typed[] = [];
  const waiting: (readonly [string, Json])[] = [['', tree]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [type, value] = next;
    if (value === null || typeof value !== 'object' || DEFINITIONS.has(type)) continue;
    if (!Array.isArray(value)) found.push([type, asNode(value)]);
    // Most of what a tree has is no node, and most trees are small.
    const parts = Object.entries(value).filter(([, part]) => part !== null && typeof part === 'object');
    parts.reverse();
    if (rank) parts.sort(([one], [other]) => rank(one) - rank(other));
    for (const part of parts) waiting.push(part);
  }
  return found;
}

/** Whether a MERGE deletes. */
export function mergeDeletes(merge: Node): boolean {
  return mergeClauses(merge).some(({ commandType }) => commandType === 'CMD_DELETE');
}

/** The WHEN clauses of a MERGE. */
export function mergeClauses(merge: Node): readonly Node[] {
  return asList(merge.mergeWhenClauses).map((clause) => asNode(asNode(clause).MergeWhenClause));
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
      return { targets: [], executes: [executed(value)] };
    default:
      return undefined;
  }
}

/** @param execute an ExecuteStmt */
export function executed(execute: Node): Executed {
  return { name: String(execute.name), values: asList(execute.params).length };
}

/** EXPLAIN without ANALYZE runs nothing. Of an option that is given twice the server takes the last. */
export function isPlainExplain(tree: Node): boolean {
  const explain = node(tree, 'ExplainStmt');
  if (explain === undefined) return false;
  const analyze = asList(explain.options)
    .map((option) => asNode(asNode(option).DefElem))
    .findLast(({ defname }) => defname === 'analyze');
  return analyze === undefined || isOff(asNode(analyze.arg));
}

/** What the server takes for false (defGetBoolean); an Integer without a value is 0. */
function isOff(value: Node): boolean {
  const text = stringOf(node(value, 'String')?.sval)?.toLowerCase();
  const number = node(value, 'Integer');
  return text === 'off' || text === 'false' || (number !== undefined && number.ival === undefined);
}

const FORMS: Readonly<Record<string, string>> = {
  CopyStmt: 'COPY',
  CreateTableAsStmt: 'CREATE TABLE AS',
  DeleteStmt: 'DELETE with an asterisk beside SEARCH or CYCLE',
  ExecuteStmt: 'EXECUTE',
  ExplainStmt: 'EXPLAIN ANALYZE',
  MergeStmt: 'MERGE',
  PrepareStmt: 'PREPARE',
};

/** What a statement is called in an error. */
export function formOf(tree: Node): string {
  const explained = asNode(asNode(tree.ExplainStmt).query);
  if (node(explained, 'CreateTableAsStmt')) return 'EXPLAIN ANALYZE CREATE TABLE AS';
  return FORMS[Object.keys(tree)[0] ?? ''] ?? 'a WITH that deletes';
}
