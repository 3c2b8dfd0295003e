/** Reads CREATE, ALTER and DROP TABLE from the trees of PostgreSQL's own parser. */
import { actionOf } from '../graph/catalog/key-settings.js';
import { quoteLiteral } from '../sql/names.js';
import { type Json, type Node, parse } from '../sql/parser/parser.js';
import { asList, asNode, node, relationName, stringOf } from '../sql/parser/tree.js';
import type { Definition, FileColumn, FileKey, FileName, Parts } from './definition.js';

/**
 * @param sql one statement
 * @param lineAt the line of an offset in it, in bytes
 * @returns what it defines, or undefined where it is not what PostgreSQL's grammar knows
 */
export function definitionsByPostgres(
  sql: string,
  lineAt: (byte: number) => number,
): readonly Definition[] | undefined {
  return parse(sql)?.flatMap(({ tree }) => definitionsOf(tree, lineAt));
}

function definitionsOf(tree: Node, lineAt: (byte: number) => number): readonly Definition[] {
  const line = lineAt(0);
  const create = node(tree, 'CreateStmt') ?? node(asNode(tree.CreateForeignTableStmt), 'base');
  if (create) return created(create, line, lineAt);
  const made = node(tree, 'CreateTableAsStmt');
  if (made) {
    const table = named(asNode(made.into).rel);
    const open = { isOpen: true, withoutRowid: false, ifNotThere: made.if_not_exists === true };
    return [
      { kind: 'create', table, line, parents: [], isPartition: false, ...open, ...partsOf([], lineAt) },
    ];
  }
  const alter = node(tree, 'AlterTableStmt');
  if (alter?.objtype === 'OBJECT_TABLE' || alter?.objtype === 'OBJECT_FOREIGN_TABLE')
    return [altered(alter, line, lineAt)];
  const drop = node(tree, 'DropStmt');
  if (drop?.removeType === 'OBJECT_TABLE') return [{ kind: 'drop', tables: droppedTables(drop), line }];
  const rename = node(tree, 'RenameStmt');
  return rename ? renamed(rename, line) : [];
}

function created(create: Node, line: number, lineAt: (byte: number) => number): readonly Definition[] {
  const relation = asNode(create.relation);
  // A temporary table is none of the schema's.
  if (relation.relpersistence === 't') return [];
  const elements = asList(create.tableElts).map(asNode);
  return [
    {
      kind: 'create',
      table: relationName(relation),
      line,
      ifNotThere: create.if_not_exists === true,
      isOpen: create.ofTypename !== undefined || elements.some((each) => each.TableLikeClause !== undefined),
      withoutRowid: false,
      parents: asList(create.inhRelations).map((each) => named(asNode(each).RangeVar)),
      isPartition: create.partbound !== undefined,
      ...partsOf(elements, lineAt),
    },
  ];
}

function altered(alter: Node, line: number, lineAt: (byte: number) => number): Definition {
  const commands = asList(alter.cmds).map((each) => asNode(asNode(each).AlterTableCmd));
  const ofType = (...types: readonly string[]) =>
    commands.filter(({ subtype }) => types.includes(String(subtype)));
  return {
    kind: 'alter',
    table: named(alter.relation),
    line,
    dropped: ofType('AT_DropConstraint', 'AT_DropColumn').map(({ name }) => String(name)),
    changed: [
      ...ofType('AT_ColumnDefault').map(({ name, def }) => ({
        name: String(name),
        constant: constantOf(def),
      })),
      ...ofType('AT_SetNotNull').map(({ name }) => ({ name: String(name), notNull: true })),
      ...ofType('AT_DropNotNull').map(({ name }) => ({ name: String(name), notNull: false })),
      ...ofType('AT_AddIdentity').map(({ name }) => ({ name: String(name), constant: null })),
    ],
    partitions: ofType('AT_AttachPartition').map(({ def }) => named(asNode(asNode(def).PartitionCmd).name)),
    ...partsOf(
      ofType('AT_AddColumn', 'AT_AddConstraint').map(({ def }) => asNode(def)),
      lineAt,
    ),
  };
}

