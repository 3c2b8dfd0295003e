/** One DELETE as SQL. */
import { nameOf, ODD_NAMES, quoted } from './names.js';
import { isView, type Key, type Relation, type Schema, type Table, targetColumns, tree } from './schema.js';
import { qualified } from './schema-sql.js';
import type { DeleteSpec } from './statement-spec.js';
import { isNumber, type ValueType } from './values.js';

/** Writes a value: as a literal, or as a parameter. */
export type Write = (type: ValueType, value: number) => string;

export interface DeleteSql {
  /** Its own WITH list, without the keyword; a DELETE in a WITH keeps it to itself. */
  readonly with: string;
  readonly recursive: boolean;
  readonly text: string;
  readonly relation: Relation;
  readonly returns: boolean;
  /** What the target's rows are called. */
  readonly alias: string;
}

export interface DeleteOptions {
  /** It has to return something, or must not. */
  readonly returning?: DeleteSpec['returning'];
  /** CURRENT OF this cursor. */
  readonly cursor?: string;
  /** A further condition. */
  readonly also?: (alias: string) => string;
}

/** Those that keys reference come more often. */
export function relationOf({ relations, tables, keys }: Schema, place: number): Relation {
  const views = tables.flatMap(({ view }) => view?.relation ?? []);
  const choices = [...relations, ...views, ...keys.flatMap(({ to }) => [to, to])];
  const relation = choices[place % choices.length];
  if (!relation) throw new Error('a schema without relations');
  return relation;
}

/** The name as a statement says it: with its schema where the search path alone would find another. */
export function nameIn({ relations }: Schema, relation: Relation): string {
  const shadowed =
    relation.schema === 'b' && relations.some(({ schema, name }) => schema === 'a' && name === relation.name);
  return shadowed ? qualified(relation) : quoted(relation.name);
}

export function deleteSql(
  schema: Schema,
  spec: DeleteSpec,
  write: Write,
  options: DeleteOptions = {},
): DeleteSql {
  const relation = relationOf(schema, spec.relation);
  const { mistake, spelling } = spec;
  const aliased = spelling === 'alias' || spelling === 'odd alias' || spelling === 'comments';
  const odd = spelling === 'odd alias' ? nameOf(1 + (spec.help % (ODD_NAMES.length - 1)), '') : 'x';
  const alias = aliased ? quoted(odd) : quoted(relation.name);
  // A partitioned table has no rows of its own: seldom.
  const only = spelling === 'only' && (relation.by === undefined || spec.help % 4 === 0);
  const name =
    mistake === 'table'
      ? 'no_table'
      : spelling === 'qualified'
        ? qualified(relation)
        : nameIn(schema, relation);
  const condition = conditionOf(schema, relation, spec, alias, write);
  const where = [
    ...(options.cursor === undefined ? [condition.where] : [`CURRENT OF ${options.cursor}`]),
    ...(options.also ? [options.also(alias)] : []),
    ...mistakeIn(spec, alias),
  ].filter((part) => part !== '');
  const returning = options.returning ?? spec.returning;
  const list =
    mistake === 'returned column' && returning !== 'none'
      ? `${alias}.nonsense`
      : returningList(schema, relation, returning, alias, spec);
  const space = spelling === 'comments' ? ' /* é ; */\n' : ' ';
  const text = [
    'DELETE FROM',
    `${only ? 'ONLY ' : ''}${name}${spelling === 'star' ? ' *' : ''}${aliased ? ` AS ${alias}` : ''}`,
    ...(options.cursor === undefined && condition.using !== '' ? [`USING ${condition.using}`] : []),
    ...(where.length > 0 ? [`WHERE ${where.join(' AND ')}`] : []),
    ...(mistake === 'syntax' ? ['WHERE WHERE'] : []),
    ...(list === '' ? [] : [`RETURNING ${list}`]),
  ].join(space);
  return {
    with: condition.with,
    recursive: spec.where === 'recursive',
    text,
    relation,
    returns: list !== '',
    alias,
  };
}

/** The statement with its own WITH before it. */
export function standing({ with: list, recursive, text }: DeleteSql): string {
  return list === '' ? text : `WITH ${recursive ? 'RECURSIVE ' : ''}${list} ${text}`;
}

function mistakeIn({ mistake, value }: DeleteSpec, alias: string): string[] {
  switch (mistake) {
    case 'column':
      return ['nonsense = 1'];
    case 'type':
      return [`${alias}.a = 'é'`];
    case 'division':
      return [`1 / (${alias}.a - ${alias}.a) > 0`];
    case 'division for some':
      return [`1 / (${alias}.a - ${(value % 2) + 1}) IS NOT NULL`];
    case 'aggregate':
      return [`count(*) > 1`];
    default:
      return [];
  }
}

interface Condition {
  readonly with: string;
  readonly using: string;
  readonly where: string;
}

