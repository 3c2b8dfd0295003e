/** A scenario as SQL: its tables once with enforced keys, and once as the proxy meets them; and each client's steps. */
import { serialize } from 'pg-protocol';
import type { Kind } from '../schema-sql.js';
import type { Client, Key, Operation, Schema, Where } from './scenario.js';

/** What is sent at once, up to ReadyForQuery. */
export interface Step {
  readonly bytes: Uint8Array;
  /** In words, for people. */
  readonly shown: string;
  /** Undefined where it only begins or ends a transaction. */
  readonly operation: Operation | undefined;
}

/** Tables, keys and indexes. */
export function createSql({ tables, keys }: Schema, kind: Kind): string {
  const columns = (own: readonly Key[]) =>
    own.map(({ column, fallback }) => `, ${column} int DEFAULT ${fallback ?? 'NULL'}`).join('');
  return [
    'DROP SCHEMA IF EXISTS s CASCADE',
    'CREATE SCHEMA s',
    ...tables.map((table, i) => `CREATE TABLE s.t${i} (id int PRIMARY KEY, v int${columns(table.keys)})`),
    ...keys.map(
      ({ name, from, column, to, action }) =>
        `ALTER TABLE s.t${from} ADD CONSTRAINT ${name} FOREIGN KEY (${column}) REFERENCES s.t${to} ON DELETE ${
          kind === 'overridden' ? 'NO ACTION' : action
        }${kind === 'emulated' ? ' NOT ENFORCED' : ''}`,
    ),
    ...keys.flatMap(({ from, column, indexed }) =>
      indexed ? [`CREATE INDEX ON s.t${from} (${column})`] : [],
    ),
  ].join(';\n');
}

/** Puts the rows back, whatever the tables hold. */
export function fillSql({ tables }: Schema): string {
  const all = tables.map((_, i) => `s.t${i}`).join(', ');
  const inserts = tables.map(
    ({ rows }, i) =>
      `INSERT INTO s.t${i} VALUES ${rows.map((row) => `(${row.map(valueSql).join(', ')})`).join(', ')}`,
  );
  return ['SET session_replication_role = replica', `TRUNCATE ${all}`, ...inserts].join(';\n');
}

/** All rows, one a line: `t0|(1,2)`. */
export function contentsSql({ tables }: Schema): string {
  return `${tables.map((_, i) => `SELECT 't${i}', t::text FROM s.t${i} AS t`).join(' UNION ALL ')} ORDER BY 1, 2`;
}

/** Rows whose key references nothing, by the names of the keys. */
export function orphansSql({ keys }: Schema): string {
  const each = keys.map(
    ({ name, from, column, to }) =>
      `SELECT '${name}', c.id FROM s.t${from} AS c WHERE ${column} IS NOT NULL AND NOT EXISTS (SELECT FROM s.t${to} AS p WHERE p.id = c.${column})`,
  );
  return each.length === 0 ? 'SELECT 1 WHERE false' : each.join(' UNION ALL ');
}

/** @param careful children are written with locks on their parents */
export function stepsOf(
  schema: Schema,
  { transaction, operations }: Client,
  careful: boolean,
): readonly Step[] {
  const steps = operations.map((operation) => stepOf(schema, operation, careful));
  return transaction === 'none' ? steps : [bare('BEGIN'), ...steps, bare(transaction)];
}

function bare(text: string): Step {
  return { bytes: serialize.query(text), shown: text, operation: undefined };
}

function stepOf(schema: Schema, operation: Operation, careful: boolean): Step {
  if (!operation.extended) return { ...bare(textOf(schema, operation, careful, valueSql)), operation };
  const values: string[] = [];
  const text = textOf(schema, operation, careful, (value) => {
    if (value === null) return 'NULL';
    values.push(String(value));
    return `$${values.length}`;
  });
  const bytes = Buffer.concat([
    serialize.parse({ text, types: values.map(() => INT4) }),
    serialize.bind({ values }),
    serialize.execute({}),
    serialize.sync(),
  ]);
  return { bytes, shown: `${text} /* ${values.join(', ')} */`, operation };
}

const INT4 = 23;

