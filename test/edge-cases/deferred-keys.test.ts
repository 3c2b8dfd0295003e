/** What deferred keys check: after all that is checked at once, and against what is left then. */
import { describe, test, vi } from 'vitest';
import { useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same } = useSides();

describe('54, 74 a deferred key', () => {
  const late = 'DEFERRABLE INITIALLY DEFERRED';
  const schema = (
    first: string,
    second: string,
  ) => `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2), (3), (4);
    CREATE TABLE top (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO top VALUES (1, 1), (2, 2), (3, 3);
    CREATE TABLE a (p int REFERENCES p ${first} KEYS, top int REFERENCES top ON DELETE CASCADE KEYS); CREATE TABLE b (p int REFERENCES p ${second} KEYS, top int REFERENCES top KEYS);
    INSERT INTO a VALUES (1, NULL), (2, 2); INSERT INTO b VALUES (1, NULL), (3, NULL)`;
  const texts = [
    'DELETE FROM p WHERE id = 1',
    'DELETE FROM p WHERE id = 3',
    'DELETE FROM p',
    'DELETE FROM p WHERE id = 2',
    'DELETE FROM p WHERE id = 4',
  ];
  test('is checked after immediate ones', () => same(schema(late, ''), ...texts));
  test('is checked after RESTRICT', () => same(schema(late, 'ON DELETE RESTRICT'), ...texts));
  test('has its turn among deferred ones', () => same(schema(late, late), ...texts));
  test('does not see rows that go at any depth', () =>
    same(
      `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
      CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO q VALUES (1, 1), (2, 2);
      CREATE TABLE r (p int REFERENCES p ${late} KEYS, q int REFERENCES q ON DELETE CASCADE KEYS); INSERT INTO r VALUES (1, 1), (2, NULL)`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
    ));
  test('that sets a default is checked late for the new key, and at once for the old one', () =>
    same(
      `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2), (3);
      CREATE TABLE a (id int, p int DEFAULT 9 REFERENCES p ON DELETE SET DEFAULT ${late} KEYS); CREATE TABLE b (p int DEFAULT 3 REFERENCES p ON DELETE SET DEFAULT ${late} KEYS);
      CREATE TABLE d (p int REFERENCES p KEYS); INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (2), (3); INSERT INTO d VALUES (1)`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM p WHERE id > 1',
      'DELETE FROM p',
      'DELETE FROM d; DELETE FROM p WHERE id = 1',
    ));
  test('with RESTRICT looks for rows at once, and for a new key after all others', () =>
    same(
      `CREATE TABLE p (a int, b int, id int PRIMARY KEY, UNIQUE (a, b)); INSERT INTO p VALUES (1, 1, 1), (2, 2, 2), (8, 8, 3), (3, 3, 4);
      CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1), (2), (3);
      CREATE TABLE c (a int DEFAULT 8, b int DEFAULT 8, FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE SET DEFAULT KEYS,
        FOREIGN KEY (a) REFERENCES r ON DELETE RESTRICT ${late} KEYS); INSERT INTO c VALUES (1, 1), (2, 2);
      CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p (id) ON DELETE CASCADE KEYS); INSERT INTO q VALUES (1, 2);
      CREATE TABLE d (q int REFERENCES q KEYS); INSERT INTO d VALUES (1)`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id < 3',
      'DELETE FROM p',
      'DELETE FROM r WHERE id = 1',
      'INSERT INTO r VALUES (8); DELETE FROM p WHERE id = 1; DELETE FROM r WHERE id = 8',
    ));
});
