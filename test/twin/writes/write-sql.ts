/** Statements that insert or change rows, as SQL. */
import { nameIn, type Write } from '../delete-sql.js';
import { quoted } from '../names.js';
import { type Key, type Relation, type Schema, targetColumns, tree } from '../schema.js';
import { isNumber, sqlType, type ValueType } from '../values.js';
import { type Cell, columnsOf, keyColumnsOf, keysOf, referencing, rowCells, spelled } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';

/** A text, and whether it gives rows. */
export interface WriteSql {
  readonly text: string;
  readonly rows: boolean;
}

/** Those that have keys come more often; views seldom, as the guard refuses them. */
export function writtenRelation({ relations, tables, keys }: Schema, { relation }: WriteSpec): Relation {
  const views = tables.flatMap(({ view }) => view?.relation ?? []).slice(0, 1);
  const choices = [
    ...keys.flatMap(({ from }) => [from, from, from.table.root]),
    ...keys.flatMap(({ from }) => tree(from.table.root).slice(1)),
    ...relations,
    ...views,
  ];
  const chosen = choices[relation % choices.length];
  if (!chosen) throw new Error('a schema without relations');
  return chosen;
}

/** @param rows the values of VALUES: those of the spec, or fewer */
export function insertSql(
  schema: Schema,
  spec: WriteSpec,
  write: Write,
  { rows = spec.rows, conflict = '' }: { readonly rows?: WriteSpec['rows']; readonly conflict?: string } = {},
): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const cells = rows.map((_, i) => rowCells(schema, table, rows, i));
  const values = cells.map((row) => `(${row.map((cell) => spelled(cell, write)).join(', ')})`);
  const alias = aliasOf(relation, spec);
  return returned(
    schema,
    relation,
    spec,
    `INSERT INTO ${named(schema, relation, spec)} (${namesOf(columnsOf(table))}) VALUES ${values.join(', ')}${conflict}`,
    alias,
  );
}

/** Rows of VALUES, of another table, or of its own. */
export function insertSelectSql(schema: Schema, spec: WriteSpec, write: Write): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const columns = columnsOf(table);
  const alias = aliasOf(relation, spec);
  const into = `INSERT INTO ${named(schema, relation, spec)}`;
  if (spec.form === 'insert select') {
    const cells = spec.rows.map((_, i) => rowCells(schema, table, spec.rows, i));
    const values = cells.map((row) => `(${row.map((cell, i) => typed(cell, columns[i], write)).join(', ')})`);
    const order = spec.variant % 2 ? ' ORDER BY 1 DESC' : '';
    return returned(
      schema,
      relation,
      spec,
      `${into} (${namesOf(columns)}) SELECT * FROM (VALUES ${values.join(', ')}) AS v (${namesOf(columns)})${order}`,
      alias,
    );
  }
  const [first] = spec.rows;
  const key = keysOf(schema, table)[spec.help % Math.max(keysOf(schema, table).length, 1)];
  if (!key || !first) return insertSql(schema, spec, write, { rows: spec.rows.slice(0, 1) });
  // One row for each that the key can reference; the first of them are there already.
  const targets = targetColumns(key.to.table, key.target);
  const own = rowCells(schema, table, [first], 0);
  const given = columns.map((column, i): string => {
    const { name } = column;
    const at = key.columns.indexOf(name === table.idColumn ? table.root.table.idColumn : name);
    if (at >= 0) return `p.${quoted(targets[at]?.name ?? '')}`;
    return typed(own[i] ?? 'NULL', column, write);
  });
  const source = `${nameIn(schema, key.to)} AS p`;
  const where = spec.variant % 3 ? ` WHERE p.a = ${write('int4', (spec.value % 2) + 1)}` : '';
  const order = `ORDER BY ${targets.map(({ name }) => `p.${quoted(name)}`).join(', ')}`;
  return returned(
    schema,
    relation,
    spec,
    `${into} (${namesOf(columns)}) SELECT ${given.join(', ')} FROM ${source}${where} ${order} LIMIT ${(spec.variant % 2) + 1}`,
    alias,
  );
}

