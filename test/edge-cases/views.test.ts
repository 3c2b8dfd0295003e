/** DELETE through views: those through which PostgreSQL deletes cascade, and others are as it says. */

import { describe, expect, test, vi } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, type Kind, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn, on } = useSides();

describe('43 a view', () => {
  const views = `${SAMPLE} CREATE VIEW shown AS SELECT * FROM orgs; CREATE VIEW renamed AS SELECT name AS id, o.id AS number FROM orgs o WHERE o.id < 4;
    CREATE VIEW over AS SELECT number AS n, id FROM renamed WHERE number > 1; CREATE VIEW only_orgs AS SELECT id FROM ONLY orgs;
    CREATE VIEW safe WITH (security_barrier, security_invoker) AS SELECT id + 0 AS sum, id FROM orgs WHERE id < 4 WITH CHECK OPTION;
    CREATE VIEW joined AS SELECT orgs.id FROM orgs JOIN users ON org_id = orgs.id; CREATE VIEW counted AS SELECT count(*) FROM orgs;
    CREATE VIEW "Qu""oted" AS SELECT id AS "i""d", 'orgs' AS t FROM orgs`;
  test.each([
    ['cascades', 'DELETE FROM shown WHERE id = 1'],
    ['cascades, and returns what it shows', 'DELETE FROM shown WHERE id = 1 RETURNING *'],
    ['deletes only what it shows', 'DELETE FROM renamed'],
    [
      'may call the columns otherwise',
      `DELETE FROM renamed AS r WHERE r.id = 'org 2' RETURNING number, id, r.*`,
    ],
    ['may show a view', 'DELETE FROM over RETURNING *'],
    ['may show ONLY a table', 'DELETE FROM only_orgs WHERE id = 2'],
    ['may have options', 'DELETE FROM safe WHERE sum > 1 RETURNING id, sum'],
    ['may have names that want quoting', 'DELETE FROM s."Qu""oted" q WHERE "i""d" = 3 RETURNING t'],
    [
      'may be joined',
      'DELETE FROM shown USING users WHERE org_id = shown.id AND users.id = 11 RETURNING shown.name',
    ],
    ['may stand in a WITH', 'WITH d AS (DELETE FROM shown WHERE id = 1 RETURNING name) SELECT * FROM d'],
    [
      'may be the target of a MERGE',
      'MERGE INTO shown USING (VALUES (1)) v (i) ON i = id WHEN MATCHED THEN DELETE',
    ],
    ['of a join is not deleted from', 'DELETE FROM joined'],
    ['does not get round a rule', 'DELETE FROM shown WHERE id = 4'],
    [
      'changed meanwhile is looked at again',
      'DELETE FROM shown WHERE id = 1',
      'CREATE OR REPLACE VIEW shown AS SELECT * FROM orgs WHERE id > 2',
      'DELETE FROM shown WHERE id < 4',
    ],
  ])('%s', (_, ...texts) => same(views, ...texts));

  test('is followed by a prepared DELETE', () =>
    sameOn(ALL, views, async ({ client }) => [
      ...(await client.ask(
        parse('DELETE FROM over WHERE n = $1 RETURNING id', 'd'),
        runPrepared('d', ['2']),
        sync,
      )),
      ...(await client.ask(run('DELETE FROM renamed WHERE number = $1', ['1']), sync)),
    ]));

  test.each([
    ['that counts', 'DELETE FROM counted', '55000'],
    ['that does not show the key', 'DELETE FROM nameless', undefined],
  ])('%s is not deleted from: pgcascade says so, whatever the server would say', async (_, sql, natively) => {
    const more = `${views}; CREATE VIEW nameless AS SELECT name FROM orgs WHERE id = 1`;
    const told = async (kind: Kind) => (await (await on(kind, more)).client.told(query(sql)))[0];
    expect(await told('native')).toMatch(natively === undefined ? 'C DELETE 1' : `C=${natively}`);
    expect(await told('emulated')).toMatch(/C=0A000 D=.*PGC_RELATION/);
  });

  test('with an INSTEAD OF trigger is refused: what its function deletes cannot be seen', async () => {
    const { client } = await on(
      'emulated',
      `${views}; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM s.orgs WHERE id = OLD.id; RETURN OLD; END $$;
      CREATE TRIGGER t INSTEAD OF DELETE ON shown FOR EACH ROW EXECUTE FUNCTION f()`,
    );
    expect((await client.told(query('DELETE FROM shown WHERE id = 1')))[0]).toMatch(
      /C=0A000 D=.*PGC_RELATION/,
    );
    expect(await client.told(query('SELECT count(*) FROM orgs'))).toContain('D 5');
  });
});

