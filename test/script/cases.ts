/** Schemas with a DELETE: what a script leaves has to equal what the engine's own cascade leaves. */

export interface ScriptCase {
  readonly title: string;
  /** In SQL that SQLite, MariaDB and PostgreSQL all take. */
  readonly schema: string;
  readonly rows: string;
  readonly statement: string;
  /**
   * What the script says where it fails: then nothing is changed, and the engine refuses the DELETE too. Without it both delete.
   */
  readonly fails?: string;
  /** Engines that cannot have the schema, or decide otherwise. */
  readonly notOn?: readonly Engine[];
}

export type Engine = 'sqlite' | 'mariadb' | 'postgresql';

const orgs = 'CREATE TABLE orgs (id INT PRIMARY KEY, name VARCHAR(20));';
const users = `${orgs}
CREATE TABLE users (id INT PRIMARY KEY, org_id INT, CONSTRAINT users_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE);`;
const orgRows = "INSERT INTO orgs VALUES (1, 'one'), (2, 'two'), (3, 'one');";
const userRows = `${orgRows}
INSERT INTO users VALUES (10, 1), (11, 1), (20, 2), (30, NULL);`;
const child = (name: string, action: string) =>
  `CREATE TABLE ${name} (id INT PRIMARY KEY, user_id INT, CONSTRAINT ${name}_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE ${action});`;
const childRows = (name: string) =>
  `INSERT INTO ${name} VALUES (100, 10), (101, 11), (200, 20), (300, NULL);`;
const tree = `CREATE TABLE tree (id INT PRIMARY KEY, parent INT, CONSTRAINT tree_parent FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE);`;

