/** ON UPDATE CASCADE, SET NULL and SET DEFAULT with cascade.guard: check do what enforced keys do. */
import { describe, test } from 'vitest';
import { bind, execute, parse, query, run, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE, big bigint UNIQUE);
  CREATE TABLE moved (id int PRIMARY KEY, a int UNIQUE CONSTRAINT moved_a_fkey REFERENCES a ON UPDATE CASCADE KEYS);
  CREATE TABLE nulled (id int PRIMARY KEY, a int CONSTRAINT nulled_a_fkey REFERENCES a ON UPDATE SET NULL KEYS);
  CREATE TABLE given (id int PRIMARY KEY, a int DEFAULT 3 CONSTRAINT given_a_fkey REFERENCES a ON UPDATE SET DEFAULT KEYS);
  CREATE TABLE below (id int PRIMARY KEY, m int CONSTRAINT below_m_fkey REFERENCES moved (a) ON UPDATE CASCADE KEYS,
    code text CONSTRAINT below_code_fkey REFERENCES a (code) ON UPDATE SET NULL KEYS);
  CREATE TABLE strict (m int CONSTRAINT strict_m_fkey REFERENCES moved (a) ON UPDATE RESTRICT KEYS);
  CREATE TABLE narrow (big int CONSTRAINT narrow_big_fkey REFERENCES a (big) ON UPDATE CASCADE KEYS);
  CREATE TABLE held (id int PRIMARY KEY, a int NOT NULL CHECK (a < 50) CONSTRAINT held_a_fkey REFERENCES a ON UPDATE SET NULL KEYS);
  CREATE TABLE tree (id int PRIMARY KEY, up int CONSTRAINT tree_up_fkey REFERENCES tree ON UPDATE CASCADE KEYS);
  CREATE TABLE other (id int PRIMARY KEY);
  CREATE TABLE twice (id int CONSTRAINT twice_a_fkey REFERENCES a ON UPDATE CASCADE KEYS);
  ALTER TABLE twice ADD CONSTRAINT twice_other_fkey FOREIGN KEY (id) REFERENCES other KEYS;
  CREATE TABLE pairs (x int, y int, PRIMARY KEY (x, y));
  CREATE TABLE simple (id int, x int, y int, CONSTRAINT simple_fkey FOREIGN KEY (x, y) REFERENCES pairs ON UPDATE CASCADE KEYS);
  CREATE TABLE "Full" (id int, x int, y int, CONSTRAINT "Full_fkey" FOREIGN KEY (x, y) REFERENCES pairs MATCH FULL ON UPDATE SET NULL KEYS);
  CREATE TABLE parts (id int, a int CONSTRAINT parts_a_fkey REFERENCES a ON UPDATE CASCADE KEYS) PARTITION BY RANGE (a);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (100);`;
const ROWS = `
  TRUNCATE a, moved, nulled, given, below, strict, narrow, held, tree, other, twice, pairs, simple, "Full", parts;
  INSERT INTO a VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3), (4, 'v', 4), (5, 'w', 5), (6, 'u', 6), (7, 't', 7);
  INSERT INTO moved VALUES (1, 1), (2, 2), (4, 4);
  INSERT INTO nulled VALUES (1, 1), (2, 1), (3, 2), (4, NULL);
  INSERT INTO given VALUES (1, 1), (2, 2), (3, 3);
  INSERT INTO below VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, NULL);
  INSERT INTO strict VALUES (4);
  INSERT INTO narrow VALUES (1);
  INSERT INTO held VALUES (1, 5);
  INSERT INTO tree VALUES (1, 1), (2, 1), (3, 2);
  INSERT INTO other VALUES (6), (66);
  INSERT INTO twice VALUES (6);
  INSERT INTO pairs VALUES (1, 1), (2, 2);
  INSERT INTO simple VALUES (1, 1, 1), (2, NULL, 1), (3, 2, 2); INSERT INTO "Full" VALUES (1, 1, 1), (2, NULL, NULL);
  INSERT INTO parts VALUES (1, 7), (2, 7), (3, 1);`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

describe('a simple query', () => {
  test.each([
    'UPDATE a SET id = 10 WHERE id = 1',
    'UPDATE a SET id = 10 WHERE id = 1 RETURNING id, old.id',
    'UPDATE a SET id = 20 WHERE id = 2',
    'UPDATE a SET id = 30 WHERE id = 3',
    'UPDATE a SET id = 40 WHERE id = 4',
    'UPDATE a SET id = 50 WHERE id = 5',
    'UPDATE a SET id = 66 WHERE id = 6',
    'UPDATE a SET id = 60 WHERE id = 6',
    'UPDATE a SET id = 70 WHERE id = 7',
    'UPDATE a SET id = 700 WHERE id = 7',
    'UPDATE a SET id = id + 10 WHERE id < 3',
    "UPDATE a SET code = code || '!'",
    'UPDATE a SET code = NULL',
    'UPDATE a SET big = 100 WHERE id = 1',
    'UPDATE a SET big = 10000000000 WHERE id = 1',
    'UPDATE a SET big = NULL WHERE id = 1',
    "UPDATE a SET id = 10, code = 'xx', big = 11 WHERE id = 1",
    'INSERT INTO a VALUES (1), (8) ON CONFLICT (id) DO UPDATE SET id = 10 RETURNING id',
    'MERGE INTO a USING (VALUES (1, 11), (2, 12), (9, 9)) AS s (id, n) ON a.id = s.id WHEN MATCHED THEN UPDATE SET id = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id)',
    'UPDATE a SET id = 1 WHERE id = 1',
    'UPDATE moved SET a = 7 WHERE id = 1',
    'UPDATE tree SET id = id + 10',
    'UPDATE tree SET id = 5 WHERE id = 1',
    'UPDATE tree SET id = 9 - id',
    'UPDATE pairs SET x = 10',
    'UPDATE pairs SET y = 5 WHERE x = 1 RETURNING *',
    'UPDATE pairs SET y = y',
  ])('%s', async (text) => {
    await twin.queries(text);
  });

  test('in a transaction, and of several statements', () =>
    twin.queries(
      'BEGIN; UPDATE a SET id = 10 WHERE id = 1',
      'UPDATE a SET id = 11 WHERE id = 10; SELECT * FROM moved ORDER BY id; UPDATE a SET id = 12 WHERE id = 11 RETURNING id',
      'SAVEPOINT s; UPDATE a SET id = 40 WHERE id = 4',
      'ROLLBACK TO s; UPDATE a SET id = 50 WHERE id = 7',
      'SELECT * FROM below ORDER BY id',
      'COMMIT',
      'UPDATE a SET id = 13 WHERE id = 12; ROLLBACK; SELECT 1',
      "SET search_path = public; UPDATE a SET code = 'q' WHERE id = 2 RETURNING code; UPDATE a SET id = 22 WHERE id = 2",
    ));

  test('of two rows whose keys change places is what it is natively', () =>
    twin.queries(
      'UPDATE a SET id = id - 1 WHERE id IN (2, 3, 4, 5)',
      'UPDATE a SET id = id + 1 WHERE id < 3',
    ));
});

test('the extended protocol', () =>
  twin.asNative((client) =>
    client.ask(
      parse('UPDATE a SET id = $1 WHERE id = $2 RETURNING id'),
      bind({ values: ['10', '1'] }),
      execute(),
      run('UPDATE a SET id = $1 WHERE id = $2', ['20', '2']),
      run('UPDATE a SET id = $1 WHERE id = $2', ['40', '4']),
      run('UPDATE a SET id = $1 WHERE id = $2', ['70', '7']),
      sync,
      query('SELECT * FROM moved ORDER BY id'),
    ),
  ));

test('what SQL prepares', () =>
  twin.queries('PREPARE u AS UPDATE a SET id = $1 WHERE id = $2', 'EXECUTE u (10, 1)', 'EXECUTE u (40, 4)'));
