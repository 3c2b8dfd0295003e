/** Batches over shapes of keys: what is left is what enforced keys leave. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const proxy = useProxy({ cascade: { batch_rows: 7 } });

/** Tables, with KEYS after each key, and rows; the client's DELETE is of a row of the table `top`. */
const shapes: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a diamond',
    `CREATE TABLE top (id int PRIMARY KEY);
     CREATE TABLE one (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE KEYS);
     CREATE TABLE two (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE KEYS);
     CREATE TABLE pair (one int REFERENCES one ON DELETE CASCADE KEYS, two int REFERENCES two ON DELETE CASCADE KEYS);
     INSERT INTO top VALUES (1), (2); INSERT INTO one SELECT i, 1 + i % 2 FROM generate_series(1, 20) AS i;
     INSERT INTO two SELECT i, 1 + i % 2 FROM generate_series(1, 20) AS i;
     INSERT INTO pair SELECT 1 + i % 20, 1 + i * 7 % 20 FROM generate_series(1, 90) AS i`,
    ['top', 'one', 'two', 'pair'],
  ],
  [
    'keys of several columns',
    `CREATE TABLE top (a int, b text, id int UNIQUE, PRIMARY KEY (a, b));
     CREATE TABLE mid (id int, b text, top_a int, top_b text, PRIMARY KEY (id, b),
       FOREIGN KEY (top_b, top_a) REFERENCES top (b, a) ON DELETE CASCADE KEYS);
     CREATE TABLE leaf (mid int, b text, n int, FOREIGN KEY (mid, b) REFERENCES mid ON DELETE SET NULL (mid) KEYS);
     INSERT INTO top VALUES (1, 'x', 1), (1, 'y', 2);
     INSERT INTO mid SELECT i, 'm', 1, chr(120 + i % 2) FROM generate_series(1, 30) AS i;
     INSERT INTO leaf SELECT 1 + i % 30, 'm', i FROM generate_series(1, 60) AS i; INSERT INTO leaf VALUES (NULL, 'm', 61)`,
    ['top', 'mid', 'leaf'],
  ],
  [
    'partitions',
    `CREATE TABLE top (id int PRIMARY KEY) PARTITION BY RANGE (id);
     CREATE TABLE low PARTITION OF top FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF top DEFAULT;
     CREATE TABLE mid (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE) PARTITION BY HASH (id);
     CREATE TABLE mid_0 PARTITION OF mid FOR VALUES WITH (MODULUS 2, REMAINDER 0);
     CREATE TABLE mid_1 PARTITION OF mid FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     CREATE TABLE leaf (id int PRIMARY KEY, mid int REFERENCES mid ON DELETE CASCADE);
     INSERT INTO top VALUES (1), (2); INSERT INTO mid SELECT i, 1 + i % 2 FROM generate_series(1, 30) AS i;
     INSERT INTO leaf SELECT i, 1 + i % 30 FROM generate_series(1, 100) AS i`,
    ['top', 'mid', 'leaf'],
  ],
  [
    'a tree in partitions',
    `CREATE TABLE top (id int PRIMARY KEY, parent int) PARTITION BY RANGE (id);
     CREATE TABLE low PARTITION OF top FOR VALUES FROM (0) TO (9); CREATE TABLE high PARTITION OF top DEFAULT;
     ALTER TABLE top ADD FOREIGN KEY (parent) REFERENCES top ON DELETE CASCADE;
     INSERT INTO top SELECT i, nullif(i / 2, 0) FROM generate_series(1, 60) AS i`,
    ['top'],
  ],
  [
    'a table of which one key cascades and another is set to NULL',
    `CREATE TABLE top (id int PRIMARY KEY);
     CREATE TABLE mid (id int PRIMARY KEY, a int REFERENCES top ON DELETE CASCADE KEYS, b int REFERENCES top ON DELETE SET NULL KEYS);
     CREATE TABLE leaf (id int PRIMARY KEY, mid int REFERENCES mid ON DELETE SET NULL KEYS, top int REFERENCES top ON DELETE SET NULL KEYS);
     INSERT INTO top SELECT i FROM generate_series(1, 40) AS i; INSERT INTO mid SELECT i, i, 41 - i FROM generate_series(1, 40) AS i;
     INSERT INTO leaf SELECT i, i, 1 + i * 3 % 40 FROM generate_series(1, 40) AS i`,
    ['top', 'mid', 'leaf'],
  ],
  [
    'a table without a primary key, of whose keys one cascades and two are set to NULL',
    `CREATE TABLE top (id int PRIMARY KEY);
     CREATE TABLE leaf (n int, a int REFERENCES top ON DELETE CASCADE KEYS, b int REFERENCES top ON DELETE SET NULL KEYS, c int REFERENCES top ON DELETE SET NULL KEYS);
     INSERT INTO top SELECT i FROM generate_series(1, 12) AS i;
     INSERT INTO leaf VALUES (1, NULL, 1, 1), (2, 1, 1, 1), (3, 1, 2, 1), (4, 3, 6, 1), (5, 6, 3, 3), (6, 12, 12, 12), (7, 2, 3, 3)`,
    ['top', 'leaf'],
  ],
  [
    'a partitioned table without a primary key, whose keys are set to NULL, which moves its rows',
    `CREATE TABLE top (id int PRIMARY KEY);
     CREATE TABLE leaf (n int, a int REFERENCES top ON DELETE SET NULL KEYS, b int REFERENCES top ON DELETE SET NULL KEYS) PARTITION BY RANGE (a);
     CREATE TABLE low PARTITION OF leaf FOR VALUES FROM (0) TO (9); CREATE TABLE rest PARTITION OF leaf DEFAULT;
     INSERT INTO top SELECT i FROM generate_series(1, 12) AS i;
     INSERT INTO leaf VALUES (1, 1, 1), (2, 3, 3), (3, 3, 6), (4, 1, 1), (5, 9, 12)`,
    ['top', 'leaf'],
  ],
  [
    'two tables that reference each other',
    `CREATE TABLE top (id int PRIMARY KEY, led_by int); CREATE TABLE mid (id int PRIMARY KEY, top int REFERENCES top ON DELETE CASCADE KEYS);
     ALTER TABLE top ADD FOREIGN KEY (led_by) REFERENCES mid ON DELETE CASCADE KEYS;
     INSERT INTO top SELECT i FROM generate_series(1, 30) AS i; INSERT INTO mid SELECT i, 1 + i % 30 FROM generate_series(1, 30) AS i;
     UPDATE top SET led_by = id - 2 WHERE id > 2 AND id <> 20`,
    ['top', 'mid'],
  ],
];

describe.each(shapes)('%s', (_, schema, tables) => {
  const native = useDatabase(schema.replaceAll('KEYS', ''));
  const batched = useDatabase(schema.replaceAll('KEYS', 'NOT ENFORCED'));
  const left = tables
    .map((table) => `SELECT '${table}' AS t, array_agg(r::text ORDER BY r::text) AS rows FROM ${table} AS r`)
    .join(' UNION ALL ');

  test.each([
    'DELETE FROM top WHERE id = 1',
    'DELETE FROM top WHERE id % 3 = 0',
    'DELETE FROM top',
  ])('%s', async (sql) => {
    const [direct, application] = [await native.connect(), await proxy.connect(batched.name)];
    const expected = await direct.query(sql);
    expect((await application.query(sql)).rowCount).toBe(expected.rowCount);
    const looking = await batched.connect();
    expect((await looking.query(left)).rows).toEqual((await direct.query(left)).rows);
    await Promise.all([direct.end(), looking.end(), application.end()]);
  });
});