function conditionOf(
  schema: Schema,
  { table, holds }: Relation,
  { where, value, other, help }: DeleteSpec,
  alias: string,
  write: Write,
): Condition {
  const type = table.idType;
  const id = `${alias}.${quoted(table.idColumn)}`;
  const child = childOf(schema, table, help);
  // Mostly of a row that there is.
  const rows = table.rows.filter((each) => holds?.(each) ?? true);
  const row = (number: number) => (number < 6 ? rows[number % Math.max(rows.length, 1)] : undefined);
  const idOf = (number: number) => write(type, row(number)?.id ?? number);
  const pair = row(value)?.pair ?? [(value % 2) + 1, (other % 3) + 1];
  const plain = (condition: string): Condition => ({ with: '', using: '', where: condition });
  switch (where) {
    case 'all':
      return plain('');
    case 'nothing':
      return plain('false');
    case 'equals':
      return plain(`${id} = ${idOf(value)}`);
    case 'in':
      return plain(`${id} IN (${idOf(value)}, ${idOf(other)})`);
    case 'above':
      return plain(`${id} > ${write(type, value)}`);
    case 'pair':
      return plain(`(${alias}.a, ${alias}.b) = (${write('int4', pair[0])}, ${write('label', pair[1])})`);
    case 'code is null':
      return plain(`(${alias}.code IS NULL OR ${alias}.code = ${write('varchar', value)})`);
    case 'referenced':
      return plain(`EXISTS (SELECT FROM ${child.name} AS c WHERE ${child.on(alias, 'c')})`);
    case 'unreferenced':
      return plain(`NOT EXISTS (SELECT FROM ${child.name} AS c WHERE ${child.on(alias, 'c')})`);
    case 'using':
      return { with: '', using: `${child.name} AS c`, where: child.on(alias, 'c') };
    case 'using itself': {
      const self = `${nameIn(schema, table.root)} AS o`;
      return {
        with: '',
        using: self,
        where: `o.a = ${alias}.a AND o.${quoted(table.root.table.idColumn)} > ${write(type, value)}`,
      };
    }
    case 'lateral': {
      const lateral = `LATERAL (SELECT c.a + 0 AS n WHERE c.a = ${write('int4', (value % 2) + 1)}) AS l`;
      return {
        with: '',
        using: `${child.name} AS c CROSS JOIN ${lateral}`,
        where: `${child.on(alias, 'c')} AND l.n = ${alias}.a`,
      };
    }
    case 'subquery':
      return plain(
        `${alias}.a IN (SELECT c.a FROM ${child.name} AS c WHERE c.b <> ${write('label', (value % 3) + 1)})`,
      );
    case 'with':
      return {
        with: `w AS (SELECT c.a, c.b FROM ${child.name} AS c)`,
        using: '',
        where: `(${alias}.a, ${alias}.b) IN (SELECT w.a, w.b FROM w)`,
      };
    case 'recursive':
      return {
        with: `w (n) AS (VALUES (${(value % 3) + 1}) UNION ALL SELECT n - 1 FROM w WHERE n > 1)`,
        using: 'w',
        where: `w.n = ${alias}.a`,
      };
  }
}

interface Child {
  readonly name: string;
  /** Its row `c` references the row `me`; or has something in common with it. */
  readonly on: (me: string, c: string) => string;
}

function childOf(schema: Schema, table: Table, help: number): Child {
  const keys = schema.keys.filter(({ to }) => tree(table.root).includes(to));
  const key = keys[help % Math.max(keys.length, 1)];
  if (key) return { name: nameIn(schema, key.from), on: (me, c) => references(key, table, me, c) };
  return {
    name: nameIn(schema, relationOf(schema, help)),
    on: (me, c) => `${c}.a = ${me}.a AND ${c}.b = ${me}.b`,
  };
}

function references(key: Key, table: Table, me: string, child: string): string {
  return targetColumns(table, key.target)
    .map(({ name }, i) => `${child}.${quoted(key.columns[i] ?? '')} = ${me}.${quoted(name)}`)
    .join(' AND ');
}

function returningList(
  schema: Schema,
  relation: Relation,
  list: DeleteSpec['returning'],
  alias: string,
  { where, help }: DeleteSpec,
): string {
  const { table } = relation;
  const id = `${alias}.${quoted(table.idColumn)}`;
  const joined =
    where === 'using' || where === 'using itself' || where === 'lateral' || where === 'recursive';
  switch (list) {
    case 'none':
      return '';
    case 'all':
      // With USING the other table's row depends on the plan where several match.
      return joined ? `${alias}.*` : '*';
    case 'own':
      return `${alias}.*`;
    case 'some':
      return `${id}, ${alias}.note, ${alias}.a, ${alias}.code`;
    case 'expressions':
      return `${isNumber(table.idType) ? `${id} + 1` : `${id} || 'x'`}, upper(${alias}.b) AS "Größe", NULL, 'it''s', ${alias}.a::text`.replace(
        table.idType === 'uuid' ? `${id} || 'x'` : '\0',
        `${id}::text`,
      );
    case 'children': {
      const child = childOf(schema, table, help);
      return `${id}, (SELECT count(*) FROM ${child.name} AS d WHERE ${child.on(alias, 'd')}) AS children`;
    }
    case 'row':
      return isView(relation) ? alias : `${alias}, ${alias}.tableoid::regclass::text AS place`;
    case 'versions':
      return `old.a, new.a AS "new", old.note`;
    case 'renamed':
      return `WITH (OLD AS o, NEW AS n) o.b AS before, n.b, ${alias}.a AS a, ${alias}.a AS a`;
  }
}
