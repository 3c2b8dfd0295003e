/** `cascade.strategy: ordered`: what only one statement can carry out is answered and left as by enforced keys. */
import { describe, test } from 'vitest';
import { asNativeOn } from '../session/as-native.js';
import { useTwin } from '../session/twin.js';

const twin = useTwin({ cascade: { strategy: 'ordered' }, graph: { refresh: '0s' } });
const native = asNativeOn(twin);

describe('what only one statement can carry out is answered as natively', () => {
  test.each([
    ['a WITH that deletes', 'WITH d AS (DELETE FROM orgs WHERE id < 3 RETURNING id) SELECT count(*) FROM d'],
    [
      'a WITH that is broken by a rule',
      'WITH d AS (DELETE FROM orgs WHERE id = 5 RETURNING id) SELECT count(*) FROM d',
    ],
    [
      'two DELETEs',
      'WITH d AS (DELETE FROM users WHERE id = 11 RETURNING id) DELETE FROM orgs WHERE id = (SELECT 2 FROM d)',
    ],
    [
      'MERGE',
      'MERGE INTO orgs USING (VALUES (1), (2)) AS v (id) ON orgs.id = v.id WHEN MATCHED THEN DELETE RETURNING v.id',
    ],
    [
      'USING and RETURNING',
      'DELETE FROM orgs USING users WHERE users.org_id = orgs.id AND orgs.id < 3 RETURNING orgs.id',
    ],
    ['OLD and NEW', 'DELETE FROM orgs WHERE id = 1 RETURNING old.id, new.id'],
    ['COPY', 'COPY (DELETE FROM orgs WHERE id < 3 RETURNING id) TO STDOUT'],
    ['EXPLAIN', 'EXPLAIN (COSTS off) DELETE FROM users WHERE false', 'SELECT count(*) FROM users'],
    [
      'PREPARE and EXECUTE',
      'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1',
      'EXECUTE d (1)',
      'EXECUTE d (5)',
      'DEALLOCATE d',
    ],
    [
      'PREPARE and EXECUTE in a string',
      'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1; EXECUTE d (1); EXECUTE d (2); DEALLOCATE d',
    ],
    [
      'one beside one that is ordered',
      'DELETE FROM orgs WHERE id = 1; WITH d AS (DELETE FROM orgs WHERE id = 2) SELECT 1',
    ],
    [
      'a cursor',
      'BEGIN; DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id = 1; FETCH c; DELETE FROM orgs WHERE CURRENT OF c; COMMIT',
    ],
  ])('%s', async (_, ...texts) => {
    await native.queries(...texts);
  });

  test.each([
    [
      'a trigger that keeps rows, and what references them',
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
        CREATE TABLE d (p int REFERENCES p ON DELETE RESTRICT KEYS);
        INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1), (2); INSERT INTO d VALUES (1);
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER keeps BEFORE DELETE ON p FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION keep()`,
      ['DELETE FROM p WHERE id < 3 RETURNING id', 'DELETE FROM p WHERE id = 1'],
    ],
    [
      'a trigger that keeps a row of an inheritance child',
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q (r int, PRIMARY KEY (id)) INHERITS (p);
        ALTER TABLE q ADD FOREIGN KEY (r) REFERENCES p ON DELETE RESTRICT KEYS;
        INSERT INTO p VALUES (1), (2); INSERT INTO q VALUES (3, 1);
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER keeps BEFORE DELETE ON q FOR EACH ROW EXECUTE FUNCTION keep()`,
      ['DELETE FROM p RETURNING id'],
    ],
    [
      'a row that USING finds several times, where two keys set its children',
      `CREATE TABLE p (id int PRIMARY KEY, a int, b text, UNIQUE (a, b));
        CREATE TABLE c (id int, x int REFERENCES p ON DELETE SET NULL KEYS, y text, FOREIGN KEY (x, y) REFERENCES p (a, b) ON DELETE SET NULL KEYS);
        INSERT INTO p VALUES (1, 1, 'b'), (2, 2, 'b'); INSERT INTO c VALUES (1, 1, 'b'), (2, 1, 'b'), (3, 1, 'b')`,
      ['DELETE FROM p USING c WHERE c.x = p.a'],
    ],
    [
      'a view',
      `CREATE TABLE p (id int PRIMARY KEY, n int); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
        INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1), (2); CREATE VIEW v AS SELECT n, id AS k FROM p WHERE n < 9`,
      ['DELETE FROM v WHERE k = 1 RETURNING *'],
    ],
    [
      'CREATE TABLE AS',
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2)`,
      [
        'CREATE TABLE made AS WITH d AS (DELETE FROM p WHERE id = 1 RETURNING id) SELECT * FROM d',
        'TABLE made',
      ],
    ],
  ])('%s', async (_, schema, texts) => {
    await native.inSchema(schema, ...texts);
  });
});
