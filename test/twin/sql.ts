/** The model as SQL: the schema twice, once enforced and once not, and the statements. */
import type { Case, Key, KeyType, Row, Statement, Table } from './model.js';

/**
 * `native` has the keys enforced with their actions. `emulated` has them NOT ENFORCED. `overridden` has them enforced with
 * NO ACTION, and the proxy's configuration knows the actions by the names of the constraints.
 */
export type Twin = 'native' | 'emulated' | 'overridden';

/** The overrides that give the keys of `overridden` their actions. */
export const OVERRIDES = (['cascade', 'set null', 'set default', 'restrict', 'no action'] as const).map(
  (on_delete) => ({ match: `overridden.*.*_${on_delete.replace(' ', '_')}`, on_delete }),
);

export function tableName(place: number): string {
  return `t${place}`;
}

/** Everything of one twin: its schema, tables, keys and rows. */
export function createTwin(given: Case, twin: Twin): string {
  const { tables } = given;
  return [
    `DROP SCHEMA IF EXISTS ${twin} CASCADE`,
    `CREATE SCHEMA ${twin}`,
    `SET search_path = ${twin}`,
    ...tables.flatMap((table, place) => createTable(given, table, place, twin)),
    ...fill(tables),
  ].join(';\n');
}

/** The rows again as they were. */
export function refill({ tables }: Case, twin: Twin): string {
  const names = tables.map((_, place) => `${twin}.${tableName(place)}`).join(', ');
  return [`TRUNCATE ${names} CASCADE`, `SET search_path = ${twin}`, ...fill(tables)].join(';\n');
}

export function contents({ tables }: Case, twin: Twin): string {
  return tables
    .map((_, place) => `SELECT ${place} AS t, r::text AS row FROM ${twin}.${tableName(place)} AS r`)
    .join(' UNION ALL ')
    .concat(' ORDER BY 1, 2');
}

const LITERALS: Readonly<Record<KeyType, (value: number) => string>> = {
  int4: String,
  int8: String,
  text: (value) => `'v ${value}'`,
  numeric: (value) => `${value}.50`,
};

/** A type that PostgreSQL compares with the key's own. Not every pair of types may form a key. */
const OTHERS: Readonly<Record<KeyType, string>> = {
  int4: 'int8',
  int8: 'int4',
  text: 'varchar(20)',
  numeric: 'numeric(10,3)',
};

function createTable(given: Case, table: Table, place: number, twin: Twin): string[] {
  const { tables } = given;
  const name = tableName(place);
  const columns = [
    `id ${table.type} ${table.bare ? 'NOT NULL UNIQUE' : 'PRIMARY KEY'}`,
    'code varchar(10) UNIQUE',
    'a int4 NOT NULL',
    'b text NOT NULL',
    ...table.keys.flatMap((key, i) => keyColumns(tables, key, i)),
    'UNIQUE (a, b)',
  ];
  const keys = table.keys.map((key, i) => {
    const from = key.target === 'pair' ? `f${i}a, f${i}b` : `f${i}`;
    const to = key.target === 'pair' ? 'a, b' : key.target;
    // An override changes the action, and has no column list to go with it.
    const listed = key.subset && key.target === 'pair' && key.action.startsWith('SET') && !given.overridden;
    const action = twin === 'overridden' ? 'NO ACTION' : `${key.action}${listed ? ` (f${i}b)` : ''}`;
    const constraint = `${name}_f${i}_${key.action.toLowerCase().replace(' ', '_')}`;
    return (
      `ALTER TABLE ${name} ADD CONSTRAINT ${constraint} FOREIGN KEY (${from}) REFERENCES ${tableName(key.to)} (${to}) ` +
      `ON DELETE ${action} ${twin === 'emulated' ? 'NOT ENFORCED' : ''}`
    );
  });
  const indexes = table.keys.flatMap((key, i) =>
    key.indexed ? [`CREATE INDEX ON ${name} (${key.target === 'pair' ? `f${i}a, f${i}b` : `f${i}`})`] : [],
  );
  return [`CREATE TABLE ${name} (${columns.join(', ')})`, ...keys, ...indexes];
}

function keyColumns(tables: readonly Table[], key: Key, i: number): string[] {
  const null_ = key.notNull ? ' NOT NULL' : '';
  const withDefault = (literal: string) =>
    key.action === 'SET DEFAULT' && key.defaultValue !== null ? ` DEFAULT ${literal}` : '';
  const value = key.defaultValue ?? 0;
  switch (key.target) {
    case 'id': {
      const type = tables[key.to]?.type ?? 'int4';
      return [`f${i} ${key.otherType ? OTHERS[type] : type}${withDefault(LITERALS[type](value))}${null_}`];
    }
    case 'code':
      return [`f${i} ${key.otherType ? 'text' : 'varchar(10)'}${withDefault(`'c${value}'`)}${null_}`];
    case 'pair':
      return [
        `f${i}a ${key.otherType ? 'int8' : 'int4'}${withDefault(String((value % 2) + 1))}${null_}`,
        `f${i}b text${withDefault(`'p${(value % 3) + 1}'`)}${null_}`,
      ];
  }
}

