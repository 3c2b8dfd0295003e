/** Dumps that the databases' own programs make, data and all: the keys in them are those that the server says it has. */
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parserReady } from '../../src/sql/parser/parser.js';
import { missingProgram, startMariaDb } from '../script/mariadb-server.js';
import { output } from '../script/runs.js';
import { startPostgres } from '../support/postgres.js';
import { describeMissing, describeProgram } from '../support/programs.js';
import { createDatabaseOn } from '../support/scratch-database.js';
import { keysIn } from './reading.js';

/** Without what each dialect has of its own. @param quote of names */
const schema = (quote: string) => {
  const name = (text: string) => `${quote}${text}${quote}`;
  return `CREATE TABLE orgs (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, name VARCHAR(80) DEFAULT 'it''s; (one)');
CREATE TABLE users (id INT PRIMARY KEY, org_id INT DEFAULT 3, boss INT, CONSTRAINT users_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE ON UPDATE CASCADE, CONSTRAINT users_boss FOREIGN KEY (boss) REFERENCES users (id) ON DELETE SET NULL);
CREATE TABLE pages (tenant INT NOT NULL, id INT NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE ${name('Order Items')} (id INT PRIMARY KEY, ${name('key')} VARCHAR(20), tenant INT, page INT, CONSTRAINT items_org FOREIGN KEY (${name('key')}) REFERENCES orgs (code) ON DELETE RESTRICT, CONSTRAINT items_page FOREIGN KEY (tenant, page) REFERENCES pages (tenant, id) ON DELETE NO ACTION);
INSERT INTO orgs VALUES (1, 'a', 'CREATE TABLE x (y int REFERENCES nowhere);'), (2, 'it''s', '\\\\.');`;
};

/** As keysIn gives them, in any order, without what the server's catalog does not have: names, and lines. */
function withoutLines(keys: readonly string[]): readonly string[] {
  return keys.map((key) => key.replace(/ \[.*\]$/, '')).sort();
}

const DEBIAN = '/usr/lib/postgresql';
const version = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : []).find((each) =>
  ['initdb', 'postgres', 'pg_dump'].every((program) => existsSync(`${DEBIAN}/${each}/bin/${program}`)),
);

if (version === undefined)
  describeMissing('pg_dump', 'no PostgreSQL is installed (apt-get install postgresql-15)');
else
  test('pg_dump', async () => {
    await parserReady();
    const program = (name: string) => `${DEBIAN}/${version}/bin/${name}`;
    const binaries = { initdb: program('initdb'), postgres: program('postgres') };
    const server = await startPostgres({ binaries });
    try {
      const database = await createDatabaseOn(server);
      const client = await database.connect();
      await client.query(`${schema('"')}
        CREATE TABLE parts (id int, org int REFERENCES orgs ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);
        CREATE TABLE notes (a int, b int, FOREIGN KEY (a, b) REFERENCES pages MATCH FULL ON DELETE SET NULL (b));
        CREATE VIEW v AS SELECT 1 AS one; CREATE SEQUENCE s OWNED BY notes.a;
        CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM notes';`);
      const { rows } = await client.query<{ readonly key: string }>(
        `SELECT format('%s(%s) -> %s(%s) %s%s', f.relname, names(c.conrelid, c.conkey), t.relname, names(c.confrelid, c.confkey),
           CASE c.confdeltype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'set default' END,
           ' (' || names(c.conrelid, c.confdelsetcols) || ')') AS key
         FROM pg_constraint AS c JOIN pg_class AS f ON f.oid = c.conrelid JOIN pg_class AS t ON t.oid = c.confrelid
         WHERE c.contype = 'f' AND c.conparentid = 0`.replaceAll(
          /names\(([\w.]+), ([\w.]+)\)/g,
          `(SELECT string_agg(a.attname, ', ' ORDER BY u.place) FROM unnest($2) WITH ORDINALITY AS u(number, place) JOIN pg_attribute AS a ON a.attrelid = $1 AND a.attnum = u.number)`,
        ),
      );
      const dump = await output(program('pg_dump'), ['--dbname', database.url], '');
      expect(dump).toContain('COPY public.orgs');
      const keys = await keysIn(dump, 'postgresql');
      expect(withoutLines(keys)).toEqual(rows.map(({ key }) => key).sort());
      expect(keys).toHaveLength(6);
    } finally {
      await server.stop();
    }
  });

const missing = missingProgram();

if (missing !== undefined) describeMissing('mariadb-dump', `${missing} is not installed`);
else
  test('mariadb-dump', async () => {
    const server = await startMariaDb();
    try {
      await server.execute(
        'mysql',
        `CREATE DATABASE shop; USE shop;\n${schema('`')}
CREATE TABLE inline (id INT PRIMARY KEY AUTO_INCREMENT, org INT REFERENCES orgs (id) ON DELETE CASCADE, KEY (org), note ENUM('a','b') DEFAULT 'a' COMMENT 'x; y');
CREATE VIEW v AS SELECT id FROM orgs;
DELIMITER ;;\nCREATE TRIGGER t AFTER DELETE ON inline FOR EACH ROW BEGIN DELETE FROM users; END ;;\nDELIMITER ;`,
      );
      const said = await server.execute(
        'information_schema',
        `SELECT CONCAT(k.TABLE_NAME, '(', GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ') -> ', k.REFERENCED_TABLE_NAME, '(',
           GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ') ', LOWER(r.DELETE_RULE)) AS it
         FROM KEY_COLUMN_USAGE AS k JOIN REFERENTIAL_CONSTRAINTS AS r USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_NAME)
         WHERE k.TABLE_SCHEMA = 'shop' GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_NAME, r.DELETE_RULE`,
      );
      const [, ...expected] = said.trim().split('\n');
      const keys = await keysIn(await server.dump('shop'), 'mariadb');
      expect(withoutLines(keys)).toEqual(expected.sort());
      expect(keys).toHaveLength(5);
    } finally {
      await server.stop();
    }
  });

describeProgram('sqlite3', () => {
  test('.dump', async () => {
    const tables = ['orgs', 'users', 'pages', 'Order Items', 'plain', 'rowless'];
    const asked = tables.map(
      (table) =>
        `SELECT '${table}(' || group_concat("from", ', ') || ') -> ' || "table" || '(' || group_concat(coalesce("to", 'id'), ', ') || ') ' || lower(on_delete) FROM pragma_foreign_key_list('${table}') GROUP BY id;`,
    );
    const said = await output(
      'sqlite3',
      ['-bail', ':memory:'],
      `${schema('"')}
CREATE TABLE plain (id, org REFERENCES orgs ON DELETE CASCADE, [user] INTEGER NOT NULL DEFAULT (1 + 1) REFERENCES users DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE rowless (a TEXT COLLATE NOCASE PRIMARY KEY REFERENCES orgs (code) ON DELETE SET DEFAULT) WITHOUT ROWID;
CREATE TRIGGER t AFTER DELETE ON orgs BEGIN DELETE FROM plain; SELECT 1; END;
CREATE INDEX i ON plain (org);\n.dump\n.print ----\n${asked.join('\n')}`,
    );
    const [dump = '', keys = ''] = said.split('----\n');
    expect(withoutLines(await keysIn(dump, 'sqlite'))).toEqual(keys.trim().split('\n').sort());
  });
});
