/** Partitions and inheritance, and what is done to these. */
import { describe, test, vi } from 'vitest';
import { useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same } = useSides();

const PARTITIONS = `CREATE TABLE p (id int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (id);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY RANGE (id);
  CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (15); CREATE TABLE p22 (n int, gone int, id int NOT NULL); ALTER TABLE p22 DROP gone;
  ALTER TABLE p2 ATTACH PARTITION p22 DEFAULT;
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS, m int) PARTITION BY HASH (id);
  CREATE TABLE c0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (m);
  CREATE TABLE c10 PARTITION OF c1 DEFAULT;
  CREATE TABLE z (id int REFERENCES p ON DELETE SET NULL KEYS) PARTITION BY LIST (id); CREATE TABLE z0 PARTITION OF z DEFAULT;
  CREATE TABLE r (id int REFERENCES p KEYS);
  INSERT INTO p SELECT generate_series(1, 20); INSERT INTO c SELECT id, id % 3 FROM p; INSERT INTO z SELECT id FROM p; INSERT INTO r VALUES (4), (14)`;
describe('56 partitions', () => {
  test.each([
    ['cascade from their root', 'DELETE FROM p WHERE id IN (1, 2, 12, 17)'],
    ['cascade from a partition', 'DELETE FROM p1 WHERE id < 3 RETURNING *'],
    ['cascade from a partition of a partition', 'DELETE FROM p21 WHERE id = 12'],
    [
      'cascade from one whose columns stand otherwise',
      'DELETE FROM p22 WHERE id = 17 RETURNING *',
      'DELETE FROM p2 WHERE id > 18 RETURNING *',
    ],
    ['cascade from ONLY a partition', 'DELETE FROM ONLY p22 WHERE id = 16'],
    ['have no rows in ONLY their root', 'DELETE FROM ONLY p', 'DELETE FROM ONLY p2'],
    [
      'are deleted from by themselves where they reference',
      'DELETE FROM c0',
      'DELETE FROM c1',
      'DELETE FROM z',
    ],
    [
      'tell a broken rule with the name of the copy of its key',
      'DELETE FROM p',
      'DELETE FROM p1',
      'DELETE FROM p21',
      'DELETE FROM p2 WHERE id = 14',
    ],
    [
      'in one string',
      'DELETE FROM p1 WHERE id = 1; DELETE FROM p WHERE id = 2; DELETE FROM p22 WHERE id = 16',
    ],
    ['that are truncated', 'TRUNCATE c', 'TRUNCATE c0'],
  ])('%s', (_, ...texts) => same(PARTITIONS, ...texts));

  test.each([
    [
      'a parent’s partition attached',
      'DELETE FROM p WHERE id = 1',
      'CREATE TABLE p3 (id int PRIMARY KEY, n int); INSERT INTO p3 VALUES (31), (32)',
      'DELETE FROM p2 WHERE id > 15; ALTER TABLE p2 ATTACH PARTITION p3 FOR VALUES FROM (30) TO (40); INSERT INTO c VALUES (31, 1), (32, 1)',
      'DELETE FROM p3 WHERE id = 31',
      'DELETE FROM p WHERE id = 32',
    ],
    [
      'a parent’s partition detached',
      'DELETE FROM p22 WHERE id = 16',
      'DELETE FROM c WHERE id > 15; DELETE FROM z WHERE id > 15; ALTER TABLE p2 DETACH PARTITION p22',
      'DELETE FROM p22',
      'DELETE FROM p WHERE id = 11',
    ],
    [
      'a child’s partition detached',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c0',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'SELECT count(*) FROM c0',
    ],
    [
      'a child’s partition attached',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c0; CREATE TABLE c2 (id int, m int); INSERT INTO c2 SELECT * FROM c0; ALTER TABLE c ATTACH PARTITION c2 FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
      'DELETE FROM p WHERE id IN (2, 3, 12)',
    ],
    [
      'a level added',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c1; CREATE TABLE c9 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO c9 VALUES (3, 3)',
      'DELETE FROM p WHERE id IN (3, 5)',
    ],
  ])('are as they are after %s', (_, ...texts) => same(PARTITIONS, ...texts));

  test.each([
    [
      'of its own is followed',
      'CREATE TABLE own (id int REFERENCES p1 ON DELETE CASCADE KEYS); INSERT INTO own VALUES (1), (2)',
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p1 WHERE id = 2',
    ],
    [
      'to a partition alone leaves the others',
      'CREATE TABLE own (id int REFERENCES p21 ON DELETE SET NULL KEYS); INSERT INTO own VALUES (11), (12)',
      'DELETE FROM p WHERE id > 10 AND id <> 14',
      'DELETE FROM p21',
    ],
    [
      'of a child’s partition is followed',
      'ALTER TABLE c0 ADD UNIQUE (id); CREATE TABLE own (id int REFERENCES c0 (id) ON DELETE CASCADE KEYS); INSERT INTO own SELECT id FROM c0',
      'DELETE FROM p WHERE id < 4',
      'DELETE FROM c',
    ],
    [
      'that restricts one partition',
      'CREATE TABLE own (id int REFERENCES p1 ON DELETE RESTRICT KEYS); INSERT INTO own VALUES (1)',
      'DELETE FROM p WHERE id IN (1, 11)',
      'DELETE FROM p WHERE id = 11',
    ],
    [
      'of a partition to its own root',
      'ALTER TABLE p ADD up int; UPDATE p SET up = 1 WHERE id IN (2, 5); UPDATE p SET up = 2 WHERE id = 7; ALTER TABLE p1 ADD FOREIGN KEY (up) REFERENCES p ON DELETE CASCADE KEYS',
      'DELETE FROM p WHERE id = 1',
    ],
  ])('with a key %s', (_, more, ...texts) => same(`${PARTITIONS}; ${more}`, ...texts));

  test('that are moved between by an UPDATE keep their children', () =>
    same(
      PARTITIONS,
      'DELETE FROM c WHERE id = 1; DELETE FROM z WHERE id = 1; UPDATE p SET id = 30 WHERE id = 1; INSERT INTO c VALUES (30)',
      'DELETE FROM p WHERE id = 30',
    ));
});

