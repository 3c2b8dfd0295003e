/** ON UPDATE of keys that lead in circles, with cascade.guard: check, does what that of enforced keys does. */
import { describe, test } from 'vitest';
import { bind, execute, parse, run, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE own (x int PRIMARY KEY CONSTRAINT own_x_fkey REFERENCES own ON UPDATE CASCADE KEYS);
  CREATE TABLE chain (id int PRIMARY KEY, code text UNIQUE, up text UNIQUE);
  ALTER TABLE chain ADD CONSTRAINT chain_up_fkey FOREIGN KEY (up) REFERENCES chain (code) ON UPDATE CASCADE KEYS,
    ADD CONSTRAINT chain_code_fkey FOREIGN KEY (code) REFERENCES chain (up) ON UPDATE CASCADE KEYS;
  CREATE TABLE tree (tenant int, id int, parent int, name text, PRIMARY KEY (tenant, id),
    CONSTRAINT tree_parent_fkey FOREIGN KEY (tenant, parent) REFERENCES tree ON UPDATE CASCADE KEYS);
  CREATE TABLE docs (id int PRIMARY KEY, tenant int, node int CHECK (node < 900),
    CONSTRAINT docs_node_fkey FOREIGN KEY (tenant, node) REFERENCES tree ON UPDATE CASCADE KEYS);
  CREATE TABLE a (x int PRIMARY KEY, y int UNIQUE);
  CREATE TABLE b (x int PRIMARY KEY CONSTRAINT b_x_fkey REFERENCES a ON UPDATE CASCADE KEYS, y int UNIQUE);
  CREATE TABLE c (x int PRIMARY KEY CONSTRAINT c_x_fkey REFERENCES b ON UPDATE CASCADE KEYS);
  ALTER TABLE a ADD CONSTRAINT a_x_fkey FOREIGN KEY (x) REFERENCES c ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED KEYS;
  ALTER TABLE a ADD CONSTRAINT a_y_fkey FOREIGN KEY (y) REFERENCES b (y) ON UPDATE SET NULL KEYS;
  ALTER TABLE b ADD CONSTRAINT b_y_fkey FOREIGN KEY (y) REFERENCES a (y) ON UPDATE CASCADE KEYS;
  CREATE TABLE held (x int CONSTRAINT held_x_fkey REFERENCES c ON UPDATE RESTRICT KEYS);
  CREATE TABLE late (x int CONSTRAINT late_x_fkey REFERENCES c DEFERRABLE INITIALLY DEFERRED KEYS);
  CREATE TABLE given (x int DEFAULT 3 PRIMARY KEY);
  ALTER TABLE given ADD CONSTRAINT given_x_fkey FOREIGN KEY (x) REFERENCES given ON UPDATE SET DEFAULT KEYS;
  CREATE TABLE first (x int PRIMARY KEY, y int);
  CREATE TABLE second (x int PRIMARY KEY CONSTRAINT second_x_fkey REFERENCES first ON UPDATE CASCADE KEYS);
  ALTER TABLE first ADD CONSTRAINT first_y_fkey FOREIGN KEY (y) REFERENCES second KEYS;`;
const ROWS = `
  SET session_replication_role = replica;
  TRUNCATE own, chain, tree, docs, a, b, c, held, late, given, first, second;
  INSERT INTO own VALUES (1), (2), (3);
  INSERT INTO chain VALUES (1, 'a', 'b'), (2, 'b', 'c'), (3, 'c', 'a'), (4, 'z', 'z');
  INSERT INTO tree VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2), (1, 4, 2), (2, 1, NULL), (2, 2, 1), (3, 7, 7);
  INSERT INTO docs VALUES (1, 1, 1), (2, 1, 3), (3, 2, 2), (4, NULL, 5), (5, 3, 7);
  INSERT INTO a VALUES (1, 1), (2, 2), (3, NULL), (4, NULL), (5, NULL);
  INSERT INTO b VALUES (1, 1), (2, 2), (3, NULL), (4, NULL), (5, NULL);
  INSERT INTO c VALUES (1), (2), (3), (4), (5);
  INSERT INTO held VALUES (4); INSERT INTO late VALUES (5);
  INSERT INTO given VALUES (1), (2), (3);
  INSERT INTO first VALUES (1, 1), (2, 1); INSERT INTO second VALUES (1), (2);
  RESET session_replication_role;`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

describe('a simple query', () => {
  test.each([
    'UPDATE own SET x = 10 WHERE x = 1',
    'UPDATE own SET x = x + 10 RETURNING x, old.x',
    'UPDATE own SET x = x',
    "UPDATE chain SET code = 'aa' WHERE id = 1",
    "UPDATE chain SET up = up || '!' WHERE id = 2",
    "UPDATE chain SET code = 'y' WHERE id = 4",
    'UPDATE tree SET tenant = 9 WHERE tenant = 1',
    'UPDATE tree SET tenant = 9 WHERE tenant = 1 AND id = 1',
    'UPDATE tree SET tenant = 9 WHERE tenant = 1 AND id = 2',
    'UPDATE tree SET id = id + 100',
    'UPDATE tree SET id = id + 100 WHERE tenant = 1 AND id = 2',
    'UPDATE tree SET id = 999 WHERE tenant = 2 AND id = 2',
    'UPDATE tree SET id = 70 WHERE tenant = 3',
    'UPDATE tree SET tenant = tenant + 1, id = id + 10, parent = parent + 10',
    'UPDATE tree SET tenant = 2, id = id + 10 WHERE tenant = 1 RETURNING *',
    'UPDATE a SET x = 10 WHERE x = 1',
    'UPDATE a SET x = x + 10 WHERE x < 4',
    'UPDATE a SET x = 40 WHERE x = 4',
    'UPDATE a SET x = 50 WHERE x = 5',
    'UPDATE a SET x = 2 WHERE x = 1',
    'UPDATE a SET y = 10 WHERE x = 1',
    'UPDATE b SET x = 10 WHERE x = 1',
    'UPDATE b SET y = 7 WHERE x = 1',
    'UPDATE b SET y = NULL',
    'UPDATE c SET x = 10 WHERE x = 1',
    'UPDATE given SET x = 9 WHERE x = 1',
    'UPDATE given SET x = 9 WHERE x = 3',
    'UPDATE first SET x = 10, y = 10 WHERE x = 1',
    'UPDATE first SET x = 10, y = 11 WHERE x = 1',
    'UPDATE first SET x = x + 10, y = y + 10',
    'INSERT INTO first VALUES (1), (8) ON CONFLICT (x) DO UPDATE SET x = 10, y = 10 RETURNING x',
    'MERGE INTO tree USING (VALUES (1, 2), (2, 3)) AS s (tenant, id) ON tree.tenant = s.tenant AND tree.id = s.id WHEN MATCHED THEN UPDATE SET id = 20 WHEN NOT MATCHED THEN INSERT VALUES (s.tenant, s.id, 1)',
    'WITH t AS (UPDATE tree SET id = 20 WHERE tenant = 1 AND id = 2 RETURNING id) SELECT count(*) FROM t',
  ])('%s', async (text) => {
    await twin.queries(text);
  });

  test('in a transaction, and of several statements', () =>
    twin.queries(
      'BEGIN; UPDATE tree SET id = 20 WHERE tenant = 1 AND id = 2',
      'UPDATE tree SET tenant = 9 WHERE tenant = 1 AND id = 1; SELECT * FROM docs ORDER BY id; UPDATE tree SET id = 999 WHERE tenant = 9 AND id = 1',
      'ROLLBACK; UPDATE a SET x = 10 WHERE x = 1; SELECT * FROM c ORDER BY x; UPDATE a SET x = 40 WHERE x = 4',
      'UPDATE a SET x = 11 WHERE x = 2; UPDATE first SET x = 10, y = 11 WHERE x = 1; SELECT 1',
    ));
});

test('the extended protocol', () =>
  twin.asNative((client) =>
    client.ask(
      parse('UPDATE tree SET tenant = $1 WHERE tenant = $2 RETURNING id'),
      bind({ values: ['10', '1'] }),
      execute(),
      run('UPDATE a SET x = $1 WHERE x = $2', ['20', '2']),
      run('UPDATE a SET x = $1 WHERE x = $2', ['40', '4']),
      run('UPDATE a SET x = $1 WHERE x = $2', ['70', '7']),
      sync,
    ),
  ));

test('what SQL prepares', () =>
  twin.queries('PREPARE u AS UPDATE a SET x = $1 WHERE x = $2', 'EXECUTE u (10, 1)', 'EXECUTE u (40, 4)'));

test('a chain of two hundred keys', () =>
  twin.queries(
    'INSERT INTO tree SELECT 5, n, nullif(n - 1, 0) FROM generate_series(1, 200) AS n',
    'UPDATE tree SET tenant = 6 WHERE tenant = 5 AND id = 1',
    'SELECT count(*), min(tenant), max(tenant) FROM tree WHERE tenant > 4',
  ));
