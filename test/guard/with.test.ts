/** Guarded writes in a WITH, and at several places of one statement: looked at when all is written, as natively. */
import { describe, expect, test } from 'vitest';
import { describeStatement, parse, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });

const LEFT = 'SELECT id, org_id, boss, name FROM users ORDER BY id';

describe('a write in a WITH', () => {
  test('beside a SELECT is looked at, and answered as natively', async () => {
    const answers = await twin.queries(
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 1) RETURNING id, org_id AS o) SELECT o, id + 1 FROM u',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (31, 99) RETURNING *) SELECT * FROM u',
      'WITH u (x, y) AS MATERIALIZED (UPDATE users SET org_id = 2 WHERE id = 10 RETURNING id, name, org_id) SELECT * FROM u',
      'WITH u AS (UPDATE users SET org_id = 98 RETURNING id) SELECT count(*) FROM u',
      `WITH m AS (MERGE INTO users AS u USING (VALUES (10, 1), (40, 97)) AS v (id, org) ON u.id = v.id
        WHEN MATCHED THEN UPDATE SET org_id = v.org WHEN NOT MATCHED THEN INSERT (id, org_id) VALUES (v.id, v.org)
        RETURNING merge_action(), u.id) TABLE m`,
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (10, 2) ON CONFLICT (id) DO UPDATE SET org_id = excluded.org_id RETURNING old.org_id, new.org_id AS n) SELECT * FROM u',
    );
    expect(answers.join().match(/23503/g)).toHaveLength(3);
  });

  test('that nothing reads from is looked at too', () =>
    twin.queries(
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 99)) SELECT 1',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 1)) SELECT 1 WHERE false',
      'WITH u AS (UPDATE users SET org_id = 99 WHERE id = 20) SELECT 1 WHERE false',
      'WITH u AS (UPDATE users SET (org_id, name) = (2, name)) SELECT 1',
      'WITH u AS (INSERT INTO users (id) VALUES (40)) SELECT * FROM u',
      'WITH u (a, b) AS (INSERT INTO users (id, org_id) VALUES (40, 1) RETURNING id) SELECT * FROM u',
      LEFT,
    ));

  test('of a table that is partitioned, or has a key of several columns', () =>
    twin.queries(
      'WITH p AS (INSERT INTO parts VALUES (1, 1), (2, 99) RETURNING *) SELECT * FROM p',
      'WITH p AS (UPDATE parts SET org = 99 WHERE id = 2) SELECT 1',
      `WITH f AS (INSERT INTO "Full" VALUES (2, NULL, 'y')), s AS (INSERT INTO simple VALUES (2, NULL, 'y')) SELECT 1`,
      `WITH s AS (INSERT INTO simple VALUES (2, 9, 'y') RETURNING a) SELECT * FROM s`,
    ));
});

describe('several writes in one statement', () => {
  test('may reference what another one writes, wherever it stands', () =>
    twin.queries(
      'WITH o AS (INSERT INTO orgs VALUES (3, NULL) RETURNING id) INSERT INTO users (id, org_id) SELECT 30, id FROM o',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (31, 4)) INSERT INTO orgs VALUES (4) RETURNING *',
      'WITH u AS (INSERT INTO users (id, org_id, boss) VALUES (32, 5, 33)), o AS (INSERT INTO orgs VALUES (5)), b AS (INSERT INTO users (id, org_id) VALUES (33, 5)) SELECT 1',
      'WITH o AS (INSERT INTO orgs VALUES (6)) INSERT INTO users (id, org_id) VALUES (34, 7), (35, 6), (36, 8)',
      LEFT,
    ));

  test('may change what another one references in columns that no key has', () =>
    twin.queries(
      "WITH o AS (UPDATE orgs SET name = 'x' WHERE id = 1) INSERT INTO users (id, org_id) VALUES (30, 1)",
      "WITH o AS (UPDATE orgs SET name = 'x' RETURNING id) INSERT INTO users (id, org_id) SELECT 30 + id, id FROM o RETURNING id, org_id",
      "WITH o AS (INSERT INTO orgs VALUES (1, 'y') ON CONFLICT (id) DO UPDATE SET name = excluded.name) UPDATE users SET org_id = 1",
      `WITH o AS (MERGE INTO orgs USING (VALUES (2), (9)) AS v (id) ON orgs.id = v.id WHEN MATCHED THEN UPDATE SET name = 'z' WHEN NOT MATCHED THEN INSERT VALUES (v.id))
        UPDATE users SET org_id = id - 8 + boss - boss`,
      LEFT,
      'SELECT * FROM orgs ORDER BY id',
    ));

  test('are refused in the native order', () =>
    twin.queries(
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 99)), w AS (INSERT INTO wide VALUES (1, 98)) SELECT 1',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 99) RETURNING 1), w AS (INSERT INTO wide VALUES (1, 98)) SELECT * FROM u',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 99)) INSERT INTO wide VALUES (1, 98)',
      'WITH l AS (INSERT INTO late VALUES (1, 99, NULL)), w AS (INSERT INTO wide VALUES (1, 98)) SELECT 1',
      'WITH l AS (INSERT INTO wide VALUES (1, 99)), w AS (INSERT INTO late VALUES (1, 98, NULL)) SELECT 1',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 99), (10, 1)) INSERT INTO wide VALUES (1, 98)',
    ));

  test('beside a write that is not looked at leave the tag and the rows of the statement itself', () =>
    twin.queries(
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (30, 1), (31, 2) RETURNING *) INSERT INTO alone SELECT id, org_id FROM u',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (32, 1) RETURNING *) INSERT INTO alone SELECT id, org_id FROM u RETURNING org',
      'WITH a AS (INSERT INTO alone VALUES (33, 2) RETURNING *) INSERT INTO users (id, org_id) SELECT * FROM a',
      'WITH a AS (INSERT INTO alone VALUES (34, 99) RETURNING *) INSERT INTO users (id, org_id) SELECT * FROM a',
      LEFT,
    ));

  test('in a WITH RECURSIVE, with SEARCH, and in parentheses', () =>
    twin.queries(
      `WITH RECURSIVE n (i) AS (VALUES (30) UNION ALL SELECT i + 1 FROM n WHERE i < 32), u AS (INSERT INTO users (id, org_id) SELECT i, 1 FROM n RETURNING id) SELECT * FROM u`,
      `WITH RECURSIVE u AS (INSERT INTO users (id, org_id) SELECT i, 99 FROM n RETURNING id), n (i) AS (VALUES (40) UNION ALL SELECT i + 1 FROM n WHERE i < 42) SELECT * FROM u`,
      `WITH RECURSIVE n (i) AS (VALUES (50) UNION ALL SELECT i + 1 FROM n WHERE i < 52) SEARCH DEPTH FIRST BY i SET o INSERT INTO users (id, org_id) SELECT i, 1 FROM n ORDER BY o`,
      '(WITH u AS (INSERT INTO users (id, org_id) VALUES (60, 99) RETURNING id) SELECT * FROM u)',
      LEFT,
    ));
});

