/** Keys that lead back to where they came from, and long ways down. */
import { describe, test, vi } from 'vitest';
import { useSides } from './sides.js';

vi.setConfig({ testTimeout: 60_000 });
const { same } = useSides();

const TREE = `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS);
  CREATE TABLE leaf (id int, t_id int REFERENCES t ON DELETE CASCADE KEYS);
  INSERT INTO t SELECT i, CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, 31) i;
  INSERT INTO leaf SELECT i, i FROM generate_series(1, 31) i`;
const CHAIN = `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS);
  CREATE INDEX ON t (up); INSERT INTO t SELECT i, nullif(i - 1, 0) FROM generate_series(1, 5000) i`;
const tables = Array.from({ length: 20 }, (_, i) => i);
const DEEP = `${tables
  .map(
    (i) =>
      `CREATE TABLE t${i} (id int PRIMARY KEY${i === 0 ? '' : `, up int REFERENCES t${i - 1} ON DELETE CASCADE KEYS`})`,
  )
  .join(';')}; INSERT INTO t0 SELECT generate_series(1, 3);
  ${tables
    .slice(1)
    .map((i) => `INSERT INTO t${i} SELECT id, id FROM t0`)
    .join(';')}`;

describe('5 any depth:', () => {
  test.each([
    ['a chain of 5,000 rows over one self-reference', CHAIN, 'DELETE FROM t WHERE id = 1'],
    ['the end of such a chain', CHAIN, 'DELETE FROM t WHERE id > 2500 RETURNING id'],
    ['twenty tables', DEEP, 'DELETE FROM t0 WHERE id = 2', 'DELETE FROM t7 WHERE id = 1'],
    [
      'a chain with a rule at its end',
      `${CHAIN}; CREATE TABLE r (t int REFERENCES t ON DELETE RESTRICT KEYS); INSERT INTO r VALUES (4900), (4000)`,
      'DELETE FROM t WHERE id = 1',
      'DELETE FROM t WHERE id = 4901',
    ],
    [
      'twenty tables, and a rule at their end',
      `${DEEP}; CREATE TABLE r (id int REFERENCES t19 KEYS); INSERT INTO r VALUES (2)`,
      'DELETE FROM t0 WHERE id <> 2',
      'DELETE FROM t0',
    ],
  ])('%s', (_, ...given) => run(given));
});

test.each([
  [
    '22 of a tree the whole subtree goes, and the tag counts the rows matched alone',
    TREE,
    'DELETE FROM t WHERE id = 3 RETURNING *',
    'DELETE FROM t WHERE id IN (4, 8, 16, 10)',
    'DELETE FROM t',
  ],
  ['22 rows matched that are below other rows matched count', TREE, 'DELETE FROM t WHERE id >= 5'],
  [
    '22 SET NULL over a self-reference cuts the tree',
    TREE.replace('CASCADE', 'SET NULL'),
    'DELETE FROM t WHERE id IN (2, 4, 6)',
  ],
  [
    '22 NO ACTION over a self-reference passes where the subtree goes at once',
    TREE.replace('CASCADE', 'NO ACTION'),
    'DELETE FROM t WHERE id > 15',
    'DELETE FROM t WHERE id IN (2, 4, 5)',
    'DELETE FROM t',
  ],
  [
    '22 RESTRICT over a self-reference does not',
    TREE.replace('CASCADE', 'RESTRICT'),
    'DELETE FROM t WHERE id > 15',
    'DELETE FROM t',
  ],
  [
    '22 a rule below a tree',
    `${TREE}; CREATE TABLE r (id int REFERENCES t KEYS); INSERT INTO r VALUES (25)`,
    'DELETE FROM t WHERE id = 2',
    'DELETE FROM t WHERE id = 3',
    'DELETE FROM t WHERE id = 6',
  ],
  [
    '23 a row that references itself ends',
    `${CHAIN}; INSERT INTO t VALUES (6001, 6001), (6002, 6001)`,
    'DELETE FROM t WHERE id = 6001',
  ],
  [
    '23 so does one under NO ACTION or SET NULL',
    `CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n KEYS);
     CREATE TABLE z (id int PRIMARY KEY, up int REFERENCES z ON DELETE SET NULL KEYS);
     CREATE TABLE r (id int PRIMARY KEY, up int REFERENCES r ON DELETE RESTRICT KEYS);
     INSERT INTO n VALUES (1, 1), (2, 2); INSERT INTO z VALUES (1, 1), (2, 1); INSERT INTO r VALUES (1, 1)`,
    'DELETE FROM n WHERE id = 1',
    'DELETE FROM z WHERE id = 1',
    'DELETE FROM r',
  ],
])('%s', (_, ...given) => run(given));

