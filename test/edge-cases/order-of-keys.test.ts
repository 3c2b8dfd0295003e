/** Keys that act on one row: the order in which PostgreSQL fires them decides what becomes of it. */

import { describe, expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { ALL, type Side, tried, UNENFORCED, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn, on } = useSides();

/** Two keys in both orders. */
const inBothOrders = (one: string, other: string) => [
  ['first', `${one}, ${other}`] as const,
  ['second', `${other}, ${one}`] as const,
];

const PAIRS = `CREATE TABLE p (a int, b int, id int PRIMARY KEY, UNIQUE (a, b), UNIQUE (a, id), UNIQUE (b)); 
  INSERT INTO p VALUES (1, 11, 1), (1, 12, 2), (2, 21, 3), (2, 22, 4), (3, 31, 5);`;

describe('37 SET NULL (a) beside a key of (t, a) to the same table, made', () => {
  const nulls = 'FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL KEYS';
  const cases = ['NO ACTION', 'RESTRICT', 'SET NULL', 'CASCADE'].flatMap((action) =>
    inBothOrders(nulls, `FOREIGN KEY (t, a) REFERENCES p (a, id) ON DELETE ${action} KEYS`)
      // An older SET NULL key that takes a row out of the reach of CASCADE is refused.
      .filter(([when]) => action !== 'CASCADE' || when !== 'first')
      .map(([when, keys]) => [when, action, keys] as const),
  );
  test.each(cases)('%s, %s: the older one has its way', (_, __, keys) =>
    same(
      `${PAIRS} CREATE TABLE c (t int, a int, ${keys}); INSERT INTO c VALUES (1, 1), (NULL, 2), (2, 3), (NULL, 5)`,
      ...tried(
        'DELETE FROM p WHERE id = 1',
        'DELETE FROM p WHERE id = 2',
        'DELETE FROM p WHERE a = 3',
        'DELETE FROM p WHERE id > 1',
        'DELETE FROM p',
      ),
      'DELETE FROM p WHERE id = 4 RETURNING id',
      'DELETE FROM p WHERE id = 1',
    ));
});

test.each(
  inBothOrders(
    'FOREIGN KEY (x) REFERENCES p (b) ON DELETE SET NULL KEYS',
    'FOREIGN KEY (x, y) REFERENCES q ON DELETE SET NULL KEYS',
  ),
)('37 SET NULL (a) made %s beside SET NULL (a, b) to another table: whose parent goes first decides', (_, keys) =>
  same(
    `CREATE TABLE top (id int PRIMARY KEY); INSERT INTO top VALUES (1), (2), (3);
      CREATE TABLE p (b int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1, 1), (2, 2), (3, NULL);
      CREATE TABLE q (b int, y int, top int REFERENCES top ON DELETE CASCADE KEYS, p int REFERENCES p ON DELETE CASCADE KEYS, PRIMARY KEY (b, y));
      INSERT INTO q VALUES (1, 1, 1, NULL), (2, 2, NULL, 2), (3, 3, 3, NULL), (1, 5, 2, NULL);
      CREATE TABLE c (x int, y int, ${keys}); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3), (1, 5), (2, NULL)`,
    ...tried(
      'DELETE FROM top',
      'DELETE FROM p',
      'DELETE FROM top WHERE id = 1',
      'DELETE FROM top WHERE id = 2',
    ),
    'DELETE FROM top WHERE id IN (1, 2)',
  ));

test('37 three SET NULL keys of which each uses a column of the next: what cannot be told is refused, and only that', async () => {
  const schema = `CREATE TABLE p (x int, y int, z int, PRIMARY KEY (x), UNIQUE (x, y), UNIQUE (y, z)); INSERT INTO p VALUES (1, 1, 1), (2, 2, 2);
    CREATE TABLE c (x int, y int, z int, FOREIGN KEY (x) REFERENCES p (x) ON DELETE SET NULL KEYS, FOREIGN KEY (x, y) REFERENCES p (x, y) ON DELETE SET NULL KEYS,
      FOREIGN KEY (y, z) REFERENCES p (y, z) ON DELETE SET NULL KEYS); INSERT INTO c VALUES (1, NULL, NULL), (2, 2, 2)`;
  await same(schema, 'DELETE FROM p WHERE x = 1');
  const { client } = await on('emulated', schema);
  expect((await client.told(query('DELETE FROM p WHERE x = 2')))[0]).toMatch(/C=0A000 .*PGC_OVERLAP/);
  expect((await client.told(query('SELECT count(*) FROM p')))[1]).toBe('D 2');
});

describe('37 a key that is changed in part under MATCH FULL', () => {
  const full = (action: string, defaults = '') =>
    `${PAIRS} CREATE TABLE c (a int ${defaults}, b int ${defaults}, n int, FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL ON DELETE ${action} KEYS);
    INSERT INTO c VALUES (1, 11, 1), (2, 21, 2), (NULL, NULL, 3)`;
  const texts = [
    ...tried('DELETE FROM p WHERE id = 1', 'DELETE FROM p WHERE id = 2', 'DELETE FROM p'),
    'DELETE FROM p WHERE id = 4',
  ];
  test.each([
    ['SET NULL', ''],
    ['SET DEFAULT', ''],
    ['SET DEFAULT', 'DEFAULT 31'],
  ])('by %s %s', (action, defaults) => same(full(action, defaults), ...texts));
  test.each([
    ['SET NULL (b)', ''],
    ['SET DEFAULT (b)', ''],
    ['SET DEFAULT (b)', 'DEFAULT 12'],
  ])('by %s %s', (action, defaults) => sameOn(UNENFORCED, full(action, defaults), texts));
  test('by SET DEFAULT of one column alone', () =>
    same(full('SET DEFAULT').replace('b int', 'b int DEFAULT 22'), ...texts));
  test('by another key', () =>
    same(
      `${PAIRS} CREATE TABLE c (a int, b int, FOREIGN KEY (b) REFERENCES p (b) ON DELETE SET NULL KEYS, FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL KEYS);
      INSERT INTO c VALUES (1, 11)`,
      ...texts,
    ));
});

test('37 SET DEFAULT of a column that another key uses too: that key is checked', () =>
  same(
    `CREATE TABLE q (x int, y int, PRIMARY KEY (x, y)); INSERT INTO q VALUES (1, 1), (0, 1), (2, 2), (3, 3);
    CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (0), (1), (2), (3);
    CREATE TABLE c (x int DEFAULT 0, y int, FOREIGN KEY (x) REFERENCES p ON DELETE SET DEFAULT KEYS, FOREIGN KEY (x, y) REFERENCES q KEYS);
    INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL)`,
    ...tried(
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM p',
    ),
  ));

test('37 SET NULL and SET DEFAULT of one column set each the rows that they alone reference', () =>
  same(
    `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2); CREATE TABLE q (id int PRIMARY KEY); INSERT INTO q VALUES (1), (2);
    CREATE TABLE c (x int DEFAULT 2, FOREIGN KEY (x) REFERENCES p ON DELETE SET DEFAULT KEYS, FOREIGN KEY (x) REFERENCES q ON DELETE SET NULL KEYS);
    INSERT INTO c VALUES (1)`,
    ...tried('DELETE FROM p WHERE id = 1', 'DELETE FROM q WHERE id = 1', 'DELETE FROM p', 'DELETE FROM q'),
  ));

describe('37 SET NULL of a column that is referenced', () => {
  const schema = (update: string) => `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2), (3);
    CREATE TABLE c (id int, p int UNIQUE REFERENCES p ON DELETE SET NULL KEYS); INSERT INTO c VALUES (1, 1), (2, 2), (3, NULL);
    CREATE TABLE g (c int, CONSTRAINT up_no_action FOREIGN KEY (c) REFERENCES c (p) ON UPDATE ${update}`;
  const rows = 'INSERT INTO g VALUES (2), (NULL)';
  const updates = ['CASCADE', 'NO ACTION', 'SET NULL'];
  const made = ({ ddl }: Side, update: string, enforced: boolean) =>
    `${ddl(schema(update))}${enforced ? '' : ' NOT ENFORCED'}); ${rows}`;
  test.each(updates)('by an ON UPDATE %s key goes where no row references it', (update) =>
    sameOn(UNENFORCED, '', (side) =>
      askAll(side.client, [
        made(side, update, side.kind === 'native'),
        'DELETE FROM p WHERE id = 1',
        'DELETE FROM p WHERE id = 3',
      ]),
    ));
  test.each(updates)('by an ON UPDATE %s key that the server enforces is the server’s', (update) =>
    sameOn(ALL, '', (side) => askAll(side.client, [made(side, update, true), 'DELETE FROM p WHERE id = 2'])));
  test('is refused where a row does', async () => {
    const { client } = await on('emulated', `${schema('CASCADE')} NOT ENFORCED); ${rows}`);
    const answer = await client.told(query('DELETE FROM p WHERE id = 2'));
    expect(answer[0]).toMatch(/C=0A000 .*PGC_REFERENCED_SET.*k1_set_null.*up_no_action/);
    expect((await client.told(query('SELECT count(*) FROM p')))[1]).toBe('D 3');
  });
});

describe('37 keys of a table and of its partition', () => {
  const schema = `${PAIRS} CREATE TABLE c (id int, x int REFERENCES p ON DELETE SET NULL KEYS, y int) PARTITION BY LIST (id);
    CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c DEFAULT; ALTER TABLE c1 ADD FOREIGN KEY (y) REFERENCES p ON DELETE SET NULL KEYS;
    INSERT INTO c VALUES (1, 1, 2), (1, 3, NULL), (2, 1, 2), (1, NULL, 4)`;
  test('set each their rows', () =>
    same(
      schema,
      ...tried('DELETE FROM p WHERE id = 1', 'DELETE FROM p WHERE id > 2', 'DELETE FROM p WHERE id = 2'),
    ));
  test('are refused where both set one row', async () => {
    const { client } = await on('emulated', schema);
    expect((await client.told(query('DELETE FROM p WHERE id < 3')))[0]).toMatch(/C=0A000 .*PGC_OVERLAP/);
    expect((await client.told(query('SELECT count(x) + count(y) FROM c')))[1]).toBe('D 6');
  });
});

describe('37, 73 a row that an older key changes and a younger one deletes', () => {
  const mixed = (first: string, second = 'f1 int REFERENCES t1 ON DELETE CASCADE KEYS') =>
    `CREATE TABLE t0 (id int PRIMARY KEY); INSERT INTO t0 SELECT generate_series(0, 9);
    CREATE TABLE t1 (id int PRIMARY KEY, f int REFERENCES t0 ON DELETE CASCADE KEYS); INSERT INTO t1 SELECT i, i FROM generate_series(0, 9) AS i;
    CREATE TABLE c (id int, ${first}, ${second}, x varchar(4) DEFAULT 'x');
    INSERT INTO c VALUES (1, 1, 1), (2, 2, 3), (3, 3, 2), (4, NULL, 4), (5, 5, 5), (6, 6, NULL);`;
  const texts = [
    ...tried(
      'DELETE FROM t0 WHERE id = 1',
      'DELETE FROM t0 WHERE id IN (1, 5)',
      'DELETE FROM t0 WHERE id IN (2, 3)',
      'DELETE FROM t0 WHERE id IN (3, 5)',
      'DELETE FROM t0 WHERE id IN (4, 5)',
      'DELETE FROM t0 WHERE id = 5',
      'DELETE FROM t0 WHERE id IN (1, 6)',
      'DELETE FROM t0',
    ),
    'DELETE FROM t0 WHERE id = 1',
  ];
  const defaulted = (value: string, type = 'int') =>
    `f0 ${type} DEFAULT ${value} REFERENCES t0 ON DELETE SET DEFAULT KEYS`;
  test.each([
    ['is judged by its default', defaulted('5')],
    ['by a default that nobody has', defaulted('99')],
    ['by a negative one', defaulted('-1')],
    ['by one of another type', defaulted('5', 'bigint')],
    ['by none', 'f0 int REFERENCES t0 ON DELETE SET DEFAULT KEYS'],
    [
      'by one that is checked later',
      defaulted('5').replace('DEFAULT KEYS', 'DEFAULT DEFERRABLE INITIALLY DEFERRED KEYS'),
    ],
    ['by a NOT NULL column', 'f0 int NOT NULL DEFAULT 5 REFERENCES t0 ON DELETE SET DEFAULT KEYS'],
  ])('%s', (_, first) => same(mixed(first).replace('(4, NULL, 4)', '(4, 4, 4)'), ...texts));

  test('goes where the order of the keys is the other', () =>
    same(
      mixed('f1 int REFERENCES t1 ON DELETE CASCADE KEYS', defaulted('5')).replace('c (id, ', 'c (id, '),
      'DELETE FROM t0 WHERE id IN (3, 5)',
    ));

  test('is checked at once where the younger key’s parent goes later', () =>
    same(
      `CREATE TABLE t0 (id int PRIMARY KEY); INSERT INTO t0 VALUES (1), (2);
      CREATE TABLE t1 (id int PRIMARY KEY, f int REFERENCES t0 ON DELETE CASCADE KEYS); INSERT INTO t1 VALUES (1, 1);
      CREATE TABLE t2 (id int PRIMARY KEY, f int REFERENCES t1 ON DELETE CASCADE KEYS); INSERT INTO t2 VALUES (1, 1);
      CREATE TABLE c (f0 int DEFAULT 9 REFERENCES t0 ON DELETE SET DEFAULT KEYS, f1 int REFERENCES t2 ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1, 1)`,
      'DELETE FROM t0 WHERE id = 2',
      'DELETE FROM t0 WHERE id = 1',
    ));

  test('of two columns is judged by the list, too', () =>
    sameOn(
      UNENFORCED,
      `CREATE TABLE t0 (a int, b varchar(5), PRIMARY KEY (a, b)); INSERT INTO t0 VALUES (1, 'x'), (1, 'y'), (2, 'x');
      CREATE TABLE t1 (id int PRIMARY KEY, a int, b varchar(5), FOREIGN KEY (a, b) REFERENCES t0 ON DELETE CASCADE KEYS); INSERT INTO t1 VALUES (1, 1, 'x'), (2, 2, 'x');
      CREATE TABLE c (a int, b varchar(5) DEFAULT 'y', f1 int, FOREIGN KEY (a, b) REFERENCES t0 ON DELETE SET DEFAULT (b) KEYS, FOREIGN KEY (f1) REFERENCES t1 ON DELETE CASCADE KEYS);
      INSERT INTO c VALUES (1, 'x', 1), (2, 'x', 2)`,
      tried(
        "DELETE FROM t0 WHERE a = 1 AND b = 'x'",
        'DELETE FROM t0 WHERE a = 1',
        'DELETE FROM t0 WHERE a = 2',
      ),
    ));

  test.each([
    ['SET NULL', 'f0 int NOT NULL REFERENCES t0 ON DELETE SET NULL KEYS'],
    ['SET DEFAULT without a default', 'f0 int NOT NULL REFERENCES t0 ON DELETE SET DEFAULT KEYS'],
  ])('fails where %s meets a NOT NULL column', (_, first) =>
    same(
      `${mixed(first).replace('(4, NULL, 4)', '(4, 4, 4)')} UPDATE c SET x = NULL WHERE id = 2; UPDATE c SET x = 'y z' WHERE id = 3`,
      ...tried(
        'DELETE FROM t0 WHERE id = 1',
        'DELETE FROM t0 WHERE id = 2',
        'DELETE FROM t0 WHERE id = 3',
        'DELETE FROM t1',
      ),
    ));

  test('with a default that is not constant is refused', async () => {
    const { client } = await on('emulated', mixed(defaulted('abs(-5)')));
    expect((await client.told(query('DELETE FROM t0 WHERE id = 1')))[0]).toMatch(
      /C=0A000 .*PGC_OVERLAP.*k2_set_default.*k3_cascade/,
    );
    expect((await client.told(query('DELETE FROM t0 WHERE id = 6')))[0]).toBe('C DELETE 1');
  });

  test('is still there for a key that is checked in between', () =>
    same(
      `CREATE TABLE t0 (id int PRIMARY KEY); INSERT INTO t0 VALUES (1), (2);
      CREATE TABLE t1 (id int PRIMARY KEY, f int REFERENCES t0 ON DELETE CASCADE KEYS); INSERT INTO t1 VALUES (1, 1);
      CREATE TABLE c (f0 int UNIQUE REFERENCES t0 ON DELETE SET NULL KEYS, f1 int REFERENCES t1 ON DELETE CASCADE KEYS); INSERT INTO c VALUES (1, 1), (2, NULL);
      CREATE TABLE d (f int REFERENCES c (f0) ON DELETE CASCADE KEYS)`,
      'DELETE FROM t0',
    ));
});