test('what the server refuses has its error, and the position in the client’s text', () =>
  twin.queries(
    'WITH u AS (INSERT INTO users (id, nothing) VALUES (30, 1)) SELECT 1',
    'WITH u AS (INSERT INTO users (id) VALUES (30) RETURNING id) SELECT nothing FROM u',
    'WITH u AS (INSERT INTO users (id) VALUES (30) RETURNING id) INSERT INTO wide SELECT id, nothing FROM u',
    'WITH u AS (INSERT INTO users (id) VALUES (10) RETURNING id) SELECT id FROM u',
    'BEGIN READ ONLY; WITH u AS (INSERT INTO users (id) VALUES (30) RETURNING id) SELECT id FROM u',
    'ROLLBACK; BEGIN READ ONLY; WITH u AS (INSERT INTO users (id) VALUES (30) RETURNING id) INSERT INTO wide SELECT id FROM u',
  ));

describe('a write that stands in', () => {
  test('a COPY gives its rows, or the error', () =>
    twin.queries(
      "COPY (INSERT INTO users (id, org_id, name) VALUES (30, 1, 'x') RETURNING id, name AS n) TO STDOUT WITH (FORMAT csv, HEADER)",
      'COPY (WITH u AS (INSERT INTO users (id, org_id) VALUES (31, 1) RETURNING *) TABLE u) TO STDOUT',
      LEFT,
    ));

  test('a COPY is refused before it gives a row', async () => {
    const client = await twin.proxy.connect(twin.emulated.database.name);
    for (const query of [
      'UPDATE users SET org_id = 99 RETURNING id',
      'WITH u AS (INSERT INTO users (id, org_id) VALUES (32, 99) RETURNING *) TABLE u',
    ])
      await expect(client.query(`COPY (${query}) TO STDOUT`)).rejects.toMatchObject({
        code: '23503',
        constraint: 'users_org_fkey',
      });
  });

  test('a PREPARE, an EXPLAIN ANALYZE and a CREATE TABLE AS is looked at', () =>
    twin.queries(
      'PREPARE p (int) AS WITH u AS (INSERT INTO users (id, org_id) VALUES ($1, $2) RETURNING *) SELECT id, org_id FROM u',
      'EXECUTE p (30, 1)',
      'EXECUTE p (31, 99)',
      'BEGIN; CREATE TABLE made AS EXECUTE p (32, 2)',
      'SELECT count(id) FROM made',
      'ROLLBACK',
      'EXPLAIN (ANALYZE) WITH u AS (INSERT INTO users (id, org_id) VALUES (33, 99)) SELECT 1',
      'BEGIN; CREATE TABLE made AS WITH u AS (INSERT INTO users (id, org_id) VALUES (34, 1) RETURNING *) SELECT id FROM u',
      'SELECT count(id) FROM made',
      'ROLLBACK',
      'CREATE TABLE made AS WITH u AS (INSERT INTO users (id, org_id) VALUES (35, 99) RETURNING *) SELECT id FROM u',
      LEFT,
    ));
});

test('in the extended protocol it is described, bound and refused as natively', () =>
  twin.asNative(async (client) => {
    const text =
      'WITH u AS (INSERT INTO users (id, org_id) VALUES ($1, $2) RETURNING *) SELECT u.id, u.name, o.name AS org FROM u JOIN orgs o ON o.id = u.org_id';
    const both =
      'WITH o AS (INSERT INTO orgs VALUES ($1) RETURNING id) INSERT INTO users (id, org_id) SELECT $2, id FROM o RETURNING *';
    return [
      ...(await client.ask(parse(text, 'w'), describeStatement('w'), sync)),
      ...(await client.ask(runPrepared('w', ['30', '1']), runPrepared('w', ['31', '2']), sync)),
      ...(await client.ask(runPrepared('w', ['32', '99']), runPrepared('w', ['33', '2']), sync)),
      ...(await client.ask(parse(both, 'b'), describeStatement('b'), sync)),
      ...(await client.ask(runPrepared('b', ['3', '40']), sync)),
      ...(await client.ask(run(text, ['50', null]), sync)),
    ];
  }));
