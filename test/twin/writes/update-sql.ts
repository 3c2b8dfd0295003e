/** An UPDATE as SQL. */
import { nameIn, type Write } from '../delete-sql.js';
import { quoted } from '../names.js';
import { type Key, type Relation, type Schema, targetColumns } from '../schema.js';
import { type Cell, keyColumnsOf, keyFor, referencing, spelled } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';
import { aliasOf, named, returned, typedId, type WriteSql, writtenRelation } from './written.js';

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

function assignments(
  schema: Schema,
  { table }: Relation,
  spec: WriteSpec,
  alias: string,
  write: Write,
): string {
  const [key, other] = [spec.help, spec.help + 1].map((help) => keyFor(schema, table, { help }));
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
    case 'tenant':
      return `a = ${write('int4', row.pair[0])}`;
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