const CYCLE = (count: number, closing = 'CASCADE') => {
  const names = ['a', 'b', 'c'].slice(0, count);
  const key = (i: number) =>
    `REFERENCES ${names[(i + 1) % count]} ON DELETE ${i === 0 ? closing : 'CASCADE'} KEYS`;
  return [
    ...names.map((t) => `CREATE TABLE ${t} (id int PRIMARY KEY, r int)`),
    ...names.map((t) => `INSERT INTO ${t} VALUES (1, 1), (2, 3), (3, 2), (4, NULL), (5, 4), (6, 5)`),
    ...names.map((t, i) => `ALTER TABLE ${t} ADD FOREIGN KEY (r) ${key(i)}`),
  ].join(';');
};
describe('38 a cycle', () => {
  test.each([1, 2, 3])('over %i tables ends, with all gone', (count) =>
    run([
      CYCLE(count),
      'DELETE FROM a WHERE id = 1',
      'DELETE FROM a WHERE id = 2',
      'DELETE FROM a WHERE id = 4',
    ]));
  test.each([1, 2, 3])('over %i tables without a WHERE', (count) => run([CYCLE(count), 'DELETE FROM a']));
  test.each(['SET NULL', 'NO ACTION', 'RESTRICT'])('that a %s key closes', (action) =>
    run([
      CYCLE(3, action),
      'DELETE FROM b WHERE id = 4',
      'DELETE FROM b WHERE id = 1',
      'DELETE FROM a WHERE id = 2',
      'DELETE FROM c',
    ]));
  test('with a rule on its way', () =>
    run([
      `${CYCLE(2)}; CREATE TABLE r (id int REFERENCES b KEYS); INSERT INTO r VALUES (3)`,
      'DELETE FROM a WHERE id = 2',
      'DELETE FROM a WHERE id = 1',
    ]));
  test('that is entered over another table', () =>
    run([
      `${CYCLE(2)}; CREATE TABLE top (id int PRIMARY KEY); ALTER TABLE b ADD t int DEFAULT 1; INSERT INTO top VALUES (1), (2);
      ALTER TABLE b ADD FOREIGN KEY (t) REFERENCES top ON DELETE CASCADE KEYS; UPDATE b SET t = 2 WHERE id = 2`,
      'DELETE FROM top WHERE id = 2',
      'DELETE FROM top',
    ]));
  test('of two keys between the same tables', () =>
    run([
      `CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES t ON DELETE CASCADE KEYS, b int REFERENCES t ON DELETE CASCADE KEYS);
      INSERT INTO t VALUES (1, NULL, 5), (2, 1, NULL), (3, 2, 1), (4, NULL, 3), (5, 4, 5), (6, 5, NULL), (7, NULL, 7), (8, NULL, NULL)`,
      'DELETE FROM t WHERE id = 4',
      'DELETE FROM t WHERE id = 7',
    ]));

  const PAIRS = (closing: string) => `CREATE TABLE a (x int, y int, bx int, by int, PRIMARY KEY (x, y));
    CREATE TABLE b (x int, y int, ax int, ay int, UNIQUE (x, y));
    INSERT INTO a VALUES (1, 1, 1, 1), (1, 2, 2, 2), (2, 2, 1, 2), (3, 3, NULL, 3);
    INSERT INTO b VALUES (1, 1, 1, 2), (2, 2, 2, 2), (1, 2, 3, 3), (3, 3, 3, NULL);
    ALTER TABLE a ADD FOREIGN KEY (bx, by) REFERENCES b (x, y) ON DELETE CASCADE KEYS;
    ALTER TABLE b ADD FOREIGN KEY (ax, ay) REFERENCES a ON DELETE ${closing} KEYS`;
  test.each(['CASCADE', 'SET NULL', 'NO ACTION'])('of keys of two columns, that %s closes', (closing) =>
    run([
      PAIRS(closing),
      'DELETE FROM a WHERE x = 3',
      'DELETE FROM b WHERE x = 2',
      'DELETE FROM b',
      'DELETE FROM a',
    ]));

  const PARTITIONED = `CREATE TABLE a (id int PRIMARY KEY, r int) PARTITION BY LIST (id);
    CREATE TABLE a1 PARTITION OF a FOR VALUES IN (1, 2); CREATE TABLE a2 PARTITION OF a DEFAULT;
    CREATE TABLE b (id int PRIMARY KEY, r int) PARTITION BY HASH (id); CREATE TABLE b1 PARTITION OF b FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO a VALUES (1, 2), (2, 3), (3, NULL), (4, 4); INSERT INTO b VALUES (1, 1), (2, 4), (3, 2), (4, 4);
    ALTER TABLE a ADD FOREIGN KEY (r) REFERENCES b ON DELETE CASCADE KEYS; ALTER TABLE b ADD FOREIGN KEY (r) REFERENCES a ON DELETE CASCADE KEYS`;
  test.each([
    'DELETE FROM a1 WHERE id = 1',
    'DELETE FROM b1 WHERE id = 2',
    'DELETE FROM a2',
    'DELETE FROM a',
  ])('over partitioned tables: %s', (sql) => run([PARTITIONED, sql]));

  test('that several DELETEs of one statement enter', () =>
    run([
      PAIRS('CASCADE'),
      'WITH d AS (DELETE FROM a WHERE x = 3 RETURNING *), e AS (DELETE FROM b WHERE x = 3 RETURNING *) SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM e)',
      'MERGE INTO a USING b ON b.x = a.x WHEN MATCHED AND a.x = 2 THEN DELETE',
    ]));

  test('over a table that others inherit from', () =>
    run([
      `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS); CREATE TABLE d (extra int) INHERITS (t);
      INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2); INSERT INTO d VALUES (4, 1), (1, 2), (5, NULL)`,
      'DELETE FROM d WHERE id = 1',
      'DELETE FROM t WHERE id = 4',
      'DELETE FROM t WHERE id = 1',
    ]));
});

function run([schema = '', ...texts]: readonly string[]): Promise<void> {
  return same(schema, ...texts);
}
