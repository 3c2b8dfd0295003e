/** A schema as SQL: once with enforced keys, and once as the proxy meets them. */
import { quoted } from './names.js';
import type { Key, Relation, Row, Schema, Table } from './schema.js';
import { targetColumns, tree } from './schema.js';
import { isOfSome } from './tables.js';
import { literal, sqlType } from './values.js';

/**
 * `native` has the keys enforced with their actions. `emulated` has them NOT ENFORCED. `overridden` has them enforced with
 * NO ACTION, and the proxy's configuration knows the actions by the names of the constraints.
 */
export type Kind = 'native' | 'emulated' | 'overridden';

/** The overrides that give the keys of `overridden` their actions. */
export const OVERRIDES = (['cascade', 'set null', 'set default', 'restrict', 'no action'] as const).map(
  (on_delete) => ({ match: `*.*.*_on_${on_delete.replace(' ', '_')}`, on_delete }),
);

const COMMON = `CREATE TABLE a.log (what text, n text); CREATE TABLE a.beside (n text);
CREATE FUNCTION a.clear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  DELETE FROM a.beside WHERE n = OLD.b; RETURN NULL; END $$;
CREATE FUNCTION a.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF rtrim(to_jsonb(OLD) ->> TG_ARGV[0]) = TG_ARGV[1] THEN RETURN NULL; END IF;
  RETURN coalesce(NEW, OLD); END $$;
CREATE FUNCTION a.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO a.log VALUES (TG_TABLE_NAME, to_jsonb(OLD) ->> TG_ARGV[0]); RETURN NULL; END $$`;

/** Tables, keys, indexes and triggers: everything but the rows. */
export function createSql(schema: Schema, kind: Kind): readonly string[] {
  return [
    'DROP SCHEMA IF EXISTS a CASCADE',
    'DROP SCHEMA IF EXISTS b CASCADE',
    'CREATE SCHEMA a',
    'CREATE SCHEMA b',
    COMMON,
    ...schema.tables.flatMap(createTable),
    ...schema.keys.map((key) => createKey(key, kind)),
    ...schema.keys.flatMap((key) =>
      key.indexed ? [`CREATE INDEX ON ${qualified(key.from)} (${key.columns.map(quoted).join(', ')})`] : [],
    ),
    ...schema.tables.flatMap(createTriggers),
    ...schema.tables.flatMap(createView),
  ];
}

/**
 * Puts the rows in again, each where it was; keys and triggers do not see it.
 * @param tables those that have to be emptied, by DELETE; else all are, by TRUNCATE, which takes longer and leaves nothing
 */
export function fillSql(schema: Schema, tables?: readonly Table[]): string {
  const all = ['a.log', ...schema.tables.map(({ root }) => qualified(root))].join(', ');
  const filled = tables ?? schema.tables;
  // CASCADE for keys that are NOT ENFORCED: without it the server does not see that all tables are listed.
  const empty = tables
    ? [
        'DELETE FROM a.log',
        ...tables.map(({ root }) => `DELETE FROM ${root.by ? '' : 'ONLY '}${qualified(root)}`),
      ]
    : [`TRUNCATE ${all} CASCADE`];
  return [
    'BEGIN',
    'SET LOCAL session_replication_role = replica',
    'SET LOCAL client_min_messages = warning',
    ...empty,
    'DELETE FROM a.beside',
    BESIDE,
    ...filled.flatMap(insertRows),
    'COMMIT',
  ].join(';\n');
}

/** For triggers that delete what has something in common with a row. */
const BESIDE = `INSERT INTO a.beside VALUES ('p1'), ('p2'), ('p3'), ('p4')`;

/** Every row of every table, with the table that it is in. */
export function contentsSql({ relations }: Schema): string {
  const each = relations
    .filter(({ by }) => by === undefined)
    .map((relation) => {
      const name = shownName(relation).replaceAll("'", "''");
      return `SELECT '${name}' AS t, r::text AS row FROM ONLY ${qualified(relation)} AS r`;
    });
  return [
    ...each,
    `SELECT 'log', l::text FROM a.log AS l`,
    `SELECT 'beside', string_agg(n, ' ' ORDER BY n) FROM a.beside`,
  ]
    .join('\nUNION ALL ')
    .concat('\nORDER BY 1, 2');
}

