/** Keys of columns that the server generates, and keys that reference such columns: what sets another column changes them. */
import { test } from 'vitest';
import { bind, execute, parse, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE made (id int PRIMARY KEY, a int, b text,
    org int GENERATED ALWAYS AS (a + 1) STORED CONSTRAINT made_org_fkey REFERENCES orgs KEYS);
  CREATE VIEW shown AS SELECT * FROM made;
  CREATE TABLE parts (id int, a int, org int GENERATED ALWAYS AS (a + 1) STORED CONSTRAINT parts_org_fkey REFERENCES orgs KEYS)
    PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE codes (id int PRIMARY KEY, name text, code text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE);
  CREATE TABLE uses (code text CONSTRAINT uses_code_fkey REFERENCES codes (code) ON UPDATE CASCADE KEYS,
    strict text CONSTRAINT uses_strict_fkey REFERENCES codes (code) KEYS);`;
const ROWS = `
  TRUNCATE orgs, made, parts, codes, uses;
  INSERT INTO orgs VALUES (1), (2), (3);
  INSERT INTO made VALUES (1, 0, 'x'), (2, 1, 'y'), (3, NULL, 'z');
  INSERT INTO parts VALUES (1, 0);
  INSERT INTO codes VALUES (1, 'A'), (2, 'B'), (3, 'C');
  INSERT INTO uses VALUES ('a', NULL), (NULL, 'b');`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

test.each([
  'UPDATE made SET a = 99 WHERE id = 1',
  'UPDATE made SET a = 2 WHERE id = 1 RETURNING *',
  'UPDATE made SET a = NULL',
  "UPDATE made SET b = 'w'",
  'UPDATE shown SET a = 99 WHERE id = 1',
  'UPDATE parts SET a = 99',
  'UPDATE parts_1 SET a = 99',
  'INSERT INTO made VALUES (1, 99) ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a',
  'INSERT INTO made (id, a) VALUES (9, 99)',
  'MERGE INTO made USING (VALUES (1)) AS s (id) ON made.id = s.id WHEN MATCHED THEN UPDATE SET a = 99',
  'WITH u AS (UPDATE made SET a = 99 RETURNING id) SELECT count(*) FROM u',
  "UPDATE codes SET name = 'D' WHERE id = 1",
  "UPDATE codes SET name = 'D' WHERE id = 2",
  "UPDATE codes SET name = 'D' WHERE id = 3",
  'UPDATE codes SET name = lower(name), id = id + 10',
])('%s', async (text) => {
  await twin.queries(text, 'TABLE made', 'TABLE parts', 'TABLE codes', 'TABLE uses');
});

test('a prepared statement that sets another column', async () => {
  await twin.asNative((client) =>
    client.ask(
      parse('UPDATE made SET a = $1 WHERE id = 1', 's'),
      bind({ statement: 's', values: ['2'] }),
      execute(),
      bind({ statement: 's', values: ['99'] }),
      execute(),
      sync,
    ),
  );
});
