/** Very many rows below one statement. */
import { test, vi } from 'vitest';
import { useSides } from './sides.js';

vi.setConfig({ testTimeout: 60_000 });
const { same } = useSides();

// The rows are there before the keys, which are then checked at once and not row by row.
const MANY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int); CREATE INDEX ON c (p);
  CREATE TABLE g (c int); CREATE INDEX ON g (c);
  INSERT INTO p SELECT generate_series(1, 70001); INSERT INTO c SELECT id, id FROM p; INSERT INTO g SELECT id FROM c;
  ALTER TABLE c ADD CONSTRAINT c_cascade FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS;
  ALTER TABLE g ADD CONSTRAINT g_cascade FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE KEYS;
  CREATE TABLE r (c int REFERENCES c KEYS); INSERT INTO r VALUES (70001); ANALYZE p, c, g, r`;
test('39 keys of 70,000 rows below one statement, and a rule for one more that is left', () =>
  same(MANY, 'DELETE FROM p', 'DELETE FROM p WHERE id <= 70000'));