/** How contents name it. */
export function shownName({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}

export function qualified({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${schema}.${quoted(name)}`;
}

function createTable(table: Table): readonly string[] {
  const { root, inherits, gap } = table;
  const id = quoted(table.idColumn);
  const base = [
    `${id} ${sqlType(table.idType)} NOT NULL`,
    'code varchar(10)',
    'a int4 NOT NULL',
    'b varchar(5) NOT NULL',
    `note varchar(9) DEFAULT 'n'`,
  ];
  const columns = [
    ...(gap ? ['gone int'] : []),
    ...(inherits ? [] : base),
    ...table.keyColumns.map(
      ({ name, type, sqlType, notNull, defaultValue }) =>
        `${name} ${sqlType}${defaultValue === null ? '' : ` DEFAULT ${literal(type, defaultValue)}`}${notNull ? ' NOT NULL' : ''}`,
    ),
    ...table.unique.map((target) => {
      const list = targetColumns(table, target).map(({ name }) => quoted(name));
      return `${target === table.primary ? 'PRIMARY KEY' : 'UNIQUE'} (${list.join(', ')})`;
    }),
  ];
  const above = inherits ? ` INHERITS (${qualified(inherits.root)})` : '';
  const by = root.by === undefined ? '' : ` PARTITION BY ${root.by}`;
  return [
    `CREATE TABLE ${qualified(root)} (${columns.join(', ')})${above}${by}`,
    ...(gap ? [`ALTER TABLE ${qualified(root)} DROP COLUMN gone`] : []),
    ...tree(root).flatMap(({ part, by: again, schema, name }) =>
      part
        ? [
            `CREATE TABLE ${qualified({ schema, name })} PARTITION OF ${qualified(part.of)} ${part.bound}` +
              (again === undefined ? '' : ` PARTITION BY ${again}`),
          ]
        : [],
    ),
  ];
}

function createKey(key: Key, kind: Kind): string {
  const { from, to, target, columns, sets, full, timing, onUpdate } = key;
  const to_ = targetColumns(to.table, target).map(({ name }) => quoted(name));
  const list = sets.length > 0 ? ` (${sets.map(quoted).join(', ')})` : '';
  return [
    `ALTER TABLE ${qualified(from)} ADD CONSTRAINT ${quoted(key.name)}`,
    `FOREIGN KEY (${columns.map(quoted).join(', ')}) REFERENCES ${qualified(to)} (${to_.join(', ')})`,
    ...(full ? ['MATCH FULL'] : []),
    `ON DELETE ${kind === 'overridden' ? 'NO ACTION' : `${key.action}${list}`}`,
    ...(onUpdate === 'NO ACTION' ? [] : [`ON UPDATE ${onUpdate}`]),
    ...(timing === '' ? [] : [timing]),
    ...(kind === 'emulated' ? ['NOT ENFORCED'] : []),
  ].join(' ');
}

function createTriggers(table: Table): readonly string[] {
  const { root, trigger, idColumn, idType, kept } = table;
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const kept_ = literal(idType, kept).startsWith("'") ? literal(idType, kept) : text(literal(idType, kept));
  const on = `ON ${qualified(root)} FOR EACH ROW EXECUTE FUNCTION`;
  switch (trigger) {
    case 'none':
      return [];
    case 'keeps':
      return [`CREATE TRIGGER on_${table.place} BEFORE DELETE ${on} a.keep(${text(idColumn)}, ${kept_})`];
    case 'keeps from changes':
      return [`CREATE TRIGGER on_${table.place} BEFORE UPDATE ${on} a.keep(${text(idColumn)}, ${kept_})`];
    case 'deletes':
      return [`CREATE TRIGGER on_${table.place} AFTER DELETE ${on} a.clear()`];
    case 'logs':
      return [`CREATE TRIGGER on_${table.place} AFTER DELETE ${on} a.note(${text(idColumn)})`];
  }
}

function createView({ view, root, idColumn, kept }: Table): readonly string[] {
  if (view === undefined) return [];
  const { kind, relation } = view;
  const { table } = relation;
  const id = `${quoted(idColumn)} AS ${quoted(table.idColumn)}`;
  const keyed = table.keyColumns.slice(0, table.isNarrow ? -1 : undefined).map(({ name }) => name);
  const columns = ['code', ...keyed, 'a', id, 'b', 'note'].join(', ');
  const only = kept === 1 && root.by === undefined ? 'ONLY ' : '';
  const from = `${only}${qualified(root)}${isOfSome(kind) ? ' WHERE a = 1' : ''}`;
  const name = qualified(relation);
  if (kind === 'stacked') {
    const below = qualified({ ...relation, name: `below ${relation.name}` });
    return [
      `CREATE VIEW ${below} AS SELECT ${columns} FROM ${from}`,
      `CREATE VIEW ${name} AS SELECT b, ${quoted(table.idColumn)}, code, a, ${[...keyed, 'note'].join(', ')} FROM ${below} WITH CASCADED CHECK OPTION`,
    ];
  }
  const options = kind === 'invoker' ? ' WITH (security_invoker)' : '';
  const check = kind === 'checked' ? ' WITH LOCAL CHECK OPTION' : '';
  return [`CREATE VIEW ${name}${options} AS SELECT ${columns} FROM ${from}${check}`];
}

function insertRows(table: Table): readonly string[] {
  const columns = [quoted(table.idColumn), 'code', 'a', 'b', ...keyColumnsOf(table).map(({ name }) => name)];
  const rows = table.rows.map((row) => `(${valuesOf(table, row).join(', ')})`);
  return rows.length === 0
    ? []
    : [`INSERT INTO ${qualified(table.root)} (${columns.join(', ')}) VALUES ${rows.join(', ')}`];
}

function valuesOf(table: Table, { id, code, pair, references }: Row): readonly string[] {
  return [
    literal(table.idType, id),
    code === null ? 'NULL' : literal('varchar', code),
    String(pair[0]),
    literal('label', pair[1]),
    ...keyColumnsOf(table).map((column) => references.get(column) ?? 'NULL'),
  ];
}

function keyColumnsOf(table: Table): Table['keyColumns'] {
  return [...table.keyColumns, ...(table.inherits ? keyColumnsOf(table.inherits) : [])];
}
