/** A MERGE that inserts and changes rows, as SQL. */
import { nameIn, type Write } from '../delete-sql.js';
import { quoted } from '../names.js';
import type { Schema } from '../schema.js';
import { columnsOf, keyColumnsOf, keyFor, rowCells } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';
import { namesOf, typed, type WriteSql, writtenRelation } from './written.js';

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
  const key = keyFor(schema, table, spec);
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
