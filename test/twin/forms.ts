/** Every form in which rows can be deleted, as texts. */
import {
  type DeleteOptions,
  type DeleteSql,
  deleteSql,
  nameIn,
  relationOf,
  standing,
  type Write,
} from './delete-sql.js';
import { quoted } from './names.js';
import type { Parameter, Sql, Step } from './protocol.js';
import type { Schema, Table } from './schema.js';
import { qualified } from './schema-sql.js';
import type { DeleteSpec, Sending, StatementSpec } from './statement-spec.js';
import { literal, parameterText, sqlType } from './values.js';

/** `statements` may be sent in any manner; `texts` are simple queries, one after the other. */
export type Texts =
  | { readonly kind: 'statements'; readonly statements: readonly Sql[]; readonly opaque?: true }
  | {
      readonly kind: 'texts';
      readonly texts: readonly string[];
      /** They begin and end transactions themselves. */
      readonly whole: boolean;
    }
  /** As they are sent. */
  | { readonly kind: 'steps'; readonly steps: readonly Step[] };

export function textsOf(schema: Schema, spec: StatementSpec): Texts {
  const [first, second, third] = spec.deletes;
  const { variant } = spec;
  const one = (make: Parameters<typeof sqlOf>[1]): Texts => ({
    kind: 'statements',
    statements: [sqlOf(spec, make)],
  });
  const written = (given: DeleteSpec, options?: DeleteOptions) =>
    standing(deleteSql(schema, given, literal, options));
  const returned = first.returning === 'none' ? ('some' as const) : first.returning;
  switch (spec.form) {
    case 'delete':
      return {
        kind: 'statements',
        statements: (spec.manner === 'pipeline' && variant % 4 === 0 ? [first, second] : [first]).map(
          (each) => sqlOf(spec, (write) => alone(deleteSql(schema, each, write))),
        ),
      };
    case 'in a with':
      return one((write) => {
        const sql = deleteSql(schema, first, write);
        return `WITH ${inWith('d', sql, variant)} ${sql.returns ? readFrom('d', variant) : 'SELECT 1 AS one'}`;
      });
    case 'two in a with':
      return one((write) => {
        const apart = areApart(schema, first, second);
        const sql = deleteSql(schema, first, write, { returning: returned, ...half(apart, 1) });
        const other = deleteSql(schema, second, write, half(apart, 2));
        return `WITH ${inWith('d', sql, 0)}, ${inWith('e', other, 0)} ${readFrom('d', variant)}`;
      });
    case 'with and main':
      return one((write) => {
        const apart = areApart(schema, first, second);
        const sql = deleteSql(schema, first, write, { returning: returned, ...half(apart, 1) });
        const main = deleteSql(schema, second, write, {
          // All of d: what is read in part is carried out in two parts.
          also: (alias) => `(SELECT count(*) FROM d) > 0${apart ? '' : ` AND ${alias}.a = 2`}`,
        });
        const own = main.with === '' ? '' : `, ${main.with}`;
        const text = `WITH ${main.recursive ? 'RECURSIVE ' : ''}${inWith('d', sql, 0)}${own} ${main.text}`;
        return { text, rows: main.returns };
      });
    case 'with that inserts':
      return one((write) => {
        const main = deleteSql(
          schema,
          first,
          write,
          variant % 2 ? {} : { also: () => 'EXISTS (SELECT FROM i)' },
        );
        const own = main.with === '' ? '' : `, ${main.with}`;
        const insert = `i AS (INSERT INTO a.log VALUES ('inserted', 'x') RETURNING n)`;
        const text = `WITH ${main.recursive ? 'RECURSIVE ' : ''}${insert}${own} ${main.text}`;
        return { text, rows: main.returns };
      });
    case 'into the log':
      return one((write) => {
        const sql = deleteSql(schema, first, write, { returning: returned });
        return `WITH ${inWith('d', sql, variant)} INSERT INTO a.log SELECT 'deleted', count(*)::text FROM d RETURNING what, n`;
      });
    case 'merge':
    case 'merge by source':
      return one((write) => mergeSql(schema, spec, write));
    case 'prepare':
      return prepared(schema, spec);
    case 'explain':
      return {
        kind: 'statements',
        statements: [
          sqlOf({ ...spec, manner: 'simple' }, (write) => {
            const inner = standing(deleteSql(schema, first, write));
            return `EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) ${inner}`;
          }),
        ],
        opaque: true,
      };
    case 'copy':
      return {
        kind: 'statements',
        statements: [
          sqlOf({ ...spec, manner: 'simple' }, (write) => {
            const options = ['', ' WITH (FORMAT csv, HEADER)', ' WITH (FORMAT binary)'][variant % 3];
            return `COPY (${standing(deleteSql(schema, first, write, { returning: variant === 11 ? 'none' : returned }))}) TO STDOUT${options}`;
          }),
        ],
      };
    case 'truncate': {
      const [one, two] = [relationOf(schema, first.relation), relationOf(schema, second.relation)];
      const only = variant % 5 === 4 ? 'ONLY ' : '';
      const some = `${only}${nameIn(schema, one)}${variant % 3 ? '' : `, ${nameIn(schema, two)}`}`;
      const all = schema.tables.map(({ root }) => nameIn(schema, root)).join(', ');
      const text = `TRUNCATE ${variant % 7 === 6 ? all : some}${variant % 2 ? ' CASCADE' : ''}`;
      return { kind: 'statements', statements: [{ text, parameters: [], rows: false }] };
    }
    case 'string':
      return stringOf(schema, spec, written);
    case 'cursor': {
      const name = nameIn(schema, relationOf(schema, first.relation));
      const fetch = (variant % 3) + 1;
      return {
        kind: 'texts',
        texts: [
          'BEGIN',
          `DECLARE c CURSOR FOR SELECT * FROM ${name}`,
          `FETCH ${fetch} FROM c`,
          written(first, { cursor: 'c' }),
          'FETCH 1 FROM c',
          written(variant % 4 ? { ...third, relation: first.relation } : third, { cursor: 'c' }),
          'COMMIT',
        ],
        whole: true,
      };
    }
    case 'create table as': {
      const sql = deleteSql(schema, { ...first, returning: 'some' }, literal);
      return {
        kind: 'texts',
        texts: [
          `CREATE TEMP TABLE made AS WITH ${inWith('d', sql, 0)} SELECT * FROM d`,
          'SELECT * FROM made',
          'DROP TABLE IF EXISTS made',
        ],
        whole: false,
      };
    }
  }
}

