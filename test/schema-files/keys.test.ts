/** The keys of schema files: in each dialect, in each way to write them, with their lines. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/sql/dialects/dialect.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { keysIn, read } from './reading.js';

beforeAll(() => parserReady());

const ORGS = 'CREATE TABLE orgs (id int PRIMARY KEY, code varchar(9) UNIQUE);\n';
const ALL: readonly Dialect[] = ['postgresql', 'mysql', 'mariadb', 'sqlite', 'redshift', 'greenplum'];

describe.each(ALL)('%s', (dialect) => {
  const unwritten = dialect === 'mariadb' ? 'restrict' : 'no action';

  test.each([
    ['org_id int REFERENCES orgs (id) ON DELETE CASCADE', 'users(org_id) -> orgs(id) cascade'],
    ['org_id int NOT NULL DEFAULT 3 REFERENCES orgs', `users(org_id) -> orgs(id) ${unwritten}`],
    [
      'org_id int, FOREIGN KEY (org_id) REFERENCES orgs (id) ON UPDATE CASCADE ON DELETE SET NULL',
      'users(org_id) -> orgs(id) set null',
    ],
    [
      'org_id int, FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE SET DEFAULT ON UPDATE NO ACTION',
      'users(org_id) -> orgs(id) set default',
    ],
    [
      "org_id int, CHECK (org_id > 0), FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE RESTRICT, note varchar(10) DEFAULT 'a, (b'",
      'users(org_id) -> orgs(id) restrict',
    ],
  ])('%s', async (columns, expected) => {
    expect(
      await keysIn(`${ORGS}CREATE TABLE users (\n  id int PRIMARY KEY,\n  ${columns}\n);`, dialect),
    ).toEqual([`${expected} [users_org_id_fkey, line 4]`]);
  });

  test('a key that ALTER TABLE adds, with a name, of two columns', async () => {
    const text = `CREATE TABLE a (x int, y int, PRIMARY KEY (x, y));\nCREATE TABLE b (p int, q int);
-- REFERENCES nowhere
ALTER TABLE b
  ADD CONSTRAINT b_a FOREIGN KEY (p, q) REFERENCES a (x, y) ON DELETE CASCADE;`;
    expect(await keysIn(text, dialect)).toEqual(['b(p, q) -> a(x, y) cascade [b_a, line 5]']);
  });

  test('a key that is dropped again, and a table that is', async () => {
    const text = `${ORGS}CREATE TABLE b (o int, CONSTRAINT b_o FOREIGN KEY (o) REFERENCES orgs (id));
ALTER TABLE b DROP CONSTRAINT b_o;\nCREATE TABLE gone (o int REFERENCES orgs (id));\nDROP TABLE IF EXISTS gone, never;`;
    expect(await keysIn(text, dialect)).toEqual([]);
  });

  test('a table and a column that are not there are told with their lines', async () => {
    const text = `${ORGS}CREATE TABLE users (\n  id int,\n  a int REFERENCES nowhere (id),\n  b int REFERENCES orgs (nothing),
  FOREIGN KEY (c) REFERENCES orgs (id)\n);\nALTER TABLE elsewhere ADD FOREIGN KEY (id) REFERENCES orgs (id);`;
    const { problems } = await read(text, dialect);
    expect(problems).toEqual([
      { line: 4, text: 'there is no table nowhere' },
      { line: 5, text: 'there is no column nothing in table orgs' },
      { line: 6, text: 'there is no column c in table users' },
      { line: 8, text: 'there is no table elsewhere' },
    ]);
  });

  test('a text without an end is told with the line where that begins', async () => {
    const { problems } = await read(`${ORGS}CREATE TABLE b (x varchar(9) DEFAULT 'a\n);`, dialect);
    expect(problems[0]).toEqual({
      line: 2,
      text: 'a string, a name or a comment begins here and has no end',
    });
  });
});

describe('PostgreSQL', () => {
  test.each([
    [
      'a list of columns, DEFERRABLE, NOT VALID',
      'ALTER TABLE ONLY u ADD CONSTRAINT k FOREIGN KEY (a, b) REFERENCES t (x, y) MATCH FULL ON DELETE SET NULL (b) DEFERRABLE INITIALLY DEFERRED NOT VALID',
      'u(a, b) -> t(x, y) set null (b) [k, line 3]',
    ],
    [
      'names that are folded, and that are not',
      'ALTER TABLE U ADD CONSTRAINT K FOREIGN KEY (A, B) REFERENCES public."t"',
      'u(a, b) -> t(x, y) no action [k, line 3]',
    ],
  ])('%s', async (_, sql, expected) => {
    const text = `CREATE TABLE t (x int, y int, PRIMARY KEY (x, y));\nCREATE TABLE u (a int, b int);\n${sql};`;
    expect(await keysIn(text, 'postgresql')).toEqual([expected]);
  });

  test('COPY data, and lines that begin with a backslash, are left out', async () => {
    const text = `\\restrict abc\n${ORGS}COPY orgs (id, code) FROM stdin;\n1\tit's; CREATE TABLE x (\n\\.\n
\\connect other\nCREATE TABLE u (o int REFERENCES orgs);\n\\unrestrict abc`;
    expect(await keysIn(text, 'postgresql')).toEqual(['u(o) -> orgs(id) no action [u_o_fkey, line 8]']);
  });

  test('functions with statements in them define no tables', async () => {
    const text = `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $x$ CREATE TABLE no (a int REFERENCES nowhere); $x$;
CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;\n${ORGS}`;
    expect((await read(text, 'postgresql')).tables.map(({ name }) => name)).toEqual(['orgs']);
  });

  test('what its grammar does not know is told', async () => {
    const { problems } = await read('CREATE TABLE t (id int) ENGINE=InnoDB;', 'postgresql');
    expect(problems).toEqual([{ line: 1, text: "PostgreSQL's grammar does not know this statement" }]);
  });
});

describe('MySQL', () => {
  test('comments that are none, DELIMITER, and quotes', async () => {
    const text = `/*!40101 SET NAMES utf8mb4 */;