/** Only the columns that have no default and take no NULL are listed, or none. */
export function insertDefaultsSql(schema: Schema, spec: WriteSpec, write: Write): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const alias = aliasOf(relation, spec);
  const into = `INSERT INTO ${named(schema, relation, spec)}`;
  const [first] = spec.rows;
  if (spec.variant % 4 === 0 || !first)
    return returned(schema, relation, spec, `${into} DEFAULT VALUES`, alias);
  const id = write(table.idType, first.id);
  const pair = [write('int4', first.pair[0]), write('label', first.pair[1])];
  return returned(
    schema,
    relation,
    spec,
    `${into} (${quoted(table.idColumn)}, a, b) VALUES (${[id, ...pair].join(', ')})`,
    alias,
  );
}

export function upsertSql(schema: Schema, spec: WriteSpec, write: Write): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const alias = aliasOf(relation, spec);
  const unique = table.unique[spec.help % Math.max(table.unique.length, 1)];
  const target = unique ? ` (${namesOf(targetColumns(table, unique))})` : '';
  const key = keysOf(schema, table)[spec.help % Math.max(keysOf(schema, table).length, 1)];
  const keyed = keyColumnsOf(table).filter(({ name }) => key?.columns.includes(name) ?? false);
  const sets = {
    note: [`note = 'again'`],
    excluded: keyed.map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`),
    default: keyed.map(({ name }) => `${quoted(name)} = DEFAULT`),
  }[(['note', 'excluded', 'excluded', 'default'] as const)[spec.variant % 4] ?? 'note'];
  const where = spec.variant % 3 ? '' : ` WHERE ${alias}.a = 1`;
  const conflict =
    spec.variant % 5 === 0 || target === '' || sets.length === 0
      ? ` ON CONFLICT${spec.variant % 2 ? target : ''} DO NOTHING`
      : ` ON CONFLICT${target} DO UPDATE SET ${sets.join(', ')}${where}`;
  // Some of the rows are there.
  const rows = spec.rows.map((row, i) => ({ ...row, id: i % 2 ? row.id : (table.rows[i]?.id ?? row.id) }));
  return insertSql(schema, { ...spec, returning: spec.returning }, write, { rows, conflict });
}

export function updateSql(schema: Schema, spec: WriteSpec, write: Write): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const alias = aliasOf(relation, spec);
  const id = `${alias}.${quoted(table.idColumn)}`;
  const assigned = assignments(schema, relation, spec, alias, write);
  const idOf = (number: number) =>
    write(table.idType, table.rows[number % Math.max(table.rows.length, 1)]?.id ?? number);
  const only = spec.only && relation.by === undefined ? 'ONLY ' : '';
  const isJoined = spec.form === 'update from';
  const from = isJoined
    ? ` FROM (VALUES (${typedId(idOf(spec.value), table)}), (${typedId(idOf(spec.value + 1), table)})) AS v (n)`
    : '';
  const where = isJoined
    ? ` WHERE v.n = ${id}`
    : {
        equals: () => ` WHERE ${id} = ${idOf(spec.value)}`,
        in: () => ` WHERE ${id} IN (${idOf(spec.value)}, ${idOf(spec.value + 1)})`,
        all: () => '',
        a: () => ` WHERE ${alias}.a = ${write('int4', (spec.value % 2) + 1)}`,
        nothing: () => ' WHERE false',
      }[spec.where]();
  return returned(
    schema,
    relation,
    spec,
    `UPDATE ${only}${named(schema, relation, spec)} SET ${assigned}${from}${where}`,
    alias,
  );
}

/** It changes the rows that there are, and inserts the others. */
export function mergeWriteSql(schema: Schema, spec: WriteSpec, write: Write): WriteSql {
  const relation = writtenRelation(schema, spec);
  const { table } = relation;
  const columns = columnsOf(table);
  const rows = spec.rows.map((row, i) => ({ ...row, id: i % 2 ? row.id : (table.rows[i]?.id ?? row.id) }));
  const given = rows.filter((row, i) => rows.findIndex(({ id }) => id === row.id) === i);
  const cells = given.map((_, i) => rowCells(schema, table, given, i));
  // Whatever its key says, a row has one id, so that none is changed twice.
  const distinct = cells.filter(
    ([id], i) => cells.findIndex(([other]) => JSON.stringify(other) === JSON.stringify(id)) === i,
  );
  const values = distinct.map(
    (row) => `(${row.map((cell, i) => typed(cell, columns[i], write)).join(', ')})`,
  );
  const key = keysOf(schema, table)[spec.help % Math.max(keysOf(schema, table).length, 1)];
  const keyed = keyColumnsOf(table).filter(({ name }) => key?.columns.includes(name) ?? false);
  const sets =
    keyed.length === 0 || spec.variant % 4 === 3
      ? `note = 'merged'`
      : keyed.map(({ name }) => `${quoted(name)} = v.${quoted(name)}`).join(', ');
  const insert = `INSERT (${namesOf(columns)}) VALUES (${columns.map(({ name }) => `v.${quoted(name)}`).join(', ')})`;
  const clauses = [
    `WHEN MATCHED THEN UPDATE SET ${sets} WHEN NOT MATCHED THEN ${insert}`,
    `WHEN MATCHED AND x.a = 1 THEN UPDATE SET ${sets} WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN ${insert}`,
    `WHEN NOT MATCHED THEN ${insert}`,
    `WHEN NOT MATCHED BY SOURCE AND x.a = 1 THEN UPDATE SET ${keyed.length > 0 ? `${quoted(keyed[0]?.name ?? '')} = DEFAULT` : `note = 'alone'`} WHEN MATCHED THEN UPDATE SET ${sets}`,
    `WHEN MATCHED THEN UPDATE SET ${sets}`,
  ][spec.variant % 5];
  const id = `x.${quoted(table.idColumn)}`;
  const only = spec.only && relation.by === undefined ? 'ONLY ' : '';
  const text = `MERGE INTO ${only}${nameIn(schema, relation)} AS x USING (VALUES ${values.join(', ')}) AS v (${namesOf(columns)}) ON v.${quoted(table.idColumn)} = ${id} ${clauses}`;
  const list = {
    none: '',
    all: '*',
    own: 'x.*',
    some: `merge_action(), ${id}, x.note`,
    expressions: `x.note || 'x' AS "Größe", NULL`,
    images: 'old.a, new.b, merge_action()',
    query: `${id}, (SELECT count(*) FROM a.log)`,
    declared: 'WITH (OLD AS o, NEW AS n) o.note, n.note AS after',
  }[spec.returning];
  return { text: list === '' ? text : `${text} RETURNING ${list}`, rows: list !== '' };
}

function assignments(
  schema: Schema,
  { table }: Relation,
  spec: WriteSpec,
  alias: string,
  write: Write,
): string {
  const keys = keysOf(schema, table);
  const [key, other] = [
    keys[spec.help % Math.max(keys.length, 1)],
    keys[(spec.help + 1) % Math.max(keys.length, 1)],
  ];
  const [row] = spec.rows;
  const note = `note = 'set'`;
  if (spec.sets === 'note' || !key || !row) return note;
  const own = new Map<string, string>([[table.root.table.idColumn, table.idColumn]]);
  const columnOf = (name: string) => quoted(own.get(name) ?? name);
  const settable = ({ columns }: Key) =>
    columns.map((name) => keyColumnsOf(table).some((each) => each.name === name));
  const setOf = (each: Key, place: number) => {
    const reference = row.references[place % row.references.length] ?? 'none';
    const cells = referencing(each, reference, row.value, spec.rows[1]);
    // Columns of its own may be referenced: those are set by `referenced`.
    return settable(each).flatMap((isIts, i): [string, Cell][] =>
      isIts ? [[columnOf(each.columns[i] ?? ''), cells[i] ?? 'NULL']] : [],
    );
  };
  const joined = (pairs: readonly (readonly [string, Cell])[]) => {
    const last = new Map(pairs);
    return last.size === 0
      ? note
      : [...last].map(([name, cell]) => `${name} = ${spelled(cell, write)}`).join(', ');
  };
  const [target] = targetColumns(key.to.table, key.target);
  const made = keyColumnsOf(table).find(({ name }) => name === key.columns[0]);
  switch (spec.sets) {
    case 'key':
      return joined(setOf(key, 0));
    case 'two keys':
      return joined([...setOf(key, 0), ...(other ? setOf(other, 1) : [])]);
    case 'part of a key':
      return joined(setOf(key, 0).slice(0, 1));
    case 'default':
      return joined(setOf(key, 0).map(([name]) => [name, 'DEFAULT']));
    case 'by a query': {
      const order = targetColumns(key.to.table, key.target)
        .map(({ name }) => `p.${quoted(name)}`)
        .join(', ');
      return made && target
        ? `${quoted(made.name)} = (SELECT p.${quoted(target.name)} FROM ${nameIn(schema, key.to)} AS p ORDER BY ${order} LIMIT 1), ${note}`
        : note;
    }
    case 'by another column': {
      const alike = [...keyColumnsOf(table), { name: table.idColumn, type: table.idType }].filter(
        ({ type, name }) => type === made?.type && name !== made.name,
      );
      const from = alike[row.value % Math.max(alike.length, 1)];
      return made && from ? `${quoted(made.name)} = ${alias}.${quoted(from.name)}` : note;
    }
    case 'referenced': {
      const [id, code] = [table.idColumn, row.code ?? 9];
      return (
        [
          `${quoted(id)} = ${write(table.idType, row.id)}`,
          `code = ${write('varchar', code)}`,
          `a = ${write('int4', row.pair[0])}, b = ${write('label', row.pair[1])}`,
        ][spec.variant % 3] ?? note
      );
    }
  }
}

function returned(
  schema: Schema,
  relation: Relation,
  spec: WriteSpec,
  text: string,
  alias: string,
): WriteSql {
  const { table } = relation;
  const id = `${alias}.${quoted(table.idColumn)}`;
  const key = keysOf(schema, table)[0];
  const list = {
    none: '',
    all: spec.form === 'update from' ? `${alias}.*, v.n` : '*',
    own: `${alias}.*`,
    some: `${id}, ${alias}.note, ${alias}.a, ${alias}.code`,
    expressions: `${isNumber(table.idType) ? `${id} + 1` : `${id}::text`}, upper(${alias}.b) AS "Größe", NULL, ${alias}.a::text`,
    images: 'old.a, new.a AS "new", old.note',
    query: `${id}, (SELECT count(*) FROM ${nameIn(schema, key?.to ?? relation)} AS q) AS seen`,
    declared: `WITH (OLD AS o, NEW AS n) o.b AS before, n.b, ${alias}.a AS a, ${alias}.a AS a`,
  }[spec.returning];
  return { text: list === '' ? text : `${text} RETURNING ${list}`, rows: list !== '' };
}

function named(schema: Schema, relation: Relation, spec: WriteSpec): string {
  return `${nameIn(schema, relation)}${spec.alias ? ' AS x' : ''}`;
}

function aliasOf({ name }: Relation, { alias }: WriteSpec): string {
  return alias ? 'x' : quoted(name);
}

function namesOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoted(name)).join(', ');
}

/** Where the server would not know the type. There are no defaults either. */
function typed(cell: Cell, column: { readonly type: ValueType } | undefined, write: Write): string {
  if (typeof cell === 'string') return `NULL::${sqlType(column?.type ?? 'text')}`;
  return `${write(cell.type, cell.value)}::${sqlType(cell.type)}`;
}

function typedId(value: string, { idType }: Relation['table']): string {
  return `${value}::${sqlType(idType)}`;
}