export const cases: readonly ScriptCase[] = [
  { title: 'no key at all', schema: orgs, rows: orgRows, statement: 'DELETE FROM orgs WHERE id = 1' },
  {
    title: 'a chain',
    schema: `${users}\n${child('posts', 'CASCADE')}`,
    rows: `${userRows}\n${childRows('posts')}`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  { title: 'no WHERE', schema: users, rows: userRows, statement: 'DELETE FROM orgs' },
  {
    title: 'a DELETE that finds nothing',
    schema: users,
    rows: userRows,
    statement: 'DELETE FROM orgs WHERE id = 99',
  },
  {
    title: 'a WHERE that reads the children',
    schema: users,
    rows: userRows,
    statement: 'DELETE FROM orgs WHERE id IN (SELECT org_id FROM users WHERE id < 20)',
  },
  {
    title: 'SET NULL',
    schema: `${users}\n${child('posts', 'SET NULL')}`,
    rows: `${userRows}\n${childRows('posts')}`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'SET NULL of a column that takes none',
    schema: `${users}\nCREATE TABLE posts (id INT PRIMARY KEY, user_id INT NOT NULL, CONSTRAINT posts_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL);`,
    rows: `${userRows}\nINSERT INTO posts VALUES (1, 10);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
    fails: 'posts_user of posts (NOT NULL)',
    // InnoDB has no such key.
    notOn: ['mariadb'],
  },
  {
    title: 'SET DEFAULT',
    schema: `${orgs}\nCREATE TABLE users (id INT PRIMARY KEY, org_id INT DEFAULT 3, CONSTRAINT users_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE SET DEFAULT);`,
    rows: userRows,
    statement: 'DELETE FROM orgs WHERE id < 3',
    notOn: ['mariadb'],
  },
  {
    title: 'SET DEFAULT to a key that goes',
    schema: `${orgs}\nCREATE TABLE users (id INT PRIMARY KEY, org_id INT DEFAULT 2, CONSTRAINT users_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE SET DEFAULT);`,
    rows: userRows,
    statement: 'DELETE FROM orgs WHERE id < 3',
    fails: 'users_org of users (SET DEFAULT)',
    notOn: ['mariadb'],
  },
  {
    title: 'RESTRICT',
    schema: `${users}\n${child('posts', 'RESTRICT')}`,
    rows: `${userRows}\n${childRows('posts')}`,
    statement: 'DELETE FROM orgs WHERE id = 1',
    fails: 'posts_user of posts (RESTRICT)',
  },
  {
    title: 'RESTRICT without a row that references',
    schema: `${users}\n${child('posts', 'RESTRICT')}`,
    rows: `${userRows}\nINSERT INTO posts VALUES (200, 20);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'NO ACTION',
    schema: `${users}\n${child('posts', 'NO ACTION')}`,
    rows: `${userRows}\n${childRows('posts')}`,
    statement: 'DELETE FROM orgs WHERE id = 1',
    fails: 'posts_user of posts (NO ACTION)',
  },
  {
    title: 'NO ACTION of a row that goes too',
    schema: `${users}\nCREATE TABLE notes (id INT PRIMARY KEY, org_id INT, user_id INT, CONSTRAINT notes_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE, CONSTRAINT notes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE NO ACTION);`,
    rows: `${userRows}\nINSERT INTO notes VALUES (1, 1, 10);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
    // InnoDB has no NO ACTION: it refuses at once, if it comes to the users first.
    notOn: ['mariadb'],
  },
  {
    title: 'a diamond',
    schema: `${users}\nCREATE TABLE teams (id INT PRIMARY KEY, org_id INT, FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE);
CREATE TABLE members (id INT PRIMARY KEY, user_id INT, team_id INT, FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE, FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE);
CREATE TABLE marks (id INT PRIMARY KEY, member_id INT, FOREIGN KEY (member_id) REFERENCES members (id) ON DELETE CASCADE);`,
    rows: `${userRows}\nINSERT INTO teams VALUES (7, 1), (8, 2);\nINSERT INTO members VALUES (1, 10, 7), (2, 20, 7), (3, 11, 8), (4, 20, 8), (5, 30, NULL);\nINSERT INTO marks VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'two keys to one parent, one of which sets NULL',
    schema: `${users}\nCREATE TABLE posts (id INT PRIMARY KEY, author INT, editor INT, CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE, CONSTRAINT posts_editor FOREIGN KEY (editor) REFERENCES users (id) ON DELETE SET NULL);`,
    rows: `${userRows}\nINSERT INTO posts VALUES (1, 10, 20), (2, 20, 10), (3, 10, 11), (4, 20, 20), (5, NULL, 11);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'composite keys, with NULLs',
    schema: `CREATE TABLE sites (tenant INT, id INT, PRIMARY KEY (tenant, id));
CREATE TABLE pages (id INT PRIMARY KEY, tenant INT, site INT, FOREIGN KEY (tenant, site) REFERENCES sites (tenant, id) ON DELETE CASCADE);
CREATE TABLE links (id INT PRIMARY KEY, tenant INT, site INT, page INT, FOREIGN KEY (tenant, site) REFERENCES sites (tenant, id) ON DELETE SET NULL, FOREIGN KEY (page) REFERENCES pages (id) ON DELETE CASCADE);`,
    rows: `INSERT INTO sites VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO pages VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL), (5, NULL, 1);
INSERT INTO links VALUES (1, 1, 1, 3), (2, 1, 1, 1), (3, 2, 1, 1), (4, 1, NULL, 2);`,
    statement: 'DELETE FROM sites WHERE tenant = 1 AND id = 1',
  },
  {
    title: 'a key to a unique column',
    schema: `CREATE TABLE langs (id INT PRIMARY KEY, code VARCHAR(5) UNIQUE);
CREATE TABLE words (id INT PRIMARY KEY, lang VARCHAR(5), FOREIGN KEY (lang) REFERENCES langs (code) ON DELETE CASCADE);`,
    rows: "INSERT INTO langs VALUES (1, 'de'), (2, 'en'), (3, NULL);\nINSERT INTO words VALUES (1, 'de'), (2, 'en'), (3, NULL);",
    statement: "DELETE FROM langs WHERE code = 'de' OR id = 3",
  },
  {
    title: 'a self-reference',
    schema: tree,
    rows: 'INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 2), (5, NULL), (6, 5), (7, 4);',
    statement: 'DELETE FROM tree WHERE id = 2',
  },
  {
    title: 'a self-reference of a row to itself',
    schema: tree,
    rows: 'INSERT INTO tree VALUES (1, 1), (2, 1), (3, 3);',
    statement: 'DELETE FROM tree WHERE id = 1',
  },
  {
    title: 'a self-reference that sets NULL',
    schema: tree.replace('CASCADE', 'SET NULL'),
    rows: 'INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 2), (5, 4);',
    statement: 'DELETE FROM tree WHERE id IN (2, 4)',
  },
  {
    title: 'a self-reference that is deep, and below another table',
    schema: `${orgs}\n${tree.replace('parent INT,', 'parent INT, org_id INT, CONSTRAINT tree_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE,')}
CREATE TABLE leaves (id INT PRIMARY KEY, tree_id INT, FOREIGN KEY (tree_id) REFERENCES tree (id) ON DELETE CASCADE);`,
    rows: `${orgRows}
INSERT INTO tree VALUES (1, NULL, 1)${Array.from({ length: 12 }, (_, i) => `, (${i + 2}, ${i + 1}, ${i % 2 === 0 ? 'NULL' : '2'})`).join('')};
INSERT INTO leaves VALUES (1, 13), (2, 1), (3, NULL);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'a cycle over two tables',
    schema: `CREATE TABLE a (id INT PRIMARY KEY, b_id INT);
CREATE TABLE b (id VARCHAR(9) PRIMARY KEY, a_id INT, FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE);
ALTER TABLE a ADD COLUMN b_ref VARCHAR(9) REFERENCES b (id) ON DELETE CASCADE;`,
    rows: "INSERT INTO a VALUES (1, 0, NULL), (5, 0, NULL);\nINSERT INTO b VALUES ('x', 1), ('y', 5);\nINSERT INTO a VALUES (2, 0, 'x');\nINSERT INTO b VALUES ('z', 2);\nUPDATE a SET b_ref = 'z' WHERE id = 1;",
    statement: 'DELETE FROM a WHERE id = 1',
  },
  {
    title: 'a cycle over three tables, entered from outside, with a leaf below',
    schema: `${orgs}
CREATE TABLE a (id INT PRIMARY KEY, org_id INT REFERENCES orgs (id) ON DELETE CASCADE);
CREATE TABLE b (id INT PRIMARY KEY, a_id INT REFERENCES a (id) ON DELETE CASCADE, org_id INT REFERENCES orgs (id) ON DELETE CASCADE);
CREATE TABLE c (id INT PRIMARY KEY, b_id INT REFERENCES b (id) ON DELETE CASCADE);
ALTER TABLE a ADD COLUMN c_id INT REFERENCES c (id) ON DELETE CASCADE;
CREATE TABLE leaves (id INT PRIMARY KEY, c_id INT REFERENCES c (id) ON DELETE CASCADE, a_id INT REFERENCES a (id) ON DELETE SET NULL);`,
    rows: `${orgRows}
INSERT INTO a VALUES (1, 1, NULL), (2, 2, NULL);
INSERT INTO b VALUES (1, 1, NULL), (2, 2, 1), (3, 2, NULL);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO a VALUES (3, NULL, 2), (4, NULL, 3);
INSERT INTO leaves VALUES (1, 1, 2), (2, 3, 1), (3, 2, 4), (4, NULL, 3);`,
    statement: 'DELETE FROM orgs WHERE id = 1',
  },
  {
    title: 'names that need quotes',
    schema: `CREATE TABLE "select" ("from" INT PRIMARY KEY, "a ""b""" INT UNIQUE);
CREATE TABLE "Order Items" (id INT PRIMARY KEY, "key" INT, CONSTRAINT "it's" FOREIGN KEY ("key") REFERENCES "select" ("a ""b""") ON DELETE CASCADE);
CREATE TABLE "äöü" (id INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES "Order Items" (id) ON DELETE CASCADE);`,
    rows: 'INSERT INTO "select" VALUES (1, 11), (2, 22);\nINSERT INTO "Order Items" VALUES (1, 11), (2, 22);\nINSERT INTO "äöü" VALUES (1, 1), (2, 2);',
    statement: 'DELETE FROM "select" WHERE "from" = 1 -- and that is it',
  },
  {
    title: 'SET NULL and CASCADE that share a column, in a row that both concern',
    schema: `CREATE TABLE p (t INT, id INT, PRIMARY KEY (t, id));
CREATE TABLE q (t INT, id INT, p INT, PRIMARY KEY (t, id), FOREIGN KEY (t, p) REFERENCES p (t, id) ON DELETE CASCADE);
CREATE TABLE r (id INT PRIMARY KEY, t INT, p INT, q INT, CONSTRAINT r_p FOREIGN KEY (t, p) REFERENCES p (t, id) ON DELETE SET NULL, CONSTRAINT r_q FOREIGN KEY (t, q) REFERENCES q (t, id) ON DELETE CASCADE);`,
    rows: 'INSERT INTO p VALUES (1, 1), (1, 2);\nINSERT INTO q VALUES (1, 1, 1), (1, 2, 2);\nINSERT INTO r VALUES (1, 1, 1, 2), (2, 1, 2, 1), (3, 1, NULL, 1);',
    statement: 'DELETE FROM p WHERE id = 1',
  },
];
