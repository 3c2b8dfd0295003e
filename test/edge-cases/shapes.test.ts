/** The shapes that keys make: depth, trees, cycles, diamonds, several keys between two tables, very many rows. */
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

const TWO = (first: string, second: string, rows: string) => `CREATE TABLE p (id int PRIMARY KEY);
  CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES p ON DELETE ${first} KEYS, b int REFERENCES p ON DELETE ${second} KEYS);
  CREATE TABLE g (id int REFERENCES c ON DELETE CASCADE KEYS);
  INSERT INTO p SELECT generate_series(1, 4); INSERT INTO c VALUES ${rows}; INSERT INTO g SELECT id FROM c`;
const PAIRS = '(1, 1, 2), (2, 2, 1), (3, 1, 1), (4, 3, 4), (5, NULL, 1), (6, 1, NULL), (7, NULL, NULL)';
const DIAMOND = (...[left, right, a, b]: readonly string[]) => `CREATE TABLE p (id int PRIMARY KEY);
  CREATE TABLE l (id int PRIMARY KEY, p int REFERENCES p ON DELETE ${left} KEYS);
  CREATE TABLE r (id int PRIMARY KEY, p int REFERENCES p ON DELETE ${right} KEYS);
  CREATE TABLE d (id int PRIMARY KEY, l int REFERENCES l ON DELETE ${a} KEYS, r int REFERENCES r ON DELETE ${b} KEYS);
  INSERT INTO p VALUES (1), (2); INSERT INTO l VALUES (1, 1), (2, 2); INSERT INTO r VALUES (1, 1), (2, 2);
  INSERT INTO d VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2), (5, 1, NULL)`;
test.each([
  [
    '32 of two CASCADE keys to one parent either takes the row',
    TWO('CASCADE', 'CASCADE', PAIRS),
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p WHERE id = 2',
  ],
  [
    '33 of a CASCADE and a SET NULL key one takes the row, the other nulls it',
    TWO('CASCADE', 'SET NULL', PAIRS),
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p WHERE id = 4',
  ],
  [
    '33 so it is where SET NULL is the older',
    TWO('SET NULL', 'CASCADE', PAIRS),
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p WHERE id = 3',
  ],
  [
    '34 two SET NULL keys null both',
    TWO('SET NULL', 'SET NULL', PAIRS),
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p WHERE id > 2',
  ],
  [
    '35 of a diamond each row goes once',
    DIAMOND('CASCADE', 'CASCADE', 'CASCADE', 'CASCADE'),
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p RETURNING id',
  ],
  [
    '35 of a diamond with SET NULL on one side',
    DIAMOND('CASCADE', 'CASCADE', 'CASCADE', 'SET NULL'),
    'DELETE FROM p WHERE id = 1',
  ],
  [
    '36 a NO ACTION key across a diamond passes where both sides go',
    DIAMOND('CASCADE', 'CASCADE', 'CASCADE', 'NO ACTION'),
    'DELETE FROM d WHERE id = 3',
    'DELETE FROM p WHERE id = 1',
  ],
  [
    '36 and stops the DELETE where a row is left',
    DIAMOND('CASCADE', 'CASCADE', 'CASCADE', 'NO ACTION'),
    'DELETE FROM p WHERE id = 1',
  ],
  [
    '36 a RESTRICT key across a diamond',
    DIAMOND('CASCADE', 'CASCADE', 'CASCADE', 'RESTRICT'),
    'DELETE FROM d WHERE id = 3',
    'DELETE FROM p WHERE id = 1',
  ],
  [
    '36 and the older of the two',
    DIAMOND('CASCADE', 'CASCADE', 'RESTRICT', 'CASCADE'),
    'DELETE FROM d WHERE id = 2',
    'DELETE FROM p WHERE id = 1',
  ],
])('%s', (_, ...given) => run(given));

/** Siblings below one parent, and a key from one to the other. */
const SIBLING = (action: string, order: 'a first' | 'b first') => {
  const own = ['a', 'b'].map(
    (t) => `ALTER TABLE ${t} ADD CONSTRAINT ${t}_cascade FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS`,
  );
  if (order === 'b first') own.reverse();
  return `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, p int);
    CREATE TABLE b (id int PRIMARY KEY, p int, a int REFERENCES a ON DELETE ${action} KEYS); ${own.join(';')};
    INSERT INTO p VALUES (1), (2), (3); INSERT INTO a VALUES (1, 1), (2, 2), (3, 3); INSERT INTO b VALUES (1, 1, 1), (2, 2, 1), (3, 3, 3)`;
};
describe('36 a key between siblings, of which', () => {
  for (const action of ['NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL'])
    for (const order of ['a first', 'b first'] as const)
      test(`one references the other, by ${action}, ${order}`, () =>
        run([
          SIBLING(action, order),
          'DELETE FROM p WHERE id = 3',
          'DELETE FROM p WHERE id = 1',
          'DELETE FROM p WHERE id < 3',
        ]));
});

describe('37 NO ACTION and CASCADE on one row go as the order of their creation says:', () => {
  for (const [older, younger] of [
    ['NO ACTION', 'CASCADE'],
    ['CASCADE', 'NO ACTION'],
    ['RESTRICT', 'CASCADE'],
    ['CASCADE', 'RESTRICT'],
    ['NO ACTION', 'SET NULL'],
    ['SET NULL', 'RESTRICT'],
  ] as const)
    test(`${older}, then ${younger}`, () =>
      run([
        TWO(older, younger, '(1, 1, 1), (2, 2, 3), (3, NULL, 4)'),
        'DELETE FROM p WHERE id = 1',
        'DELETE FROM p WHERE id = 2',
        'DELETE FROM p WHERE id = 3',
        'DELETE FROM p',
      ]));
});

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
  for (const count of [1, 2, 3]) {
    test(`over ${count} tables ends, with all gone`, () =>
      run([
        CYCLE(count),
        'DELETE FROM a WHERE id = 1',
        'DELETE FROM a WHERE id = 2',
        'DELETE FROM a WHERE id = 4',
      ]));
    test(`over ${count} tables without a WHERE`, () => run([CYCLE(count), 'DELETE FROM a']));
  }
  for (const action of ['SET NULL', 'NO ACTION', 'RESTRICT'])
    test(`that ${action} closes`, () =>
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
});

const MANY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
  CREATE INDEX ON c (p); CREATE TABLE g (c int REFERENCES c ON DELETE CASCADE KEYS); CREATE INDEX ON g (c);
  INSERT INTO p SELECT generate_series(1, 70001); INSERT INTO c SELECT id, id FROM p; INSERT INTO g SELECT id FROM c;
  ANALYZE`;
test.each([
  ['39 keys of 70,000 rows below one statement', MANY, 'DELETE FROM p WHERE id <= 70000'],
  [
    '39 keys of 70,000 rows, and a rule for the last of them',
    `${MANY}; CREATE TABLE r (c int REFERENCES c KEYS); INSERT INTO r VALUES (70000)`,
    'DELETE FROM p',
  ],
])('%s', (_, ...given) => run(given));

function run([schema = '', ...texts]: readonly string[]): Promise<void> {
  return same(schema, ...texts);
}