/*!50001 CREATE TABLE \`or\`\`gs\` (\n  \`id\` int NOT NULL,\n  PRIMARY KEY (\`id\`) USING BTREE\n) ENGINE=InnoDB COMMENT='it\\'s; "x"' */;
DELIMITER ;;\nCREATE PROCEDURE p() BEGIN CREATE TABLE no (a int REFERENCES nowhere (b)); END ;;\nDELIMITER ;
# CREATE TABLE
CREATE TABLE \`key\` (\`key\` int, \`index\` int, KEY \`i\` (\`key\`), KEY (\`key\`,\`index\`), FULLTEXT KEY f (x), CONSTRAINT \`k\` FOREIGN KEY (\`key\`) REFERENCES \`OR\`\`GS\` (\`ID\`) ON DELETE CASCADE);`;
    expect(await keysIn(text, 'mysql')).toEqual(['key(key) -> or`gs(id) cascade [k, line 10]']);
  });

  test('USE says where tables are, and a key is where its table is', async () => {
    const text = `CREATE DATABASE a; USE \`a\`;\n${ORGS}USE b;\nCREATE TABLE u (o int, FOREIGN KEY (o) REFERENCES a.orgs (id), p int, FOREIGN KEY (p) REFERENCES orgs (id));`;
    expect(await keysIn(text, 'mysql')).toEqual(['4: there is no table b.orgs']);
  });

  test('columns that are changed after their table', async () => {
    const text = `CREATE TABLE t (id int);\nALTER TABLE t ADD PRIMARY KEY (id), MODIFY id int NOT NULL AUTO_INCREMENT, CHANGE COLUMN id ident bigint;
ALTER TABLE t ADD COLUMN up int, ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES t (ident) ON DELETE CASCADE;`;
    expect(await keysIn(text, 'mysql')).toEqual(['t(up) -> t(ident) cascade [k, line 3]']);
  });
});

describe('SQLite', () => {
  test('names in four kinds of quotes, and no types', async () => {
    const text = `CREATE TABLE [a b] (id INTEGER PRIMARY KEY, "c""d" UNIQUE);
CREATE TABLE 'x' (\`y\` REFERENCES [a b] ("c""d") ON DELETE CASCADE, z REFERENCES 'a b') WITHOUT ROWID;
.mode list\nCREATE TRIGGER t AFTER DELETE ON x BEGIN DELETE FROM y; CREATE; END;
CREATE TABLE v (n INTEGER, FOREIGN KEY(n) REFERENCES MAIN.[A B]);`;
    expect(await keysIn(text, 'sqlite')).toEqual([
      'x(y) -> a b(c"d) cascade [x_y_fkey, line 2]',
      'x(z) -> a b(id) no action [x_z_fkey, line 2]',
      'v(n) -> a b(id) no action [v_n_fkey, line 5]',
    ]);
  });

  test('a table and a column that are renamed', async () => {
    const text = `${ORGS}CREATE TABLE u (o int REFERENCES orgs (id));\nALTER TABLE orgs RENAME TO teams;\nALTER TABLE teams RENAME COLUMN id TO team;\nALTER TABLE u RENAME o TO t;`;
    expect(await keysIn(text, 'sqlite')).toEqual(['u(t) -> teams(team) no action [u_t_fkey, line 2]']);
  });
});

test('Redshift: what no grammar knows', async () => {
  const text = `CREATE TABLE public.Orgs (id bigint IDENTITY(0,1) NOT NULL ENCODE az64, PRIMARY KEY (id)) DISTSTYLE KEY DISTKEY (id) SORTKEY (id);
CREATE TABLE users (id int8 ENCODE raw, org bigint ENCODE zstd REFERENCES orgs, "UP" int8 references users (id)) BACKUP NO COMPOUND SORTKEY (id, org);`;
  expect(await keysIn(text, 'redshift')).toEqual([
    'users(org) -> orgs(id) no action [users_org_fkey, line 2]',
    'users(up) -> users(id) no action [users_up_fkey, line 2]',
  ]);
});

test('Greenplum: partitions and distribution', async () => {
  const text = `${ORGS}CREATE TABLE u (id int, o int REFERENCES orgs (id) ON DELETE CASCADE) WITH (appendonly=true) DISTRIBUTED BY (id) PARTITION BY RANGE (id) (START (1) END (5) EVERY (1));`;
  expect(await keysIn(text, 'greenplum')).toEqual(['u(o) -> orgs(id) cascade [u_o_fkey, line 2]']);
});