function fill(tables: readonly Table[]): string[] {
  return tables.flatMap((table, place) => {
    const rows = table.rows.flatMap((row) => {
      const values = rowValues(tables, table, row);
      return values ? [`(${values.join(', ')})`] : [];
    });
    return rows.length > 0 ? [`INSERT INTO ${tableName(place)} VALUES ${rows.join(', ')}`] : [];
  });
}

/** The row's values, or undefined where a NOT NULL key has nothing to reference. */
function rowValues(tables: readonly Table[], table: Table, row: Row): string[] | undefined {
  const references = table.keys.map((key, i) => {
    const parent = tables[key.to];
    const place = row.references[i] ?? null;
    const rows = parent ? rowsThatExist(tables, parent) : [];
    const referenced = place === null ? undefined : rows[place % Math.max(rows.length, 1)];
    return referenceValues(key, parent?.type ?? 'int4', referenced);
  });
  if (references.some((values, i) => table.keys[i]?.notNull && values.includes('NULL'))) return undefined;
  return [
    LITERALS[table.type](row.id),
    row.code === null ? 'NULL' : `'c${row.code}'`,
    String(row.pair[0]),
    `'p${row.pair[1]}'`,
    ...references.flat(),
  ];
}

function rowsThatExist(tables: readonly Table[], table: Table): readonly Row[] {
  return table.rows.filter((row) => rowValues(tables, table, row) !== undefined);
}

function referenceValues(key: Key, type: KeyType, row: Row | undefined): string[] {
  switch (key.target) {
    case 'id':
      return [row ? LITERALS[type](row.id) : 'NULL'];
    case 'code':
      return [row?.code ? `'c${row.code}'` : 'NULL'];
    case 'pair':
      return row ? [String(row.pair[0]), `'p${row.pair[1]}'`] : ['NULL', 'NULL'];
  }
}

export interface Query {
  readonly text: string;
  readonly values: readonly string[];
}

/** The statement for one twin; literals become parameters where the manner has them. */
export function deleteSql({ tables }: Case, statement: Statement, twin: Twin): Query {
  const table = tables[statement.table];
  if (!table) throw new Error('a statement on no table');
  const values: string[] = [];
  const literal = (value: number) => {
    const text = LITERALS[table.type](value);
    if (statement.manner === 'simple') return text;
    values.push(text.replaceAll("'", ''));
    return `$${values.length}`;
  };
  const name =
    statement.spelling === 'qualified' ? `${twin}.${tableName(statement.table)}` : tableName(statement.table);
  const me = statement.spelling === 'alias' ? 'x' : tableName(statement.table);
  const child = childOf(tables, statement.table);
  const { using, where } = condition(statement, me, child, literal);
  const text = [
    `DELETE FROM ${statement.spelling === 'only' ? 'ONLY ' : ''}${name}${statement.spelling === 'alias' ? ' AS x' : ''}`,
    using,
    where,
    returning(statement, me, child),
  ].filter((part) => part !== '');
  return { text: text.join(statement.spelling === 'alias' ? ' /* é */\n' : ' '), values };
}

interface Child {
  readonly name: string;
  /** How its rows are tied to the table's, `me` being the table's name in the statement. */
  readonly on: (me: string, child: string) => string;
}

/** The first table with a key to this one; without one, the table itself. */
function childOf(tables: readonly Table[], place: number): Child {
  for (const [at, table] of tables.entries()) {
    const i = table.keys.findIndex((key) => key.to === place);
    const key = table.keys[i];
    if (!key) continue;
    const on = (me: string, child: string) =>
      key.target === 'pair'
        ? `${child}.f${i}a = ${me}.a AND ${child}.f${i}b = ${me}.b`
        : `${child}.f${i} = ${me}.${key.target}`;
    return { name: tableName(at), on };
  }
  return { name: tableName(place), on: (me, child) => `${child}.id = ${me}.id` };
}

function condition(
  { where }: Statement,
  me: string,
  child: Child,
  literal: (value: number) => string,
): { using: string; where: string } {
  switch (where.kind) {
    case 'all':
      return { using: '', where: '' };
    case 'equals':
      return { using: '', where: `WHERE ${me}.id = ${literal(where.value)}` };
    case 'in':
      return { using: '', where: `WHERE ${me}.id IN (${literal(where.value)}, ${literal(where.other)})` };
    case 'above':
      return { using: '', where: `WHERE ${me}.id > ${literal(where.value)}` };
    case 'referenced':
      return { using: '', where: `WHERE EXISTS (SELECT FROM ${child.name} AS c WHERE ${child.on(me, 'c')})` };
    case 'unreferenced':
      return {
        using: '',
        where: `WHERE NOT EXISTS (SELECT FROM ${child.name} AS c WHERE ${child.on(me, 'c')})`,
      };
    case 'using':
      return { using: `USING ${child.name} AS c`, where: `WHERE ${child.on(me, 'c')}` };
  }
}

function returning({ returning, where }: Statement, me: string, child: Child): string {
  switch (returning) {
    case 'none':
      return '';
    case 'all':
      // With USING the joined table's row depends on the plan where several match.
      return where.kind === 'using' ? `RETURNING ${me}.*` : 'RETURNING *';
    case 'some':
      return `RETURNING ${me}.code, ${me}.id AS "The Id", ${me}.a + 1, 'x' AS code`;
    case 'subquery':
      return `RETURNING ${me}.id, (SELECT count(*) FROM ${child.name} AS d WHERE ${child.on(me, 'd')}) AS children`;
  }
}
