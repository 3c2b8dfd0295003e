/** A row that comes to reference the key that it leaves, with cascade.guard: check: its ON UPDATE comes first, as natively. */
import { describe, test } from 'vitest';
import { useGuardTwin } from './guard-twin.js';

const ACTIONS = { moved: 'CASCADE', nulled: 'SET NULL', given: 'SET DEFAULT' };
const TABLES = Object.keys(ACTIONS);
const SCHEMA = `
  CREATE TABLE other (id int PRIMARY KEY);
  ${Object.entries(ACTIONS)
    .map(
      ([name, action]) => `
  CREATE TABLE ${name} (id int PRIMARY KEY, up int DEFAULT 7 CONSTRAINT ${name}_fkey REFERENCES ${name} ON UPDATE ${action} KEYS, note text);
  CREATE TABLE ${name}_wide (a int, b int, up int DEFAULT 7, x int, PRIMARY KEY (a, b),
    CONSTRAINT ${name}_wide_fkey FOREIGN KEY (up, x) REFERENCES ${name}_wide (a, b) ON UPDATE ${action} KEYS);`,
    )
    .join('')}
  CREATE TABLE shared (id int PRIMARY KEY, up int CONSTRAINT shared_fkey REFERENCES shared ON UPDATE CASCADE KEYS);
  ALTER TABLE shared ADD CONSTRAINT shared_other_fkey FOREIGN KEY (up) REFERENCES other KEYS;`;
const ROWS = `
  TRUNCATE shared, other, ${TABLES.flatMap((name) => [name, `${name}_wide`]).join(', ')};
  INSERT INTO other VALUES (1), (2);
  INSERT INTO shared VALUES (1, NULL), (2, 1);
  ${TABLES.map(
    (name) => `INSERT INTO ${name} VALUES (1, NULL), (2, 1), (3, 3), (7, NULL);
  INSERT INTO ${name}_wide VALUES (1, 1, NULL, NULL), (2, 1, 1, 1), (3, 3, 3, 3), (7, 3, NULL, NULL);`,
  ).join('\n')}`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

describe.each(TABLES)('%s', (table) => {
  test.each([
    'UPDATE t SET id = 12, up = 1 WHERE id = 1',
    'UPDATE t SET id = 12, up = 12 WHERE id = 1',
    'UPDATE t SET id = 12, up = 99 WHERE id = 1',
    'UPDATE t SET id = 13 WHERE id = 3',
    'UPDATE t SET id = 13, up = 3 WHERE id = 3 RETURNING *',
    'UPDATE t SET id = 13, up = 1 WHERE id = 3',
    'UPDATE t SET id = id + 10, up = id WHERE id IN (2, 3)',
    'UPDATE t SET id = id + 10, up = id',
    'UPDATE t SET id = id - 1, up = id WHERE id = 7',
    'INSERT INTO t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET id = 12, up = excluded.up',
    'MERGE INTO t USING (VALUES (1, 12), (2, 13)) AS v (id, n) ON t.id = v.id WHEN MATCHED THEN UPDATE SET id = v.n, up = v.id',
    'UPDATE t_wide SET a = 12, up = 1, x = 1 WHERE a = 1',
    'UPDATE t_wide SET a = 12, up = 1, x = 2 WHERE a = 1',
    'UPDATE t_wide SET a = 13 WHERE a = 3',
    'UPDATE t_wide SET a = 13, up = 3 WHERE a = 3',
  ])('%s', async (text) => {
    await twin.queries(text.replaceAll(/\bt(?=\b|_)/g, table));
  });
});

test.each([
  'UPDATE shared SET id = 12, up = 1 WHERE id = 1',
  'UPDATE shared SET id = 5, up = 1 WHERE id = 1',
  'UPDATE shared SET id = 3, up = 3 WHERE id = 1',
])('%s', async (text) => {
  await twin.queries(text);
});
