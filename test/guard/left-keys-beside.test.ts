/** An UPDATE of what keys reference in a WITH, or beside other writes, with cascade.guard: check, does what enforced keys do. */
import { expect, test } from 'vitest';
import { run, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE a (id int PRIMARY KEY, note text);
  CREATE TABLE moved (id int PRIMARY KEY, a int CONSTRAINT moved_a_fkey REFERENCES a ON UPDATE CASCADE KEYS);
  CREATE TABLE nulled (id int PRIMARY KEY, a int CONSTRAINT nulled_a_fkey REFERENCES a ON UPDATE SET NULL KEYS);
  CREATE TABLE kept (id int PRIMARY KEY, a int CONSTRAINT kept_a_fkey REFERENCES a KEYS);
  CREATE TABLE log (line int);`;
const ROWS = `
  TRUNCATE a, moved, nulled, kept, log;
  INSERT INTO a VALUES (1), (2), (3), (4);
  INSERT INTO moved VALUES (1, 1), (2, 2); INSERT INTO nulled VALUES (1, 1), (2, 2); INSERT INTO kept VALUES (1, 3);`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

test.each([
  'WITH u AS (UPDATE a SET id = id + 10 WHERE id < 3 RETURNING id, old.id AS was) SELECT was, id FROM u',
  'WITH u AS (UPDATE a SET id = 30 WHERE id = 3 RETURNING id) SELECT * FROM u',
  'WITH u AS (UPDATE a SET id = 30 WHERE id = 3) SELECT 1',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1) SELECT count(*) FROM moved',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING *) INSERT INTO log SELECT id FROM u',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING *) INSERT INTO moved SELECT 9, id FROM u RETURNING *',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING old.id) INSERT INTO moved SELECT 9, id FROM u',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING old.id) INSERT INTO nulled SELECT 9, id FROM u',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING old.id) INSERT INTO moved SELECT 9, id + 90 FROM u',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1) INSERT INTO moved VALUES (9, 1)',
  'WITH u AS (UPDATE a SET id = 10 WHERE id = 1) INSERT INTO kept VALUES (9, 10)',
  'WITH m AS (INSERT INTO moved VALUES (9, 1)) UPDATE a SET id = 10 WHERE id = 1',
  'WITH m AS (INSERT INTO moved VALUES (9, 10) RETURNING *) UPDATE a SET id = m.a FROM m WHERE a.id = 1 RETURNING a.id, m.id',
  'WITH m AS (INSERT INTO log VALUES (1) RETURNING *) UPDATE a SET id = 20 FROM m WHERE id = 2',
  'WITH d AS (DELETE FROM log), u AS (INSERT INTO a VALUES (1), (5) ON CONFLICT (id) DO UPDATE SET id = 11 RETURNING *) SELECT id FROM u ORDER BY id',
  'WITH u AS (MERGE INTO a USING (VALUES (2, 12), (6, 6)) AS v (id, n) ON a.id = v.id WHEN MATCHED THEN UPDATE SET id = v.n WHEN NOT MATCHED THEN INSERT VALUES (v.n) RETURNING merge_action(), a.id) TABLE u',
  "WITH u AS (UPDATE a SET note = 'x', id = id RETURNING id) SELECT count(*) FROM u",
])('%s', async (text) => {
  await twin.queries(text);
});

test('in a transaction, prepared, and of several statements', () =>
  twin.queries(
    'BEGIN; WITH u AS (UPDATE a SET id = 10 WHERE id = 1 RETURNING id) SELECT id FROM u; TABLE moved',
    'SAVEPOINT s; WITH u AS (UPDATE a SET id = 30 WHERE id = 3) SELECT 1; SELECT 2',
    'ROLLBACK TO s; COMMIT',
    'PREPARE p AS WITH u AS (UPDATE a SET id = $1 WHERE id = $2 RETURNING id) SELECT id FROM u',
    'EXECUTE p (20, 2)',
    'EXECUTE p (30, 3)',
  ));

test('the extended protocol', () =>
  twin.asNative((client) =>
    client.ask(
      run('WITH u AS (UPDATE a SET id = $1 WHERE id = $2 RETURNING id) SELECT id FROM u', ['10', '1']),
      run('WITH u AS (UPDATE a SET id = $1 WHERE id = $2) INSERT INTO log VALUES (1)', ['20', '2']),
      run('WITH u AS (UPDATE a SET id = $1 WHERE id = $2) SELECT 1', ['30', '3']),
      sync,
    ),
  ));

test('at several places it is refused by name', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  const text = 'WITH u AS (UPDATE a SET id = 10 WHERE id = 1) UPDATE a SET id = 20 WHERE id = 2';
  await expect(client.query(text)).rejects.toMatchObject({ code: '0A000' });
});
