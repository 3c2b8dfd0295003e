/**
 * A second opinion on the keys of a statement, by node-sql-parser, where its grammar knows the statement. Its trees have no lines, nor
 * what was quoted, nor all options; so what they say is held against what the tokens say, and is not taken in their place.
 */
import { type Dialect, LEXIS } from '../sql/dialects/dialect.js';
import {
  type GrammarNode,
  type GrammarValue,
  isNode,
  listOf,
  parseStatement,
} from '../sql/dialects/grammar.js';
import type { FileKey } from './definition.js';

/** In lower case and without quotes, as trees do not have what was quoted, and some have quotes doubled. */
interface Outline {
  readonly columns: readonly string[];
  readonly referenced: string;
  readonly referencedColumns: readonly string[];
  readonly action: string;
}

/**
 * @param keys those that the tokens of the statement gave, in its order
 * @returns the first key of which the grammar says something else; undefined where it says the same, or does not know the statement
 */
export function contradicted(
  sql: string,
  dialect: Exclude<Dialect, 'postgresql'>,
  keys: readonly FileKey[],
): FileKey | undefined {
  const tree = keys.length > 0 ? parseStatement(sql, dialect) : undefined;
  if (tree === undefined) return undefined;
  const said = elementsOf(tree).flatMap((element) => outlineOf(element, LEXIS[dialect].unwritten));
  // Where it has left one out, it does not know that one.
  if (said.length < keys.length) return undefined;
  return keys.find((key, i) => {
    const other = said[i];
    return other === undefined || JSON.stringify(ofKey(key)) !== JSON.stringify(other);
  });
}

/** The columns and constraints of CREATE TABLE, and those that ALTER TABLE adds. */
function elementsOf(tree: GrammarNode): readonly GrammarNode[] {
  if (tree.type === 'create') return listOf(tree.create_definitions);
  if (tree.type !== 'alter') return [];
  return listOf(tree.expr).flatMap((each) => {
    const added = listOf(each.create_definitions);
    return added.length > 0 ? added : [each];
  });
}

function outlineOf(element: GrammarNode, unwritten: string): readonly Outline[] {
  const { reference_definition: reference, column } = element;
  if (!isNode(reference)) return [];
  const [table] = listOf(reference.table);
  const onDelete = listOf(reference.on_action).find(({ type }) => type === 'on delete')?.value;
  const action = isNode(onDelete ?? null) ? (onDelete as GrammarNode).value : undefined;
  const own = column === undefined ? listOf(element.definition) : [asNode(column)];
  return [
    {
      columns: own.map(columnName),
      referenced: plain(String(table?.table ?? '')),
      referencedColumns: listOf(reference.definition).map(columnName),
      action: String(action ?? unwritten).toLowerCase(),
    },
  ];
}

function ofKey({ columns, referenced, referencedColumns, action }: FileKey): Outline {
  return {
    columns: columns.map(plain),
    referenced: plain(referenced.name),
    referencedColumns: referencedColumns.map(plain),
    action,
  };
}

/** `{ column: 'id' }`, or in the grammars that are like PostgreSQL's `{ column: { expr: { value: 'id' } } }`. */
function columnName({ column }: GrammarNode): string {
  const name = isNode(column) ? asNode(column.expr).value : column;
  return plain(String(name ?? ''));
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[`"]/g, '');
}

function asNode(value: GrammarValue): GrammarNode {
  return isNode(value) ? value : {};
}