/** Values are literals in a simple query, and parameters otherwise. */
export function sqlOf(
  { manner }: Pick<Sending, 'manner'>,
  make: (write: Write) => string | { readonly text: string; readonly rows: boolean },
): Sql {
  const parameters: Parameter[] = [];
  const made = make((type, value) => {
    if (manner === 'simple') return literal(type, value);
    parameters.push({ type, value });
    return `$${parameters.length}`;
  });
  return { ...(typeof made === 'string' ? { text: made, rows: true } : made), parameters };
}

function alone(sql: DeleteSql): { text: string; rows: boolean } {
  return { text: standing(sql), rows: sql.returns };
}

function inWith(name: string, sql: DeleteSql, variant: number): string {
  const how = variant % 5 === 1 ? ' MATERIALIZED' : '';
  return `${name} AS${how} (${standing(sql)})`;
}

/** Which of two DELETEs in one statement gets a row that both want is left open by PostgreSQL: none is wanted by both. */
function half(apart: boolean, value: number): DeleteOptions {
  return apart ? {} : { also: (alias) => `${alias}.a = ${value}` };
}

function areApart(schema: Schema, one: DeleteSpec, other: DeleteSpec): boolean {
  const eldest = (table: Table): Table => (table.inherits ? eldest(table.inherits) : table.root.table);
  const [first, second] = [one, other].map(({ relation }) => eldest(relationOf(schema, relation).table));
  return first !== second;
}

function readFrom(name: string, variant: number): string {
  return [
    `SELECT * FROM ${name}`,
    `SELECT count(*) AS n FROM ${name}`,
    `TABLE ${name}`,
    `SELECT one.*, two.* FROM ${name} AS one, ${name} AS two`,
    `SELECT 'unread' AS d`,
  ][variant % 5] as string;
}

function mergeSql(
  schema: Schema,
  { form, deletes: [first], variant }: StatementSpec,
  write: Write,
): { text: string; rows: boolean } {
  const relation = relationOf(schema, first.relation);
  const { table } = relation;
  const id = `x.${quoted(table.idColumn)}`;
  const two = [first.value, first.other].map(
    (value) => `(${write(table.idType, value)}::${sqlType(table.idType)})`,
  );
  const source = `(VALUES ${two.join(', ')}) AS v (id)`;
  const matched = [
    'WHEN MATCHED THEN DELETE',
    'WHEN MATCHED AND x.a = 1 THEN DELETE WHEN MATCHED THEN DO NOTHING',
    `WHEN MATCHED AND x.a = 1 THEN DO NOTHING WHEN MATCHED THEN DELETE`,
    `WHEN MATCHED AND x.a = 1 THEN UPDATE SET note = 'merged' WHEN MATCHED THEN DELETE`,
  ][variant % 4];
  const bySource = `WHEN NOT MATCHED BY SOURCE AND x.a = 2 THEN DELETE`;
  const returning = [
    '',
    '',
    ` RETURNING merge_action(), x.*`,
    ` RETURNING ${id}, x.note AS "The Note"`,
    ` RETURNING old.a, v.*`,
  ][variant % 5];
  const clauses = form === 'merge by source' ? `${bySource} WHEN MATCHED THEN DO NOTHING` : matched;
  const text = `MERGE INTO ${first.spelling === 'only' ? 'ONLY ' : ''}${nameIn(schema, relation)} AS x USING ${source} ON v.id = ${id} ${clauses}${returning}`;
  return { text, rows: returning !== '' };
}

