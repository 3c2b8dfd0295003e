/** Guarded writes beside a DELETE in one statement, with cascade.guard: check: looked at as natively, where the DELETE takes nothing that keys reference. */
import { describe, expect, test } from 'vitest';
import { describeStatement, parse, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });
const LEFT = 'SELECT id, org FROM wide ORDER BY id';
const SETUP = 'INSERT INTO alone VALUES (1, 1), (2, 99), (3, 2); INSERT INTO wide VALUES (1, 1), (2, 2)';
const MERGE = `MERGE INTO wide USING (VALUES (1, NULL), (3, 2), (4, 1)) AS v (id, org) ON wide.id = v.id
  WHEN MATCHED AND v.org IS NULL THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.org)`;

describe('a simple query', () => {
  test.each([
    'WITH d AS (DELETE FROM alone WHERE id <> 2 RETURNING *) INSERT INTO wide SELECT id + 10, org FROM d',
    'WITH d AS (DELETE FROM alone RETURNING *) INSERT INTO wide SELECT id + 10, org FROM d',
    'WITH d AS (DELETE FROM alone RETURNING *) INSERT INTO wide SELECT id + 10, 1 FROM d RETURNING *',
    'WITH i AS (INSERT INTO wide VALUES (10, 2) RETURNING id) DELETE FROM alone WHERE id IN (SELECT id - 9 FROM i) RETURNING *',
    'WITH i AS (INSERT INTO wide VALUES (10, 99)) DELETE FROM alone',
    'WITH i AS (UPDATE wide SET org = 1) DELETE FROM alone WHERE false',
    'WITH i AS (INSERT INTO wide VALUES (10, 99)) DELETE FROM alone WHERE false',
    'WITH d AS (DELETE FROM wide WHERE id = 1 RETURNING *) UPDATE wide SET org = 2 FROM d WHERE wide.id = d.id + 1',
    'WITH d AS (DELETE FROM wide RETURNING *), u AS (UPDATE users SET org_id = 99 WHERE id = 20) SELECT * FROM d',
    'WITH d AS (DELETE FROM wide RETURNING *), o AS (INSERT INTO orgs VALUES (5)), u AS (INSERT INTO users (id, org_id) SELECT 30, 5 FROM d WHERE id = 1) TABLE d',
    'WITH d AS (DELETE FROM wide WHERE org = 1) UPDATE orgs SET id = 70 WHERE id = 7',
    'WITH d AS (DELETE FROM wide WHERE org = 1) UPDATE orgs SET id = 70 WHERE id = 1',
    MERGE,
    `${MERGE} RETURNING merge_action(), wide.*`,
    MERGE.replace('4, 1', '4, 99'),
    `${MERGE.replace('THEN DELETE', 'THEN DELETE WHEN MATCHED THEN UPDATE SET org = v.org')} RETURNING old.*, new.*`,
    MERGE.replace('THEN DELETE', 'THEN DELETE WHEN MATCHED THEN UPDATE SET org = v.org').replace(
      '3, 2',
      '2, 9',
    ),
    `WITH m AS (${MERGE} RETURNING merge_action(), wide.*) SELECT * FROM m`,
    'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) WITH i AS (INSERT INTO wide VALUES (10, 99)) DELETE FROM alone',
    'WITH i AS (INSERT INTO wide VALUES (10, 1)) DELETE FROM orgs WHERE id = 7',
    'WITH i AS (INSERT INTO wide VALUES (10, 99)) DELETE FROM orgs WHERE id = 7',
    'COPY (WITH d AS (DELETE FROM alone RETURNING *) INSERT INTO wide SELECT id + 10, 1 FROM d RETURNING *) TO STDOUT',
  ])('%s', async (text) => {
    await twin.queries(SETUP, text, LEFT, 'TABLE alone');
  });

  test('in a transaction, in a string, and prepared by SQL', () =>
    twin.queries(
      SETUP,
      'BEGIN; WITH d AS (DELETE FROM alone WHERE id = 1 RETURNING *) INSERT INTO wide SELECT 10, org FROM d; SELECT 1',
      'SAVEPOINT s; WITH d AS (DELETE FROM alone WHERE id = 2 RETURNING *) INSERT INTO wide SELECT 20, org FROM d; SELECT 1',
      'ROLLBACK TO s; COMMIT',
      'PREPARE m AS WITH d AS (DELETE FROM alone WHERE id = $1 RETURNING *) INSERT INTO wide SELECT id + 20, org FROM d RETURNING id',
      'EXECUTE m (3)',
      'EXECUTE m (2)',
      LEFT,
    ));
});

test('the extended protocol', () =>
  twin.asNative(async (client) => {
    const move =
      'WITH d AS (DELETE FROM alone WHERE id = $1 RETURNING *) INSERT INTO wide SELECT id + 20, org FROM d RETURNING *';
    return [
      ...(await client.ask(run(SETUP.split('; ')[0] ?? ''), run(SETUP.split('; ')[1] ?? ''), sync)),
      ...(await client.ask(parse(move, 'm'), describeStatement('m'), runPrepared('m', ['1']), sync)),
      ...(await client.ask(runPrepared('m', ['2']), runPrepared('m', ['3']), sync)),
      ...(await client.ask(
        run(MERGE),
        run('WITH i AS (INSERT INTO wide VALUES (50, 99)) DELETE FROM alone'),
        sync,
      )),
    ];
  }));

test.each([
  [
    'WITH d AS (DELETE FROM orgs WHERE id = 7 RETURNING id) INSERT INTO wide SELECT 9, id FROM d',
    'references by wide_org_fkey what is deleted',
  ],
  [
    'MERGE INTO users USING (VALUES (20)) AS v (id) ON users.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)',
    'beside a DELETE that cascades, writes in',
  ],
])('beside a DELETE that cascades it is refused by name: %s', async (text, message) => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(client.query(text)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining(message),
  });
});

test.each([
  [
    'the DELETE, which is read, is executed first, and takes the new child',
    'WITH d AS (DELETE FROM orgs WHERE id = 7 RETURNING id) INSERT INTO users (id, org_id) SELECT 9, id FROM d',
    undefined,
  ],
  [
    'the DELETE, which nobody reads, is executed last, and the key of the new child is looked at first',
    'WITH d AS (DELETE FROM orgs WHERE id = 7 RETURNING id) INSERT INTO users (id, org_id) VALUES (9, 7)',
    '23503',
  ],
  [
    'the INSERT, which nobody reads, is executed last, and its child is taken before its key is looked at',
    'WITH i AS (INSERT INTO users (id, org_id) VALUES (9, 7)) DELETE FROM orgs WHERE id = 7',
    undefined,
  ],
  [
    'the INSERT, which is read, is executed first, and its key is looked at first',
    'WITH i AS (INSERT INTO users (id, org_id) VALUES (9, 7) RETURNING org_id) DELETE FROM orgs USING i WHERE orgs.id = i.org_id',
    '23503',
  ],
])('natively the order of execution decides, for which it is refused here: %s', async (_, text, code) => {
  const client = await twin.native.client();
  const said = await client.query(text).catch((error: unknown) => error);
  if (code) expect(said).toMatchObject({ code });
  else expect((await client.query('SELECT FROM users WHERE id = 9')).rowCount).toBe(0);
});