/** @param spell how a value is written: as it is, or as a parameter */
function textOf(
  schema: Schema,
  operation: Operation,
  careful: boolean,
  spell: (value: number | null) => string,
): string {
  const number = operation.table % schema.tables.length;
  const table = `s.t${number}`;
  const keys = schema.tables[number]?.keys ?? [];
  const reference = ({ to }: Key, value: number | null) =>
    careful && value !== null
      ? `(SELECT id FROM s.t${to} WHERE id = ${spell(value)} FOR KEY SHARE)`
      : spell(value);
  switch (operation.kind) {
    case 'delete':
      return `DELETE FROM ${table} AS d WHERE ${whereSql(schema, number, operation.where, spell)}${
        operation.returning ? ' RETURNING id, v' : ''
      }`;
    case 'insert':
      return insertSql(table, keys, operation, reference, spell);
    case 'move': {
      const key = keys[operation.key % Math.max(keys.length, 1)];
      const set = key ? `${key.column} = ${reference(key, operation.to)}` : 'v = v + 1';
      return `UPDATE ${table} SET ${set} WHERE id = ${spell(operation.id)}`;
    }
    case 'rename':
      return `UPDATE ${table} SET ${careful ? 'v' : 'id'} = ${spell(operation.to)} WHERE id = ${spell(operation.id)}`;
    case 'touch':
      return `UPDATE ${table} SET v = ${spell(operation.v)} WHERE id = ${spell(operation.id)}`;
    case 'lock':
      return `SELECT id, v FROM ${table} WHERE id = ${spell(operation.id)} FOR ${operation.strength}`;
    case 'read':
      return `SELECT t::text FROM ${table} AS t ORDER BY id`;
  }
}

/** @param reference how the value of a key is written */
function insertSql(
  table: string,
  keys: readonly Key[],
  { how, id, v, references }: Extract<Operation, { readonly kind: 'insert' }>,
  reference: (key: Key, value: number | null) => string,
  spell: (value: number | null) => string,
): string {
  const row = (id: number) =>
    [spell(id), spell(v), ...keys.map((key, i) => reference(key, references[i] ?? null))].join(', ');
  const columns = ['id', 'v', ...keys.map(({ column }) => column)];
  const set = (from: string) =>
    columns
      .slice(1)
      .map((name) => `${name} = ${from}.${name}${name.startsWith('f') ? '::int' : ''}`)
      .join(', ');
  const [key] = keys;
  switch (how) {
    case 'values':
      return `INSERT INTO ${table} VALUES (${row(id)})`;
    case 'rows':
      return `INSERT INTO ${table} VALUES (${row(id)}), (${row(id + 2)})`;
    case 'found':
      return key
        ? `INSERT INTO ${table} (id, v, ${key.column}) SELECT ${spell(id)}, ${spell(v)}, p.id FROM s.t${key.to} AS p WHERE p.id = ${spell(references[0] ?? 1)}`
        : `INSERT INTO ${table} SELECT ${row(id)}`;
    case 'upsert':
      return `INSERT INTO ${table} VALUES (${row(id)}) ON CONFLICT (id) DO UPDATE SET ${set('excluded')}`;
    case 'merge':
      return `MERGE INTO ${table} AS x USING (SELECT ${row(id)}) AS n (${columns.join(', ')}) ON x.id = n.id WHEN MATCHED THEN UPDATE SET ${set('n')} WHEN NOT MATCHED THEN INSERT VALUES (${columns.map((name) => `n.${name}${name.startsWith('f') ? '::int' : ''}`).join(', ')})`;
  }
}

function whereSql(
  schema: Schema,
  table: number,
  where: Where,
  spell: (value: number | null) => string,
): string {
  switch (where.kind) {
    case 'ids':
      return `id IN (${where.ids.map(spell).join(', ')})`;
    case 'v':
      return `v = ${spell(where.v)}`;
    case 'childless': {
      const key = schema.keys.find(({ to }) => to === table);
      const none = key ? `NOT EXISTS (SELECT FROM s.t${key.from} AS c WHERE c.${key.column} = d.id)` : 'true';
      return `v = ${spell(where.v)} AND ${none}`;
    }
    case 'key': {
      const keys = schema.tables[table]?.keys ?? [];
      return `${keys[where.key % Math.max(keys.length, 1)]?.column ?? 'id'} = ${spell(where.value)}`;
    }
  }
}

function valueSql(value: number | null): string {
  return value === null ? 'NULL' : String(value);
}
