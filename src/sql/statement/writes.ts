/** What a statement inserts and changes, wherever in it that stands. */
import type { RelationName } from '../names.js';
import type { Json, Node } from '../parser/parser.js';
import { asList, asNode, relationName, stringOf } from '../parser/tree.js';
import { mergeClauses, mergeDeletes, nodesOf } from './deletes.js';

export interface Write {
  readonly command: 'INSERT' | 'UPDATE' | 'MERGE' | 'COPY FROM';
  readonly target: RelationName;
  /** It may add rows. */
  readonly inserts: boolean;
  /** It may change rows that are there: an UPDATE, a MERGE, or ON CONFLICT DO UPDATE. */
  readonly updates: boolean;
  /** The columns that it sets in rows that are there. */
  readonly sets: readonly string[];
  /** It may delete rows too: a MERGE. What it returns are then not only rows that it has written. */
  readonly deletes: boolean;
}

/** Everything in a tree that inserts or changes rows: in a WITH, under EXPLAIN or COPY, in a PREPARE. */
export function findWrites(tree: Json): readonly Write[] {
  return nodesOf(tree).flatMap(([type, value]) => writeOf(type, value) ?? []);
}

/** What a node of this type inserts and changes itself. */
export function writeOf(type: string, value: Node): Write | undefined {
  switch (type) {
    case 'InsertStmt': {
      const { action, targetList } = asNode(value.onConflictClause);
      const updates = action === 'ONCONFLICT_UPDATE';
      return written('INSERT', value, true, updates, targetList);
    }
    case 'UpdateStmt':
      return written('UPDATE', value, false, true, value.targetList);
    case 'MergeStmt': {
      const clauses = mergeClauses(value);
      const updating = clauses.filter(({ commandType }) => commandType === 'CMD_UPDATE');
      const inserts = clauses.some(({ commandType }) => commandType === 'CMD_INSERT');
      if (!inserts && updating.length === 0) return undefined;
      const sets = updating.flatMap(({ targetList }) => asList(targetList));
      return { ...written('MERGE', value, inserts, updating.length > 0, sets), deletes: mergeDeletes(value) };
    }
    case 'CopyStmt':
      return value.is_from === true ? written('COPY FROM', value, true, false, undefined) : undefined;
    default:
      return undefined;
  }
}

function written(
  command: Write['command'],
  { relation }: Node,
  inserts: boolean,
  updates: boolean,
  targets: Json | undefined,
): Write {
  const sets = asList(targets).flatMap((each) => stringOf(asNode(asNode(each).ResTarget).name) ?? []);
  return { command, target: relationName(asNode(relation)), inserts, updates, sets, deletes: false };
}
