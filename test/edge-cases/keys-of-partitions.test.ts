/** A key of a partition beside one of the whole table: the first acts on rows of the partition alone, and the second on all. */
import { describe, test } from 'vitest';
import { tried, UNENFORCED, useSides } from './sides.js';

const TABLES = `CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
  CREATE TABLE p_low PARTITION OF p FOR VALUES FROM (MINVALUE) TO (10); CREATE TABLE p_high PARTITION OF p FOR VALUES FROM (10) TO (MAXVALUE);
  CREATE TABLE c (a int, b int, f int) PARTITION BY RANGE (a);
  CREATE TABLE c_low PARTITION OF c FOR VALUES FROM (MINVALUE) TO (10);
  CREATE TABLE c_high PARTITION OF c FOR VALUES FROM (10) TO (MAXVALUE) PARTITION BY RANGE (b);
  CREATE TABLE c_high_low PARTITION OF c_high FOR VALUES FROM (MINVALUE) TO (10);
  CREATE TABLE c_high_high PARTITION OF c_high FOR VALUES FROM (10) TO (MAXVALUE)`;
const ROWS = `INSERT INTO p VALUES (1), (2), (3), (11), (12), (13), (14);
  INSERT INTO c VALUES (1, 1, 11), (11, 1, 11), (11, 11, 12), (11, 1, 13), (11, 11, 13), (1, 1, 1), (11, 1, 14), (1, 11, 2)`;

const PARTS = [
  ['c_high', 'p'],
  ['c_high_high', 'p_high'],
].map(
  ([part, to]) =>
    `ALTER TABLE ${part} ADD CONSTRAINT part FOREIGN KEY (f) REFERENCES ${to} ON DELETE SET NULL KEYS`,
);
const WHOLES = ['NO ACTION', 'RESTRICT'].map(
  (action) => `ALTER TABLE c ADD CONSTRAINT whole FOREIGN KEY (f) REFERENCES p ON DELETE ${action} KEYS`,
);
const KEYS = PARTS.flatMap((part) =>
  WHOLES.flatMap((whole) => [[part, whole] as const, [whole, part] as const]),
);

describe.each(['single', 'ordered'] as const)('strategy: %s', (strategy) => {
  const { sameOn } = useSides({ cascade: { strategy } });

  test.each(KEYS)('%s; %s: what the one has changed, the other does not find', (first, second) =>
    sameOn(UNENFORCED, [TABLES, ROWS, first, second].join('; '), [
      ...tried(
        'DELETE FROM p WHERE id = 11',
        'DELETE FROM p WHERE id = 12',
        'DELETE FROM p WHERE id = 13',
        'DELETE FROM p_high WHERE id = 11',
        'DELETE FROM p_high WHERE id > 11',
        'DELETE FROM p WHERE id < 3',
        'DELETE FROM p WHERE id = 2',
        'DELETE FROM p',
      ),
      'DELETE FROM p WHERE id = 3',
    ]));
});
