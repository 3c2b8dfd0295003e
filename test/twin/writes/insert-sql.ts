/** An INSERT as SQL. */
import { nameIn, type Write } from '../delete-sql.js';
import { quoted } from '../names.js';
import { type Schema, targetColumns } from '../schema.js';
import { columnsOf, keyColumnsOf, keyFor, rowCells, spelled } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';
import { aliasOf, named, namesOf, returned, typed, type WriteSql, writtenRelation } from './written.js';

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
  const key = keyFor(schema, table, spec);
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
  const key = keyFor(schema, table, spec);
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
  return insertSql(schema, spec, write, { rows, conflict });
}
