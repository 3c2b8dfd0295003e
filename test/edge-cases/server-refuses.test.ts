/** What PostgreSQL refuses while it reads a statement, whatever the tables are: the words are the server's. */
import { describe, expect, test, vi } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { askAll, readable } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { on, sameOn } = useSides();

const D = 'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING *) SELECT id FROM d';
const BARE = 'WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT 1';
const MERGE =
  'WITH m AS (MERGE INTO orgs o USING users u ON o.id = u.org_id WHEN MATCHED THEN DELETE RETURNING o.*) SELECT id FROM m';

describe('77 a WITH that deletes below the top level:', () => {
  test.each([
    `SELECT * FROM (${D}) q`,
    `SELECT (${D})`,
    `SELECT 1 WHERE 1 IN (${D})`,
    `SELECT 1 WHERE EXISTS (${BARE})`,
    `SELECT ARRAY(${D})`,
    `SELECT 1 AS id UNION ALL (${D})`,
    `(${D}) UNION ALL SELECT 1`,
    `(${D}) EXCEPT (${D})`,
    `SELECT 1 ORDER BY (${D})`,
    `SELECT 1 LIMIT (${D})`,
    `SELECT coalesce(id, (${D})) FROM orgs`,
    `SELECT * FROM orgs, LATERAL (${D}) q`,
    `SELECT * FROM generate_series(1, (${D}))`,
    `VALUES ((${D}))`,
    `WITH w AS (${D}) SELECT * FROM w`,
    `WITH RECURSIVE w AS (SELECT 1 AS id UNION ALL (${D})) SELECT * FROM w`,
    `WITH w AS (DELETE FROM users WHERE id IN (${D})) SELECT 1`,
    `WITH w AS (DELETE FROM orgs WHERE id = 2 RETURNING (${D})) SELECT * FROM w`,
    `WITH w AS (DELETE FROM orgs WHERE id = 2 RETURNING orgs.*, (${D})) SELECT * FROM w`,
    `WITH w AS (WITH d AS (DELETE FROM users WHERE id = 11 RETURNING *) DELETE FROM orgs USING d WHERE orgs.id = 1) SELECT 1`,
    `INSERT INTO alone ${D}`,
    `INSERT INTO alone (${D})`,
    `INSERT INTO alone VALUES ((${D}))`,
    `INSERT INTO alone VALUES (1) ON CONFLICT (id) DO UPDATE SET id = (${D})`,
    `INSERT INTO alone VALUES (9) RETURNING (${D})`,
    `UPDATE alone SET id = (${D})`,
    `UPDATE alone SET id = q.id FROM (${D}) q`,
    `DELETE FROM orgs WHERE id IN (${D})`,
    `DELETE FROM orgs USING (${D}) q WHERE q.id = orgs.id RETURNING orgs.*`,
    `DELETE FROM orgs WHERE id = 2 RETURNING (${D})`,
    `DELETE FROM alone WHERE id IN (${D})`,
    `MERGE INTO orgs o USING (${D}) q ON q.id = o.id WHEN MATCHED THEN DELETE`,
    `MERGE INTO alone o USING (${D}) q ON q.id = o.id WHEN MATCHED THEN UPDATE SET id = 1`,
    `SELECT * FROM (${MERGE}) q`,
    `SELECT * FROM (WITH i AS (INSERT INTO users VALUES (99, 1) RETURNING *) SELECT * FROM i) q, (${D}) r`,
    `WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT * FROM (WITH i AS (INSERT INTO users VALUES (99, 1) RETURNING *) SELECT * FROM i) q`,
    `WITH d AS (DELETE FROM orgs WHERE id = 1) UPDATE alone SET id = (WITH u AS (UPDATE users SET id = 1 RETURNING id) SELECT id FROM u)`,
    `EXPLAIN SELECT (${D})`,
    `EXPLAIN ANALYZE SELECT (${D})`,
    `EXPLAIN (ANALYZE, COSTS off) DELETE FROM orgs WHERE id IN (${D})`,
    `PREPARE p AS SELECT (${D})`,
    `PREPARE p (int) AS DELETE FROM orgs WHERE id = $1 AND id IN (${D})`,
    `CREATE TABLE t AS SELECT (${D})`,
    `CREATE TABLE t AS SELECT * FROM (${D}) q WITH NO DATA`,
    `SELECT (${D}) INTO t`,
    `COPY (SELECT (${D})) TO STDOUT`,
    `COPY (DELETE FROM orgs WHERE id IN (${D}) RETURNING *) TO STDOUT`,
  ])('%s', (text) => refusedAsNatively(text));
});