const FAMILY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE derived (more int) INHERITS (p); CREATE TABLE further () INHERITS (derived);
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); CREATE TABLE c2 () INHERITS (c);
  INSERT INTO p VALUES (1), (2), (3); INSERT INTO derived VALUES (1), (3), (4); INSERT INTO further VALUES (2), (5);
  INSERT INTO c VALUES (1), (2), (3); INSERT INTO c2 VALUES (1), (2), (3), (4)`;
const OWN = `${FAMILY}; ALTER TABLE derived ADD UNIQUE (id); CREATE TABLE d (id int REFERENCES derived (id) ON DELETE CASCADE KEYS); INSERT INTO d VALUES (1), (3), (4)`;
describe('57 inheritance:', () => {
  test.each([
    [
      'rows of derived tables have no children of their parent’s',
      FAMILY,
      'DELETE FROM derived',
      'DELETE FROM further',
    ],
    ['ONLY leaves the derived tables', FAMILY, 'DELETE FROM ONLY p WHERE id = 1 RETURNING *'],
    [
      'without ONLY the derived rows go, and bring nobody along',
      FAMILY,
      'DELETE FROM p WHERE id IN (1, 4) RETURNING *, tableoid::regclass::text',
      'DELETE FROM p *',
    ],
    [
      'the children of a derived table go with its rows alone',
      OWN,
      'DELETE FROM ONLY p WHERE id = 1',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM derived',
    ],
    [
      'a rule counts for the table that it names',
      FAMILY.replace('CASCADE', 'RESTRICT'),
      'DELETE FROM derived',
      'DELETE FROM p WHERE id = 4',
      'DELETE FROM p WHERE id = 1',
    ],
    ['SET NULL changes no derived rows', FAMILY.replace('CASCADE', 'SET NULL'), 'DELETE FROM p WHERE id < 3'],
    [
      'a child that is inherited from is deleted from alone',
      OWN,
      'DELETE FROM c',
      'DELETE FROM c2 WHERE id = 1',
    ],
    [
      'NO INHERIT and INHERIT are seen',
      OWN,
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE derived NO INHERIT p',
      'DELETE FROM p WHERE id = 3',
      'ALTER TABLE derived INHERIT p',
      'DELETE FROM p',
    ],
    [
      'a table may inherit from two',
      `CREATE TABLE a1 (id int PRIMARY KEY); CREATE TABLE a2 (id int PRIMARY KEY); CREATE TABLE d () INHERITS (a1, a2);
      CREATE TABLE c1 (id int REFERENCES a1 ON DELETE CASCADE KEYS); CREATE TABLE c2 (id int REFERENCES a2 ON DELETE SET NULL KEYS);
      INSERT INTO a1 VALUES (1), (2); INSERT INTO a2 TABLE a1; INSERT INTO c1 TABLE a2; INSERT INTO c2 TABLE a2; INSERT INTO d VALUES (1), (3)`,
      'DELETE FROM d WHERE id = 3',
      'DELETE FROM a1 WHERE id = 1 RETURNING tableoid::regclass::text, *',
      'DELETE FROM a2',
    ],
  ])('%s', (_, schema, ...texts) => same(schema, ...texts));
});
