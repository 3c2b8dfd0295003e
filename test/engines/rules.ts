/**
 * What the families refuse that PostgreSQL takes, told by its own parser. Each rule has its source: D is a vendor's documentation, S
 * the source of the database.
 */
import type { Json, Node } from '../../src/sql/parser/parser.js';

export interface Rule {
  readonly sqlstate: string;
  /** What that database says, or would. */
  readonly words: string;
  /** @param tree a statement: `{ DeleteStmt: … }` */
  refuses(tree: Node): boolean;
}

/** All objects of a kind in a tree, the tree itself too. */
function nodes(tree: Json | undefined, kind: string): readonly Node[] {
  if (Array.isArray(tree)) return tree.flatMap((each: Json) => nodes(each, kind));
  if (!isNode(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    ...(key === kind && isNode(value) ? [value] : []),
    ...nodes(value, kind),
  ]);
}

function isNode(tree: Json | undefined): tree is Node {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree);
}

const CHANGING = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/** The commands in the WITH of a statement that change rows. */
function changingInWith(tree: Node): number {
  const queries = nodes(tree, 'CommonTableExpr').map(({ ctequery }) => ctequery);
  return queries.filter((query) => isNode(query) && CHANGING.some((kind) => kind in query)).length;
}

function calls(tree: Node, names: readonly string[]): boolean {
  const called = nodes(tree, 'FuncCall').map(({ funcname }) => nodes(funcname, 'String').at(-1)?.sval);
  return called.some((name) => typeof name === 'string' && names.includes(name));
}

const transaction = (tree: Node, kind: string) =>
  nodes(tree, 'TransactionStmt').some((node) => node.kind === `TRANS_STMT_${kind}`);
const has = (kind: string) => (tree: Node) => nodes(tree, kind).length > 0;

const rule = (sqlstate: string, words: string, refuses: (tree: Node) => boolean): Rule => ({
  sqlstate,
  words,
  refuses,
});

/** What a catalog of PostgreSQL 8 or 9, or one that only looks like it, does not have. */
const RECENT_FUNCTIONS = [
  'to_regclass',
  'txid_current_if_assigned',
  'json_build_object',
  'pg_my_temp_schema',
];
const withoutCatalog = rule('42883', 'function does not exist', (tree) => calls(tree, RECENT_FUNCTIONS));
const withoutReturning = rule('42601', 'syntax error at or near "RETURNING"', (tree) =>
  CHANGING.some((kind) =>
    nodes(tree, kind).some(({ returningList, returningClause }) => returningList ?? returningClause),
  ),
);
const withReadsOnly = (words: string) => rule('0A000', words, (tree) => changingInWith(tree) > 0);
const withoutSavepoints = rule('0A000', 'SAVEPOINT is not supported', (tree) =>
  transaction(tree, 'SAVEPOINT'),
);
const withoutRowLocks = rule('42601', 'syntax error at or near "FOR"', has('LockingClause'));

/** D: Redshift, DELETE, WITH clause; unsupported PostgreSQL features, data types (arrays) and functions. */
export const REDSHIFT_RULES = [
  withoutReturning,
  withReadsOnly('WITH clause containing a data-modifying statement is not supported'),
  withoutSavepoints,
  withoutRowLocks,
  rule('0A000', 'ARRAY is not supported', has('A_ArrayExpr')),
  rule('0A000', 'MERGE with DELETE is not supported', has('MergeStmt')),
  withoutCatalog,
];

/** D: Greenplum 6 and 7, WITH queries (common table expressions), limitations. */
export const GREENPLUM_7_RULES = [
  rule('0A000', 'writable CTE queries cannot be themselves writable', (tree) => {
    const [kind = ''] = Object.keys(tree);
    return changingInWith(tree) > (kind === 'SelectStmt' ? 1 : 0);
  }),
];
/** PostgreSQL 9.4: to_regclass takes cstring, current_setting one argument. */
export const GREENPLUM_6_RULES = [...GREENPLUM_7_RULES, withoutCatalog];

/** S: crate, SqlBaseParser.g4, statement and delete; transactions are ignored by the gate, not refused. */
export const CRATEDB_RULES = [
  withoutReturning,
  rule('42601', 'mismatched input', (tree) =>
    nodes(tree, 'DeleteStmt').some(({ usingClause }) => usingClause),
  ),
  rule('42601', 'mismatched input', (tree) => nodes(tree, 'DeleteStmt').some(({ withClause }) => withClause)),
  withReadsOnly('mismatched input'),
  withoutSavepoints,
  withoutRowLocks,
  rule('42601', 'no viable alternative at input', has('TruncateStmt')),
  rule('42601', 'no viable alternative at input', (tree) => nodes(tree, 'A_Expr').some(isQualified)),
  withoutCatalog,
];

/** D: Aurora DSQL, unsupported PostgreSQL features. */
export const DSQL_RULES = [
  withoutSavepoints,
  rule('0A000', 'unsupported statement: Truncate', has('TruncateStmt')),
  rule('0A000', 'unsupported statement: Lock', has('LockStmt')),
  rule('0A000', 'temporary tables are not supported', (tree) =>
    nodes(tree, 'RangeVar').some(({ relpersistence }) => relpersistence === 't'),
  ),
];

/** S: citus, multi_router_planner.c (DeferErrorIfModifyQueryNotSupported). All tables are taken for distributed ones. */
export const CITUS_RULES = [
  withReadsOnly('data-modifying statements are not supported in the WITH clauses of distributed queries'),
];

/** OPERATOR(schema.=) */
function isQualified({ name }: Node): boolean {
  return Array.isArray(name) && name.length > 1;
}