/** PREPARE and EXECUTE in SQL. */
function prepared(schema: Schema, spec: StatementSpec): Texts {
  const [first] = spec.deletes;
  const { text, parameters } = sqlOf({ manner: 'extended' }, (write) =>
    standing(deleteSql(schema, first, write)),
  );
  const types = parameters.map(({ type }) => sqlType(type)).join(', ');
  const values = parameters.map(({ type, value }) => `'${parameterText(type, value)}'`).join(', ');
  const prepare = `PREPARE "a Plan"${spec.variant % 2 && types !== '' ? ` (${types})` : ''} AS ${text}`;
  const execute = `EXECUTE "a Plan"${values === '' ? '' : ` (${values})`}`;
  const deallocate = 'DEALLOCATE "a Plan"';
  const texts = [
    [prepare, execute, deallocate],
    [prepare, execute, execute, deallocate],
    [`${prepare}; ${execute}; ${deallocate}`, 'DEALLOCATE ALL'],
    [prepare, `BEGIN; ${execute}; ROLLBACK; ${execute}`, 'ROLLBACK', deallocate],
    [prepare, `${execute}; ${deallocate}`, execute],
  ][spec.variant % 5] as string[];
  return { kind: 'texts', texts: [...texts, 'ROLLBACK', 'DEALLOCATE ALL'], whole: true };
}

/** Several statements in one query. `KEYS` stands where keys are enforced, or not. */
function stringOf(
  schema: Schema,
  { deletes: [first, second], variant }: StatementSpec,
  written: (given: DeleteSpec) => string,
): Texts {
  const [one, two] = [written(first), written(second)];
  const { table } = relationOf(schema, first.relation).table.root;
  const id = quoted(table.idColumn);
  const target = table.unique.includes('id') ? qualified(table.root) : undefined;
  const extra =
    `CREATE TABLE a.extra (id int, parent ${sqlType(table.idType)}` +
    (target ? `, CONSTRAINT extra_on_cascade FOREIGN KEY (parent) REFERENCES ${target} (${id}) KEYS)` : ')');
  const drop = schema.keys[first.help % Math.max(schema.keys.length, 1)];
  const texts: readonly string[][] = [
    [`${one}; ${two}`],
    [`${one}; SELECT 1/0; ${two}`],
    [`BEGIN; ${one}; COMMIT; ${two}`],
    [`BEGIN; ${one}; ROLLBACK; ${two}`],
    [`;; ${one} ; SELECT 'é'; ; ${two};`],
    [`SET search_path = b, a; ${one}; RESET search_path; ${two}`],
    [
      `BEGIN; ${extra}; INSERT INTO a.extra SELECT 1, ${id} FROM ${table.root.by ? '' : 'ONLY '}${qualified(table.root)}; ${one}; TABLE a.extra; ROLLBACK`,
    ],
    [
      drop
        ? `BEGIN; ALTER TABLE ${qualified(drop.from)} DROP CONSTRAINT ${quoted(drop.name)}; ${one}; ROLLBACK; ${two}`
        : one,
    ],
    [`BEGIN; SAVEPOINT s; ${one}; ROLLBACK TO s; ${two}; COMMIT`],
    [
      `BEGIN; CREATE TEMP TABLE ${quoted(table.root.name)} (LIKE ${qualified(table.root)} INCLUDING ALL); ${one}; ROLLBACK; ${two}`,
    ],
    [`INSERT INTO a.log VALUES ('string', 'x'); ${one}; TABLE a.log ORDER BY what, n; ${two}; ROLLBACK`],
    ['BEGIN', one, `ALTER TABLE ${qualified(table.root)} RENAME ${id} TO renamed`, two, 'ROLLBACK'],
  ];
  return { kind: 'texts', texts: [...(texts[variant] ?? []), 'ROLLBACK', 'RESET search_path'], whole: true };
}