function partsOf(elements: readonly Node[], lineAt: (byte: number) => number): Parts {
  const columns: FileColumn[] = [];
  const keys: FileKey[] = [];
  let primaryKey: readonly string[] | undefined;
  const keyOf = (constraint: Node, own: readonly string[], deferred: boolean): FileKey => ({
    name: stringOf(constraint.conname),
    columns: own,
    referenced: named(constraint.pktable),
    referencedColumns: strings(constraint.pk_attrs),
    action: actionOf(String(constraint.fk_del_action)),
    setColumns: constraint.fk_del_set_cols === undefined ? undefined : strings(constraint.fk_del_set_cols),
    matchFull: constraint.fk_matchtype === 'f',
    deferred: deferred || constraint.initdeferred === true,
    period: constraint.fk_with_period === true,
    line: lineAt(Number(asNode(constraint.pktable).location ?? 0)),
  });
  for (const element of elements) {
    const constraint = node(element, 'Constraint');
    if (constraint?.contype === 'CONSTR_PRIMARY') primaryKey = strings(constraint.keys);
    if (constraint?.contype === 'CONSTR_FOREIGN')
      keys.push(keyOf(constraint, strings(constraint.fk_attrs), false));
    const column = node(element, 'ColumnDef');
    if (!column) continue;
    const name = String(column.colname);
    const own = asList(column.constraints).map((each) => asNode(asNode(each).Constraint));
    const deferred = own.some(({ contype }) => contype === 'CONSTR_ATTR_DEFERRED');
    for (const each of own) if (each.contype === 'CONSTR_FOREIGN') keys.push(keyOf(each, [name], deferred));
    if (own.some(({ contype }) => contype === 'CONSTR_PRIMARY')) primaryKey = [name];
    columns.push(columnOf(name, own));
  }
  return { columns, primaryKey, keys };
}

function columnOf(name: string, constraints: readonly Node[]): FileColumn {
  const of = (...types: readonly string[]) =>
    constraints.find(({ contype }) => types.includes(String(contype)));
  const isMade = of('CONSTR_IDENTITY', 'CONSTR_GENERATED') !== undefined;
  const byDefault = of('CONSTR_DEFAULT');
  return {
    name,
    notNull: of('CONSTR_NOTNULL', 'CONSTR_PRIMARY') !== undefined,
    isInteger: false,
    constant: isMade ? null : byDefault ? constantOf(byDefault.raw_expr) : 'NULL',
    collation: undefined,
  };
}

/** A constant, cast or not, as SQL; NULL where there is none; null for any other expression. */
function constantOf(expression: Json | undefined): string | null {
  if (expression === undefined) return 'NULL';
  const tree = asNode(expression);
  const cast = node(tree, 'TypeCast');
  if (cast) return constantOf(cast.arg);
  const constant = node(tree, 'A_Const');
  if (!constant) return null;
  if (constant.isnull === true) return 'NULL';
  const integer = node(constant, 'ival');
  if (integer) return String(integer.ival ?? 0);
  const fraction = node(constant, 'fval');
  if (fraction) return String(fraction.fval);
  const boolean = node(constant, 'boolval');
  if (boolean) return boolean.boolval === true ? 'TRUE' : 'FALSE';
  const text = node(constant, 'sval');
  return text ? quoteLiteral(stringOf(text.sval) ?? '') : null;
}

function droppedTables(drop: Node): readonly FileName[] {
  return asList(drop.objects).map((each) => {
    const names = strings(asNode(asNode(each).List).items);
    return { schema: names.at(-2), name: names.at(-1) ?? '' };
  });
}

function renamed(rename: Node, line: number): readonly Definition[] {
  const { renameType, relationType, relation, subname, newname } = rename;
  const isColumn = renameType === 'OBJECT_COLUMN' && relationType === 'OBJECT_TABLE';
  if (!isColumn && renameType !== 'OBJECT_TABLE') return [];
  const column = isColumn ? stringOf(subname) : undefined;
  return [{ kind: 'rename', table: named(relation), to: String(newname), column, line }];
}

function named(rangeVar: Json | undefined): FileName {
  return relationName(asNode(rangeVar));
}

function strings(list: Json | undefined): readonly string[] {
  return asList(list).flatMap((each) => stringOf(asNode(asNode(each).String).sval) ?? []);
}
