/** Rows that go by another command than DELETE: MERGE and TRUNCATE; and by code that runs in the server. */
import { describe, expect, test, vi } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { askAll, readable } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn, on } = useSides();

describe('52 MERGE', () => {
  const using = (list: string) => `MERGE INTO orgs o USING (VALUES ${list}) AS v (id, name) ON v.id = o.id`;
  test.each([
    ['that deletes cascades', `${using("(1, 'x'), (9, 'y')")} WHEN MATCHED THEN DELETE`],
    [
      'that deletes some and updates others',
      `${using("(1, 'x'), (2, 'y')")} WHEN MATCHED AND o.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = v.name`,
    ],
    [
      'that deletes, updates and inserts tells what it did',
      `${using("(1, 'x'), (2, 'y'), (9, 'z')")} WHEN MATCHED AND o.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, v.name) RETURNING merge_action(), o.*, v.id`,
    ],
    [
      'WHEN NOT MATCHED BY SOURCE',
      `${using("(4, ''), (5, '')")} WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING o.id`,
    ],
    [
      'that does nothing to some',
      `${using("(1, 'x'), (4, 'y')")} WHEN MATCHED AND o.id = 4 THEN DO NOTHING WHEN MATCHED THEN DELETE`,
    ],
    ['that a rule stops', `${using("(4, 'x')")} WHEN MATCHED THEN DELETE`],
    [
      'from a table with children',
      'MERGE INTO orgs USING users ON org_id = orgs.id AND users.id = 11 WHEN MATCHED THEN DELETE RETURNING users.*',
    ],
    [
      'after a WITH',
      `WITH v AS (SELECT 1 AS id) MERGE INTO orgs USING v ON v.id = orgs.id WHEN MATCHED THEN DELETE RETURNING v.id`,
    ],
    [
      'inside of a WITH',
      `WITH m AS (${using("(1, 'x')")} WHEN MATCHED THEN DELETE RETURNING merge_action() AS did, o.id) SELECT * FROM m`,
    ],
    ['that does not delete', `${using("(1, 'x')")} WHEN MATCHED THEN UPDATE SET name = 'z'`],
    [
      'into ONLY a table',
      'MERGE INTO ONLY orgs AS o USING alone ON alone.id = o.id AND o.id < 3 WHEN MATCHED THEN DELETE',
    ],
  ])('%s', (_, sql) =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, ['BEGIN', sql, 'ROLLBACK'])),
      ...(await client.ask(run(sql), sync)),
    ]));
});

describe('52 TRUNCATE', () => {
  const tree =
    'CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS); INSERT INTO t VALUES (1, NULL), (2, 1)';
  test.each([
    ['of all tables at once', 'TRUNCATE orgs, users, posts, notes, invoices, badges'],
    ['CASCADE takes the others along', 'TRUNCATE orgs CASCADE'],
    ['CASCADE of several', 'TRUNCATE TABLE ONLY users, invoices RESTART IDENTITY CASCADE'],
    ['of a table that nothing references', 'TRUNCATE posts', 'TRUNCATE alone, badges'],
    ['in a transaction that is rolled back', 'BEGIN', 'TRUNCATE orgs CASCADE', 'ROLLBACK'],
  ])('%s', (_, ...texts) => same(SAMPLE, ...texts));

  test('of a table that references itself', () => same(tree, 'TRUNCATE t'));

  test.each([
    'TRUNCATE orgs',
    'TRUNCATE alone, orgs, users',
    'TRUNCATE users RESTRICT',
    'BEGIN; TRUNCATE ONLY orgs',
  ])('of a table alone that others reference has the native error in every field: %s', async (sql) => {
    const told = async (kind: 'native' | 'emulated') => {
      const { client } = await on(kind, SAMPLE);
      return readable(await client.ask(query(sql))).filter((each) => each.startsWith('E'));
    };
    expect(await told('emulated')).toEqual(await told('native'));
  });
});

const CODE = `${SAMPLE}
  CREATE FUNCTION drop_org(int) RETURNS int LANGUAGE sql AS 'DELETE FROM s.orgs WHERE id = $1 RETURNING id';
  CREATE PROCEDURE drop_it(int) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM s.orgs WHERE id = $1; END $$;
  CREATE FUNCTION drop_with() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM s.orgs WHERE id = OLD.id; RETURN OLD; END $$;
  CREATE TRIGGER t AFTER DELETE ON alone FOR EACH ROW EXECUTE FUNCTION drop_with();
  CREATE TABLE log (id int); CREATE RULE r AS ON INSERT TO log DO ALSO DELETE FROM s.orgs WHERE id = NEW.id`;
describe('53 a DELETE that the proxy cannot see does not cascade:', () => {
  const hidden = [
    ['in a DO block', 'DO $$ BEGIN DELETE FROM s.orgs WHERE id = 1; END $$'],
    ['in a function', 'SELECT drop_org(1)'],
    ['in a procedure', 'CALL drop_it(1)'],
    ['in a trigger', 'DELETE FROM alone WHERE id = 1'],
    ['in a rule', 'INSERT INTO log VALUES (1)'],
  ] as const;
  const orphans = 'SELECT count(*) FROM users WHERE org_id NOT IN (SELECT id FROM orgs)';

  test.each(hidden)('%s', async (_, sql) => {
    const { client } = await on('emulated', CODE);
    await client.ask(query(sql));
    expect(await client.told(query(orphans))).toContain('D 2');
  });

  test.each(hidden)('%s, where keys are enforced, the server refuses it', async (_, sql) => {
    const { client } = await on('overridden', CODE);
    expect((await client.told(query(sql))).at(-2)).toMatch(/C=23503/);
    expect(await client.told(query(orphans))).toContain('D 0');
  });

  const strict = useProxy({ cascade: { code: 'reject' } });
  test.each(
    hidden.filter(([, sql]) => /^(?:DO|CALL)/.test(sql)),
  )('%s, which cascade.code refuses', async (_, sql) => {
    const { database } = await on('emulated', CODE);
    const client = await strict.connect(database);
    await expect(client.query(sql)).rejects.toMatchObject({
      code: '0A000',
      detail: expect.stringContaining('PGC_CODE'),
    });
    const { rows } = await client.query('SELECT count(*)::int FROM s.orgs');
    expect(rows).toEqual([{ count: 5 }]);
  });

  test('a DO beside an EXECUTE passes as a DO alone does, where the session has switched cascades off', async () => {
    const { database } = await on('emulated', CODE);
    const client = await strict.connect(database);
    await client.query('PREPARE d AS DELETE FROM s.orgs WHERE id = 1');
    await client.query('SET pgcascade.mode = off');
    await client.query(`DO 'BEGIN END'`);
    await client.query(`EXECUTE d; DO 'BEGIN END'`);
    const { rows } = await client.query('SELECT id FROM s.orgs WHERE id = 1');
    expect(rows).toEqual([]);
  });
});
