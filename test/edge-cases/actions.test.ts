/** What each action does to a row, which columns it sets, and how a broken rule is told. */
import { describe, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { SAMPLE } from './sample.js';
import { ALL, UNENFORCED, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn } = useSides();

const P =
  'CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, n int); INSERT INTO p SELECT i, chr(96 + i), i FROM generate_series(0, 4) i;';
const child = (column: string, more = '') => `${P} CREATE TABLE c (id int PRIMARY KEY, ${column});
  INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL); CREATE TABLE g (id int REFERENCES c ON DELETE CASCADE KEYS);
  INSERT INTO g SELECT id FROM c; ${more}`;
const one = 'DELETE FROM p WHERE id = 1';

test.each([
  [
    '24 SET NULL nulls the column, and grandchildren stay',
    child('p int REFERENCES p ON DELETE SET NULL KEYS'),
    `${one} RETURNING *`,
    'DELETE FROM p',
  ],
  [
    '25 SET NULL of a NOT NULL column is 23502, with its table and column',
    child('p int REFERENCES p ON DELETE SET NULL KEYS')
      .replace('(3, NULL)', '(3, 3)')
      .replace('p int R', 'p int NOT NULL R'),
    'DELETE FROM p WHERE id = 4',
    one,
    'BEGIN',
    'DELETE FROM p WHERE id > 1',
    'ROLLBACK',
  ],
  [
    '25 so is one below a cascade',
    `${SAMPLE} ALTER TABLE notes ALTER user_id SET NOT NULL`,
    'DELETE FROM orgs WHERE id = 1',
    'DELETE FROM users WHERE id = 21 RETURNING id',
  ],
  [
    '25 so is SET DEFAULT of a NOT NULL column that has no default',
    child('p int REFERENCES p ON DELETE SET DEFAULT KEYS')
      .replace('(3, NULL)', '(3, 3)')
      .replace('p int R', 'p int NOT NULL R'),
    one,
  ],
  [
    '25 so is a domain that allows no NULL',
    `CREATE DOMAIN sure AS int NOT NULL; ${child('p sure REFERENCES p ON DELETE SET NULL KEYS').replace('(3, NULL)', '(3, 3)')}`,
    one,
  ],
  [
    '47 SET DEFAULT gives the default, where the parent has it',
    child('p int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT KEYS'),
    `${one} RETURNING *`,
    'DELETE FROM p WHERE id IN (2, 3)',
  ],
  [
    '47 a default that the parent does not have is 23503',
    child('p int DEFAULT 9 REFERENCES p ON DELETE SET DEFAULT KEYS'),
    one,
    'DELETE FROM p WHERE id = 3',
    'DELETE FROM p',
  ],
  [
    '47 a default that is the key deleted is 23503',
    child('p int DEFAULT 1 REFERENCES p ON DELETE SET DEFAULT KEYS'),
    'DELETE FROM p WHERE id = 2',
    one,
    'DELETE FROM p WHERE id < 3',
  ],
  ['47 no default is NULL', child('p int REFERENCES p ON DELETE SET DEFAULT KEYS'), one, 'DELETE FROM p'],
  [
    '47 a default that is an expression',
    child('p int DEFAULT abs(-4) REFERENCES p ON DELETE SET DEFAULT KEYS'),
    one,
  ],
])('%s', (_, schema, ...texts) => same(schema, ...texts));

test.each([
  ['6 NO ACTION next to the rows', 'DELETE FROM orgs WHERE id = 4'],
  ['6 RESTRICT below a cascade', 'DELETE FROM orgs WHERE id = 5'],
  [
    '6 NO ACTION two levels below a cascade',
    'DELETE FROM orgs WHERE id = 3',
    `CREATE TABLE likes (id int, post int REFERENCES posts KEYS); INSERT INTO likes VALUES (1, 321)`,
  ],
  ['6 RESTRICT, with RETURNING', 'DELETE FROM users WHERE id = 52 RETURNING *'],
  ['6 a rule for one of many', 'DELETE FROM orgs WHERE id <> 5'],
])('%s is a violation, and nothing is gone', (_, sql, more = '') =>
  same(`${SAMPLE} ${more}`, sql, `BEGIN; ${sql}`, 'ROLLBACK'));

const names = `CREATE TABLE "P p" ("Key" text PRIMARY KEY); INSERT INTO "P p" VALUES ('a''b'), (E'x\\ny'), ('(1)/pgcascade'), ('');
  CREATE TABLE "C%s" (id int, "a;b" text CONSTRAINT "é/fk" REFERENCES "P p" ON DELETE ACTION KEYS); INSERT INTO "C%s" SELECT 1, "Key" FROM "P p"`;
describe('26 the error of a broken rule has the fields it has natively:', () => {
  test.each(['NO ACTION', 'RESTRICT'])('%s, over names and values that want quoting', (action) =>
    sameOn(UNENFORCED, names.replace('ACTION', action), [
      `DELETE FROM "P p" WHERE "Key" = 'a''b'`,
      `DELETE FROM "P p" WHERE "Key" LIKE '(%'`,
      `DELETE FROM "P p" WHERE "Key" = ''`,
      `DELETE FROM "P p" WHERE "Key" LIKE 'x%'`,
    ]));

  test.each([
    [
      'a key of two columns',
      `CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 'x, y');
      CREATE TABLE c (id int, b text, a int, FOREIGN KEY (a, b) REFERENCES p KEYS); INSERT INTO c VALUES (1, 'x, y', 1)`,
    ],
    [
      'a key of another type than its column',
      `CREATE TABLE p (id numeric PRIMARY KEY); INSERT INTO p VALUES (1.50);
      CREATE TABLE c (id numeric REFERENCES p KEYS); INSERT INTO c VALUES (1.5)`,
    ],
    [
      'another schema',
      `CREATE SCHEMA a; CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
      CREATE TABLE a.c (id int REFERENCES p ON DELETE RESTRICT KEYS); INSERT INTO a.c VALUES (1)`,
    ],
    [
      'a long value',
      `CREATE TABLE p (id text PRIMARY KEY); INSERT INTO p VALUES (repeat('é', 300));
      CREATE TABLE c (id text REFERENCES p KEYS); INSERT INTO c TABLE p`,
    ],
    [
      'a date in the session’s style',
      `SET DateStyle = 'German'; CREATE TABLE p (id date PRIMARY KEY); INSERT INTO p VALUES ('2026-02-01');
      CREATE TABLE c (id date REFERENCES p KEYS); INSERT INTO c TABLE p`,
    ],
  ])('%s', (_, schema) => same(schema, 'DELETE FROM s.p'));

  test('the first of several rows, and of several keys', () =>
    same(
      `${P} CREATE TABLE c (id int, a int REFERENCES p KEYS, b text REFERENCES p (code) ON DELETE RESTRICT KEYS);
      INSERT INTO c VALUES (1, 4, 'c'), (2, 2, 'd'), (3, NULL, 'b')`,
      'DELETE FROM p',
      'DELETE FROM p WHERE id > 2',
      'DELETE FROM p WHERE id = 4',
    ));
});

test.each([
  [
    '21 a key that references a UNIQUE column',
    child('p text REFERENCES p (code) ON DELETE CASCADE KEYS').replace(
      '(1, 1), (2, 2)',
      "(1, 'a'), (2, 'b')",
    ),
    one,
    'DELETE FROM p WHERE id = 3',
  ],
  [
    '21 a parent whose UNIQUE column is NULL takes nobody along',
    `${child('p text REFERENCES p (code) ON DELETE CASCADE KEYS').replace('(1, 1), (2, 2)', "(1, NULL), (2, 'b')")} UPDATE p SET code = NULL WHERE id IN (1, 3)`,
    'DELETE FROM p WHERE id IN (1, 3)',
  ],
])('%s', (_, schema, ...texts) => same(schema, ...texts));

const TWO_ROWS = 'INSERT INTO c VALUES (1, 1), (2, 2)';
const MOVED =
  'PARTITION BY LIST (p); CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c DEFAULT';
const NULLED = 'p int REFERENCES p ON DELETE SET NULL KEYS';
const DEFAULTED = 'p int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT KEYS';
test.each([
  ['24 SET NULL against a CHECK', `${P} CREATE TABLE c (id int, ${NULLED} CHECK (p IS NOT NULL))`],
  [
    '24 SET NULL against a UNIQUE that takes one NULL',
    `${P} CREATE TABLE c (id int, ${NULLED} UNIQUE NULLS NOT DISTINCT)`,
  ],
  [
    '24 SET NULL beside a generated column',
    `${P} CREATE TABLE c (id int, ${NULLED}, x int GENERATED ALWAYS AS (coalesce(p, -1)) STORED)`,
  ],
  ['24 SET NULL to another partition', `${P} CREATE TABLE c (id int, ${NULLED}) ${MOVED}`],
  [
    '24 SET NULL without a partition',
    `${P} CREATE TABLE c (id int, ${NULLED}) PARTITION BY LIST (p); CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1, 2)`,
  ],
  ['47 a default that must be UNIQUE', `${P} CREATE TABLE c (id int, ${DEFAULTED} UNIQUE)`],
  [
    '47 a default that differs for each row',
    `${P} CREATE SEQUENCE q START 3; CREATE TABLE c (id int, ${DEFAULTED.replace('0', `nextval('s.q')`)})`,
  ],
  ['47 a default in another partition', `${P} CREATE TABLE c (id int, ${DEFAULTED}) ${MOVED}`],
  [
    '47 the default of a partition is none',
    `${P} CREATE TABLE c (id int, ${DEFAULTED}) ${MOVED}; ALTER TABLE c1 ALTER p SET DEFAULT 4`,
  ],
  [
    '45 a generated column that references',
    `${P} CREATE TABLE c (id int, x int, p int GENERATED ALWAYS AS (id) STORED REFERENCES p ON DELETE CASCADE KEYS)`,
  ],
])('%s', (_, schema) => same(`${schema}; ${TWO_ROWS}`, one, 'DELETE FROM p WHERE id = 2'));

const PAIR = (key: string) => `CREATE TABLE p (a int, b int, n int PRIMARY KEY, UNIQUE (a, b));
  INSERT INTO p VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3), (1, NULL, 4), (NULL, 1, 5), (NULL, NULL, 6), (0, 0, 7), (7, 7, 8);
  CREATE TABLE c (id int PRIMARY KEY, x int DEFAULT 0, y int DEFAULT 0, FOREIGN KEY (x, y) REFERENCES p (a, b) ${key} KEYS);`;
const SIMPLE =
  'INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL), (5, NULL, 1), (6, NULL, NULL), (7, NULL, 9)';
const FULL = 'INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (6, NULL, NULL)';
describe('31 a key of two columns', () => {
  test.each([
    ['MATCH SIMPLE', 'CASCADE', SIMPLE],
    ['MATCH SIMPLE', 'SET NULL', SIMPLE],
    ['MATCH SIMPLE', 'SET DEFAULT', SIMPLE],
    ['MATCH SIMPLE', 'RESTRICT', SIMPLE],
    // Not SET DEFAULT: a default of several columns under MATCH FULL could be half a key.
    ['MATCH FULL', 'CASCADE', FULL],
    ['MATCH FULL', 'SET NULL', FULL],
    ['MATCH FULL', 'RESTRICT', FULL],
  ])('of %s, %s: a NULL in any column takes it out of the action', (match, action, rows) =>
    same(
      PAIR(`${match.replace('MATCH SIMPLE', '')} ON DELETE ${action}`) + rows,
      'DELETE FROM p WHERE n > 3 AND n <> 7',
      'DELETE FROM p WHERE n = 1',
      'DELETE FROM p WHERE a = 1 OR b = 1',
      'DELETE FROM p WHERE n <> 7',
    ));
});

describe('48 a list of columns', () => {
  test.each(
    ['SET NULL', 'SET DEFAULT'].flatMap((action) =>
      ['x', 'y', 'y, x'].map((columns) => [action, columns] as const),
    ),
  )('of %s (%s) decides what is set; all columns decide what matches', (action, columns) =>
    sameOn(UNENFORCED, PAIR(`ON DELETE ${action} (${columns})`) + SIMPLE, [
      'DELETE FROM p WHERE n = 1',
      'DELETE FROM p WHERE n IN (2, 3)',
      'DELETE FROM p WHERE n > 3',
    ]));

  test('of two SET NULL keys leaves each its own', () =>
    sameOn(
      UNENFORCED,
      `CREATE TABLE p (t int, id int, PRIMARY KEY (t, id)); INSERT INTO p VALUES (1, 1), (1, 2), (2, 1);
      CREATE TABLE c (id int, t int NOT NULL, a int, b int, FOREIGN KEY (t, a) REFERENCES p ON DELETE SET NULL (a) KEYS, FOREIGN KEY (t, b) REFERENCES p ON DELETE SET NULL (b) KEYS);
      INSERT INTO c VALUES (1, 1, 1, 2), (2, 1, 2, 1), (3, 1, 1, 1), (4, 2, 1, NULL)`,
      ['DELETE FROM p WHERE t = 1 AND id = 1', 'DELETE FROM p'],
    ));
});

test('47 a default that the parent has no more, or not yet, within the statement', () =>
  sameOn(ALL, child('p int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT KEYS'), async ({ client }) => [
    ...(await client.ask(query('DELETE FROM p WHERE id IN (0, 1)'))),
    ...(await client.ask(query('DELETE FROM p WHERE id = 0'))),
    ...(await client.ask(query('WITH n AS (INSERT INTO p VALUES (9)) DELETE FROM p WHERE id = 1'))),
  ]));