const PARTITIONED = `CREATE TABLE p (id int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
  CREATE TABLE p2 PARTITION OF p DEFAULT; CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS);
  INSERT INTO p SELECT generate_series(1, 12); INSERT INTO c SELECT id FROM p`;
const INHERITED = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE d (more int) INHERITS (p); CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS);
  INSERT INTO p VALUES (1), (2); INSERT INTO c TABLE p; INSERT INTO d VALUES (1), (3)`;
const over = (select: string, schema = SAMPLE) => `${schema}; CREATE VIEW v AS SELECT ${select}`;
describe('43 a view of', () => {
  test.each([
    [
      'a partitioned table',
      over('n, id FROM p', PARTITIONED),
      'DELETE FROM v WHERE id IN (1, 11) RETURNING *',
    ],
    ['a partition', over('n, id FROM p1', PARTITIONED), 'DELETE FROM v WHERE id IN (1, 11) RETURNING *'],
    [
      'ONLY a table that others inherit from',
      over('id AS x FROM ONLY p', INHERITED),
      'DELETE FROM v * WHERE x = 1 RETURNING *',
    ],
    [
      'one column under two names',
      over('id AS a, id AS b, name FROM orgs'),
      'DELETE FROM v WHERE a = 1 RETURNING a, b',
    ],
    [
      'rows with certain children',
      over('id FROM orgs o WHERE EXISTS (SELECT FROM users u WHERE u.org_id = o.id AND u.id < 30)'),
      'DELETE FROM v RETURNING id',
    ],
    [
      'a table with columns dropped',
      over(
        '* FROM z',
        'CREATE TABLE z (a int, id int PRIMARY KEY, b int); ALTER TABLE z DROP a; CREATE TABLE c (id int REFERENCES z ON DELETE CASCADE KEYS); INSERT INTO z VALUES (1, 2); INSERT INTO c VALUES (1)',
      ),
      'DELETE FROM v RETURNING *',
    ],
    [
      'a column that was renamed',
      `${over('id FROM orgs')}; ALTER TABLE orgs RENAME id TO nummer`,
      'DELETE FROM v WHERE id = 1 RETURNING *',
    ],
    ['some rows', over('id FROM orgs LIMIT 2'), 'DELETE FROM v'],
    ['distinct rows', over('DISTINCT id FROM orgs'), 'DELETE FROM v'],
    ['a WITH', `${SAMPLE}; CREATE VIEW v AS WITH x AS (SELECT 1) SELECT id FROM orgs`, 'DELETE FROM v'],
    ['a UNION', over('id FROM orgs UNION SELECT 1'), 'DELETE FROM v'],
    ['a sample', over('id FROM orgs TABLESAMPLE SYSTEM (100)'), 'DELETE FROM v'],
  ])('%s', (_, schema, sql) =>
    sameOn(ALL, schema, async ({ client }) => [
      ...(await askAll(client, ['BEGIN', sql, 'ROLLBACK'])),
      ...(await client.ask(run(sql), sync)),
    ]));

  test('another schema is followed wherever the search_path leads', () =>
    sameOn(
      ALL,
      `${SAMPLE} CREATE SCHEMA a; CREATE TABLE a.orgs (id int); INSERT INTO a.orgs VALUES (2);
      CREATE VIEW a.v AS SELECT id FROM s.orgs; CREATE VIEW a.w AS SELECT id FROM a.orgs`,
      async ({ client }) => {
        const texts = [
          'DELETE FROM a.v WHERE id = 1',
          'SET search_path = a',
          'DELETE FROM v WHERE id = 2',
          'DELETE FROM w',
          'SET search_path = a, s',
          'DELETE FROM v WHERE id = 3',
        ];
        return (await askAll(client, texts)).filter(({ type }) => type !== 'S');
      },
    ));

  test.each([
    ['a table that others inherit from', over('id FROM p', INHERITED), 'DELETE FROM v WHERE id = 1'],
    ['a table under other names', over('o.x AS id FROM orgs AS o (y, x)'), 'DELETE FROM v'],
  ])('%s is refused, and loses nothing', async (_, schema, sql) => {
    const { client } = await on('emulated', schema);
    const count = query('SELECT count(*) FROM v');
    const before = await client.told(count);
    expect((await client.told(query(sql)))[0]).toMatch(/C=0A000 D=.*PGC_RELATION.* H=\w/);
    expect(await client.told(count)).toEqual(before);
  });
});
