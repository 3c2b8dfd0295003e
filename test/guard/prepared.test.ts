/** Guarded writes that SQL prepares, and that EXPLAIN ANALYZE executes: looked at, and answered as natively. */
import { describe, expect, test } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });

const PREPARE = 'PREPARE w (int, int) AS INSERT INTO users (id, org_id) VALUES ($1, $2)';

describe('a prepared write', () => {
  test('is looked at each time that it is executed', async () => {
    const answers = await twin.queries(
      PREPARE,
      'EXECUTE w (30, 1)',
      'EXECUTE w (31, 99)',
      'EXECUTE w (31, NULL)',
      'EXECUTE w (30, 1)',
      'DEALLOCATE w',
      'EXECUTE w (32, 1)',
    );
    expect(answers.join()).toMatch(/23503.*users_org_fkey/s);
  });

  test('of each form is looked at', () =>
    twin.queries(
      'PREPARE a AS WITH n (id) AS (VALUES (40), (41)) INSERT INTO users (id, org_id) SELECT id, $1 FROM n RETURNING id, name',
      'EXECUTE a (1)',
      'EXECUTE a (99)',
      'PREPARE b (int) AS UPDATE users SET org_id = $1 WHERE id = 20',
      'EXECUTE b (99)',
      'EXECUTE b (1)',
      `PREPARE c AS MERGE INTO users AS u USING (VALUES (10, $1), (50, $2)) AS v (id, org) ON u.id = v.id
        WHEN MATCHED THEN UPDATE SET org_id = v.org WHEN NOT MATCHED THEN INSERT (id, org_id) VALUES (v.id, v.org)`,
      'EXECUTE c (2, 99)',
      'EXECUTE c (2, 1)',
      'PREPARE d AS INSERT INTO users (id, org_id) VALUES (10, $1) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id RETURNING *',
      'EXECUTE d (7)',
      'EXECUTE d (99)',
    ));

  test('and its EXECUTE may stand in one string', () =>
    twin.queries(
      `${PREPARE}; EXECUTE w (30, 1); EXECUTE w (31, 2)`,
      'EXECUTE w (32, 1); EXECUTE w (33, 99); SELECT 1',
      'SELECT id, org_id FROM users ORDER BY id',
    ));

  test('that the server refuses has its error, and the position in the client’s text', () =>
    twin.queries(
      'PREPARE w AS INSERT INTO users (id, nothing) VALUES (30, 1)',
      'PREPARE w AS INSERT INTO users (id) VALUES (30) RETURNING nothing',
      PREPARE,
      'EXECUTE w (10, 1)',
      "EXECUTE w ('x', 1)",
      'EXECUTE w (1)',
      'EXECUTE w (1, nothing)',
    ));

  const INSERT =
    "SELECT 'é😀'; PREPARE w (int, int) AS INSERT INTO users (id, org_id, name) VALUES ($1, $2, 'é'); SELECT 2";
  const RENAME = 'ALTER TABLE users RENAME name TO named';
  const DROP = 'ALTER TABLE users DROP CONSTRAINT users_org_fkey';

  test.each([
    [INSERT, RENAME, 'EXECUTE w (30, 1)'],
    [INSERT, RENAME, 'SELECT 1; EXECUTE w (30, 1)'],
    ["PREPARE d AS DELETE FROM users WHERE name = 'x' RETURNING id", RENAME, 'EXECUTE d'],
    [
      `SET search_path = public; PREPARE u AS UPDATE users SET org_id = 1 WHERE name = 'x'`,
      RENAME,
      'EXECUTE u',
    ],
    [INSERT, 'ALTER TABLE users RENAME org_id TO org', 'EXECUTE w (30, 1)'],
    [INSERT, DROP, 'EXECUTE w (30, 99)', RENAME, 'EXECUTE w (31, 99)'],
    [INSERT, 'ALTER TABLE users RENAME TO people', 'EXECUTE w (30, 1)'],
  ])('that cannot be analysed any more has the position in the text that has prepared it: %s; %s; %s', async (prepare, ...texts) => {
    await twin.queries(prepare, 'BEGIN', ...texts, 'ROLLBACK');
  });

  test('is executed by the protocol, and prepared by it, as natively', () =>
    twin.asNative(async (client) => [
      ...(await client.ask(query(PREPARE))),
      ...(await client.ask(runPrepared('w', ['30', '1']), sync)),
      ...(await client.ask(runPrepared('w', ['31', '99']), sync)),
      ...(await client.ask(parse('INSERT INTO users (id, org_id) VALUES ($1, $2)', 'v'), sync)),
      ...(await client.ask(query('EXECUTE v (40, 1)'))),
      ...(await client.ask(query('EXECUTE v (41, 99)'))),
      ...(await client.ask(run('EXECUTE w (42, 99)'), sync)),
      ...(await client.ask(run('EXECUTE w (43, 2)'), sync)),
    ]));

  test('is prepared again where its table has changed', () =>
    twin.queries(
      PREPARE,
      'EXECUTE w (30, 1)',
      'BEGIN; ALTER TABLE users DROP CONSTRAINT users_org_fkey',
      'EXECUTE w (31, 99)',
      'ROLLBACK',
      'EXECUTE w (31, 99)',
      'EXECUTE w (32, 2)',
      'PREPARE r (int) AS UPDATE users SET org_id = $1 WHERE id = 32 RETURNING *',
      'EXECUTE r (1)',
      'BEGIN; ALTER TABLE users DROP CONSTRAINT users_org_fkey',
      'EXECUTE r (99)',
      'ALTER TABLE users ADD COLUMN more int',
      'EXECUTE r (99)',
      'ROLLBACK',
      'EXECUTE r (99)',
    ));
});

describe('EXPLAIN ANALYZE', () => {
  const quiet = 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)';

  test('of a write refuses a key that is not there, as natively', async () => {
    const answers = await twin.queries(
      `${quiet} INSERT INTO users (id, org_id) VALUES (30, 99)`,
      `${quiet} UPDATE users SET org_id = 99`,
      `${PREPARE}; EXPLAIN (ANALYZE) EXECUTE w (30, 99)`,
      'SELECT id, org_id FROM users ORDER BY id',
    );
    expect(answers.join().match(/23503/g)).toHaveLength(3);
  });
});
