/** Which statements a script is written for, and what of them is spliced. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readDelete } from '../../src/script/delete-statement.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { scriptOf } from './runs.js';

beforeAll(() => parserReady());

test.each([
  [
    'sqlite',
    'delete from main."a b" as x where x.id = 1;',
    { schema: 'main', name: 'a b' },
    'main."a b" as x',
    'x',
    '',
    'where x.id = 1',
  ],
  ['sqlite', '-- all\nDELETE FROM [t]', { schema: undefined, name: 't' }, '[t]', '[t]', '', ''],
  [
    'mysql',
    "DELETE FROM `db`.`t` WHERE a = 'RETURNING ?' ORDER BY id LIMIT 3",
    { schema: 'db', name: 't' },
    '`db`.`t`',
    '`t`',
    '',
    "WHERE a = 'RETURNING ?' ORDER BY id LIMIT 3",
  ],
  ['mariadb', 'DELETE FROM t LIMIT 1 # one', { schema: undefined, name: 't' }, 't', 't', '', 'LIMIT 1'],
  [
    'postgresql',
    'DELETE FROM s.T * u USING v, w AS x WHERE u.id = v.id',
    { schema: 's', name: 't' },
    's.T * u',
    'u',
    'v, w AS x',
    'WHERE u.id = v.id',
  ],
] as const)('%s: %s', (dialect, text, table, from, reference, using, rest) => {
  expect(readDelete(text, dialect)).toMatchObject({ table, from, reference, using, rest });
});

describe('is refused:', () => {
  test.each([
    ['sqlite', 'SELECT 1', 'what is not a DELETE'],
    ['sqlite', '', 'what is not a DELETE'],
    ['sqlite', 'DELETE FROM t; DELETE FROM u', 'more than one statement'],
    ['sqlite', "DELETE FROM t WHERE a = 'x", 'a string, name or comment without an end'],
    ['sqlite', 'WITH x AS (SELECT 1) DELETE FROM t', 'what is not a DELETE'],
    ['sqlite', 'DELETE FROM t WHERE id = ?', 'a parameter'],
    ['sqlite', 'DELETE FROM t WHERE id = :id', 'a parameter'],
    ['sqlite', 'DELETE FROM t WHERE id = 1 RETURNING id', 'a RETURNING list'],
    ['sqlite', 'DELETE FROM t INDEXED BY i WHERE id = 1', 'INDEXED after the name'],
    ['mysql', 'DELETE t FROM t JOIN u', 'a DELETE without FROM'],
    ['mysql', 'DELETE QUICK FROM t', 'a DELETE without FROM'],
    ['mysql', 'DELETE FROM t, u USING t JOIN u', '"," after the name of the table'],
    ['mysql', 'DELETE FROM t USING t JOIN u', 'a DELETE with USING'],
    ['mysql', 'DELETE FROM t PARTITION (p0)', 'PARTITION after the name'],
    ['postgresql', 'DELETE FROM ONLY t', 'DELETE FROM ONLY'],
    ['postgresql', 'DELETE FROM t WHERE id = $1', 'a parameter'],
    ['postgresql', 'DELETE FROM t WHERE CURRENT OF c', 'WHERE CURRENT OF'],
    ['postgresql', 'DELETE FROM t LIMIT 1', "what PostgreSQL's grammar does not take"],
  ] as const)('%s: %s', (dialect, text, what) => {
    expect(() => readDelete(text, dialect)).toThrow(`cannot write a script for ${what}`);
  });

  const key = (more: string) =>
    `CREATE TABLE p (id INT PRIMARY KEY, a INT, b INT, UNIQUE (a, b));\nCREATE TABLE c (${more});`;

  test.each([
    [
      'mysql',
      'CREATE TABLE p (id INT UNIQUE);\nCREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);',
      'which has no primary key',
    ],
    [
      'sqlite',
      key('p INT DEFAULT (random()) REFERENCES p ON DELETE SET DEFAULT'),
      'whose default is no constant',
    ],
    [
      'postgresql',
      key('a INT, b INT, FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL ON DELETE SET NULL (a)'),
      'MATCH FULL',
    ],
    [
      'postgresql',
      `${key('p INT REFERENCES p ON DELETE CASCADE')}\nCREATE TABLE d () INHERITS (p);`,
      'others inherit from it',
    ],
  ] as const)('%s: %s', async (dialect, schema, what) => {
    await expect(scriptOf(schema, 'DELETE FROM p', dialect)).rejects.toThrow(what);
  });
});
