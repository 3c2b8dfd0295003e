/** What all statements that write have in common: into what, under which name, and what they return. */
import { nameIn, type Write } from '../delete-sql.js';
import { quoted } from '../names.js';
import { type Relation, type Schema, tree } from '../schema.js';
import { isNumber, sqlType, type ValueType } from '../values.js';
import { type Cell, keysOf } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';

/** A text, and whether it gives rows. */
export interface WriteSql {
  readonly text: string;
  readonly rows: boolean;
}

/** Those that have keys come more often. */
export function writtenRelation({ relations, tables, keys }: Schema, { relation }: WriteSpec): Relation {
  const views = tables.flatMap(({ view }) => view?.relation ?? []);
  const choices = [
    ...keys.flatMap(({ from }) => [from, from, from.table.root]),
    ...keys.flatMap(({ from }) => tree(from.table.root).slice(1)),
    ...relations,
    ...views.flatMap((view) => [view, view, view]),
  ];
  const chosen = choices[relation % choices.length];
  if (!chosen) throw new Error('a schema without relations');
  return chosen;
}

export function returned(
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

export function named(schema: Schema, relation: Relation, spec: WriteSpec): string {
  return `${nameIn(schema, relation)}${spec.alias ? ' AS x' : ''}`;
}

export function aliasOf({ name }: Relation, { alias }: WriteSpec): string {
  return alias ? 'x' : quoted(name);
}

export function namesOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => quoted(name)).join(', ');
}

/** Where the server would not know the type. There are no defaults either. */
export function typed(cell: Cell, column: { readonly type: ValueType } | undefined, write: Write): string {
  if (typeof cell === 'string') return `NULL::${sqlType(column?.type ?? 'text')}`;
  return `${write(cell.type, cell.value)}::${sqlType(cell.type)}`;
}

export function typedId(value: string, { idType }: Relation['table']): string {
  return `${value}::${sqlType(idType)}`;
}