describe('77 a WITH that deletes, where none may stand:', () => {
  test.each([
    `DECLARE c CURSOR FOR ${D}`,
    `DECLARE c CURSOR WITH HOLD FOR ${D}`,
    `EXPLAIN DECLARE c CURSOR FOR ${D}`,
    `EXPLAIN ANALYZE DECLARE c CURSOR FOR ${D}`,
    `DECLARE c CURSOR FOR SELECT (${D})`,
    `CREATE VIEW v AS ${D}`,
    `CREATE OR REPLACE TEMP VIEW v AS ${D}`,
    `CREATE RECURSIVE VIEW v (id) AS ${D}`,
    `CREATE MATERIALIZED VIEW v AS ${D}`,
    `CREATE MATERIALIZED VIEW v AS ${D} WITH NO DATA`,
    `EXPLAIN ANALYZE CREATE MATERIALIZED VIEW v AS ${D}`,
    `CREATE SCHEMA a CREATE VIEW v AS ${D}`,
    `COPY (DELETE FROM orgs WHERE id = 1) TO STDOUT`,
    `COPY (WITH d AS (DELETE FROM orgs WHERE id = 1) DELETE FROM users) TO STDOUT`,
    `COPY (WITH d AS (DELETE FROM orgs WHERE id = 1) INSERT INTO alone VALUES (9)) TO STDOUT`,
    `COPY (${MERGE.replace(/RETURNING.*/, 'RETURNING 1')} SELECT 1 INTO t) TO STDOUT`,
    `CREATE TABLE t (a int DEFAULT (${D}))`,
    `CREATE TABLE t (a int CHECK (a IN (${D})))`,
    `CREATE TABLE t (a int GENERATED ALWAYS AS ((${D})) STORED)`,
    `ALTER TABLE alone ALTER id TYPE int USING (${D})`,
    `CREATE INDEX i ON alone ((${D}))`,
    `CREATE INDEX i ON alone (id) WHERE id IN (${D})`,
    `CREATE POLICY p ON alone USING (id IN (${D}))`,
    `CALL nothing((${D}))`,
    `CREATE TABLE t PARTITION OF alone FOR VALUES IN ((${D}))`,
    `ALTER TABLE alone ADD CHECK (id IN (${D}))`,
    `CREATE STATISTICS st ON (${D}), id FROM alone`,
  ])('%s', (text) => refusedAsNatively(text));
});

describe('77 a WITH that is not well-formed:', () => {
  test.each([
    'WITH RECURSIVE d AS (DELETE FROM orgs WHERE id IN (SELECT id FROM d) RETURNING id) SELECT * FROM d',
    'WITH RECURSIVE orgs AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM orgs',
    'WITH RECURSIVE d AS (DELETE FROM orgs USING e WHERE e.id = orgs.id RETURNING orgs.id), e AS (SELECT id FROM d) SELECT * FROM e',
    'WITH RECURSIVE d AS (DELETE FROM orgs RETURNING (SELECT max(id) FROM d)) SELECT * FROM d',
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SEARCH DEPTH FIRST BY id SET o SELECT * FROM d',
    'WITH RECURSIVE d AS (DELETE FROM orgs WHERE id = 1 RETURNING id) CYCLE id SET c USING p SELECT * FROM d',
    'WITH d AS (DELETE FROM orgs WHERE id = 1 RETURNING id), d AS (SELECT 1) SELECT * FROM d',
    'WITH d (a, b) AS (DELETE FROM orgs WHERE id = 1 RETURNING id) SELECT * FROM d',
    'WITH d AS (DELETE FROM orgs WHERE id = 1) SELECT * FROM d',
    'WITH d AS (DELETE FROM d) SELECT 1',
    'WITH d AS (SELECT 1) DELETE FROM d',
    'WITH d AS (DELETE FROM orgs RETURNING *) SELECT * FROM d FOR UPDATE',
    'WITH d AS (DELETE FROM orgs) DELETE FROM orgs WHERE sum(id) > 1',
  ])('%s', (text) => refusedAsNatively(text));
});

/** Refused in a query, in a pipeline and among other statements, and nothing is gone. */
function refusedAsNatively(text: string): Promise<void> {
  const schema = `${SAMPLE}; CREATE PROCEDURE nothing(int) LANGUAGE sql AS 'SELECT 1'`;
  return sameOn(ALL, schema, async ({ client }) => {
    const answers = await askAll(client, [text, 'BEGIN', text, text, 'ROLLBACK', `SELECT '🐘'; ${text}`]);
    answers.push(...(await client.ask(run(text), run('SELECT 2'), sync)));
    const errors = readable(answers).filter((each) => each.startsWith('E'));
    if (!text.startsWith('EXPLAIN SELECT')) expect(errors).toHaveLength(5);
    return answers;
  });
}

test('77 what is refused as it is read is passed on even where what cannot be expanded is refused by name', async () => {
  const { client } = await on('emulated', SAMPLE);
  const [error] = await client.told(query(`SELECT (${D})`));
  expect(error).toMatch(/^E C=0A000 .*must be at the top level/);
  expect(error).not.toMatch(/PGC_/);
});
