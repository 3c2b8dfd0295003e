/** The shapes that keys make: several keys between two tables, diamonds, siblings. */
import { describe, test, vi } from 'vitest';
import { useSides } from './sides.js';

vi.setConfig({ testTimeout: 60_000 });
const { same } = useSides();

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
  test.each(
    ['NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL'].flatMap((action) =>
      (['a first', 'b first'] as const).map((order) => [action, order] as const),
    ),
  )('one references the other, by %s, %s', (action, order) =>
    run([
      SIBLING(action, order),
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id < 3',
    ]));
});

describe('37 NO ACTION and CASCADE on one row go as the order of their creation says:', () => {
  test.each([
    ['NO ACTION', 'CASCADE'],
    ['CASCADE', 'NO ACTION'],
    ['RESTRICT', 'CASCADE'],
    ['CASCADE', 'RESTRICT'],
    ['NO ACTION', 'SET NULL'],
    ['SET NULL', 'RESTRICT'],
  ])('%s, then %s', (older, younger) =>
    run([
      TWO(older, younger, '(1, 1, 1), (2, 2, 3), (3, NULL, 4)'),
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM p',
    ]));
});

function run([schema = '', ...texts]: readonly string[]): Promise<void> {
  return same(schema, ...texts);
}
