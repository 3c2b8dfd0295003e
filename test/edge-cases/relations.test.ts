/** What a DELETE may name beside a plain table: views, partitions, inheritance, and what is done to these. */
import { describe, expect, test, vi } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../session/frontend-messages.js';
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

const PARTITIONS = `CREATE TABLE p (id int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (id);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT PARTITION BY RANGE (id);
  CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (15); CREATE TABLE p22 (n int, gone int, id int NOT NULL); ALTER TABLE p22 DROP gone;
  ALTER TABLE p2 ATTACH PARTITION p22 DEFAULT;
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS, m int) PARTITION BY HASH (id);
  CREATE TABLE c0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (m);
  CREATE TABLE c10 PARTITION OF c1 DEFAULT;
  CREATE TABLE z (id int REFERENCES p ON DELETE SET NULL KEYS) PARTITION BY LIST (id); CREATE TABLE z0 PARTITION OF z DEFAULT;
  CREATE TABLE r (id int REFERENCES p KEYS);
  INSERT INTO p SELECT generate_series(1, 20); INSERT INTO c SELECT id, id % 3 FROM p; INSERT INTO z SELECT id FROM p; INSERT INTO r VALUES (4), (14)`;
describe('56 partitions', () => {
  test.each([
    ['cascade from their root', 'DELETE FROM p WHERE id IN (1, 2, 12, 17)'],
    ['cascade from a partition', 'DELETE FROM p1 WHERE id < 3 RETURNING *'],
    ['cascade from a partition of a partition', 'DELETE FROM p21 WHERE id = 12'],
    [
      'cascade from one whose columns stand otherwise',
      'DELETE FROM p22 WHERE id = 17 RETURNING *',
      'DELETE FROM p2 WHERE id > 18 RETURNING *',
    ],
    ['cascade from ONLY a partition', 'DELETE FROM ONLY p22 WHERE id = 16'],
    ['have no rows in ONLY their root', 'DELETE FROM ONLY p', 'DELETE FROM ONLY p2'],
    [
      'are deleted from by themselves where they reference',
      'DELETE FROM c0',
      'DELETE FROM c1',
      'DELETE FROM z',
    ],
    [
      'tell a broken rule with the name of the copy of its key',
      'DELETE FROM p',
      'DELETE FROM p1',
      'DELETE FROM p21',
      'DELETE FROM p2 WHERE id = 14',
    ],
    [
      'in one string',
      'DELETE FROM p1 WHERE id = 1; DELETE FROM p WHERE id = 2; DELETE FROM p22 WHERE id = 16',
    ],
    ['that are truncated', 'TRUNCATE c', 'TRUNCATE c0'],
  ])('%s', (_, ...texts) => same(PARTITIONS, ...texts));

  test.each([
    [
      'a parent’s partition attached',
      'DELETE FROM p WHERE id = 1',
      'CREATE TABLE p3 (id int PRIMARY KEY, n int); INSERT INTO p3 VALUES (31), (32)',
      'DELETE FROM p2 WHERE id > 15; ALTER TABLE p2 ATTACH PARTITION p3 FOR VALUES FROM (30) TO (40); INSERT INTO c VALUES (31, 1), (32, 1)',
      'DELETE FROM p3 WHERE id = 31',
      'DELETE FROM p WHERE id = 32',
    ],
    [
      'a parent’s partition detached',
      'DELETE FROM p22 WHERE id = 16',
      'DELETE FROM c WHERE id > 15; DELETE FROM z WHERE id > 15; ALTER TABLE p2 DETACH PARTITION p22',
      'DELETE FROM p22',
      'DELETE FROM p WHERE id = 11',
    ],
    [
      'a child’s partition detached',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c0',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'SELECT count(*) FROM c0',
    ],
    [
      'a child’s partition attached',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c0; CREATE TABLE c2 (id int, m int); INSERT INTO c2 SELECT * FROM c0; ALTER TABLE c ATTACH PARTITION c2 FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
      'DELETE FROM p WHERE id IN (2, 3, 12)',
    ],
    [
      'a level added',
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE c DETACH PARTITION c1; CREATE TABLE c9 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO c9 VALUES (3, 3)',
      'DELETE FROM p WHERE id IN (3, 5)',
    ],
  ])('are as they are after %s', (_, ...texts) => same(PARTITIONS, ...texts));

  test.each([
    [
      'of its own is followed',
      'CREATE TABLE own (id int REFERENCES p1 ON DELETE CASCADE KEYS); INSERT INTO own VALUES (1), (2)',
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p1 WHERE id = 2',
    ],
    [
      'to a partition alone leaves the others',
      'CREATE TABLE own (id int REFERENCES p21 ON DELETE SET NULL KEYS); INSERT INTO own VALUES (11), (12)',
      'DELETE FROM p WHERE id > 10 AND id <> 14',
      'DELETE FROM p21',
    ],
    [
      'of a child’s partition is followed',
      'ALTER TABLE c0 ADD UNIQUE (id); CREATE TABLE own (id int REFERENCES c0 (id) ON DELETE CASCADE KEYS); INSERT INTO own SELECT id FROM c0',
      'DELETE FROM p WHERE id < 4',
      'DELETE FROM c',
    ],
    [
      'that restricts one partition',
      'CREATE TABLE own (id int REFERENCES p1 ON DELETE RESTRICT KEYS); INSERT INTO own VALUES (1)',
      'DELETE FROM p WHERE id IN (1, 11)',
      'DELETE FROM p WHERE id = 11',
    ],
    [
      'of a partition to its own root',
      'ALTER TABLE p ADD up int; UPDATE p SET up = 1 WHERE id IN (2, 5); UPDATE p SET up = 2 WHERE id = 7; ALTER TABLE p1 ADD FOREIGN KEY (up) REFERENCES p ON DELETE CASCADE KEYS',
      'DELETE FROM p WHERE id = 1',
    ],
  ])('with a key %s', (_, more, ...texts) => same(`${PARTITIONS}; ${more}`, ...texts));

  test('that are moved between by an UPDATE keep their children', () =>
    same(
      PARTITIONS,
      'DELETE FROM c WHERE id = 1; DELETE FROM z WHERE id = 1; UPDATE p SET id = 30 WHERE id = 1; INSERT INTO c VALUES (30)',
      'DELETE FROM p WHERE id = 30',
    ));
});

const FAMILY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE derived (more int) INHERITS (p); CREATE TABLE further () INHERITS (derived);
  CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); CREATE TABLE c2 () INHERITS (c);
  INSERT INTO p VALUES (1), (2), (3); INSERT INTO derived VALUES (1), (3), (4); INSERT INTO further VALUES (2), (5);
  INSERT INTO c VALUES (1), (2), (3); INSERT INTO c2 VALUES (1), (2), (3), (4)`;
const OWN = `${FAMILY}; ALTER TABLE derived ADD UNIQUE (id); CREATE TABLE d (id int REFERENCES derived (id) ON DELETE CASCADE KEYS); INSERT INTO d VALUES (1), (3), (4)`;
describe('57 inheritance:', () => {
  test.each([
    [
      'rows of derived tables have no children of their parent’s',
      FAMILY,
      'DELETE FROM derived',
      'DELETE FROM further',
    ],
    ['ONLY leaves the derived tables', FAMILY, 'DELETE FROM ONLY p WHERE id = 1 RETURNING *'],
    [
      'without ONLY the derived rows go, and bring nobody along',
      FAMILY,
      'DELETE FROM p WHERE id IN (1, 4) RETURNING *, tableoid::regclass::text',
      'DELETE FROM p *',
    ],
    [
      'the children of a derived table go with its rows alone',
      OWN,
      'DELETE FROM ONLY p WHERE id = 1',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM derived',
    ],
    [
      'a rule counts for the table that it names',
      FAMILY.replace('CASCADE', 'RESTRICT'),
      'DELETE FROM derived',
      'DELETE FROM p WHERE id = 4',
      'DELETE FROM p WHERE id = 1',
    ],
    ['SET NULL changes no derived rows', FAMILY.replace('CASCADE', 'SET NULL'), 'DELETE FROM p WHERE id < 3'],
    [
      'a child that is inherited from is deleted from alone',
      OWN,
      'DELETE FROM c',
      'DELETE FROM c2 WHERE id = 1',
    ],
    [
      'NO INHERIT and INHERIT are seen',
      OWN,
      'DELETE FROM p WHERE id = 1',
      'ALTER TABLE derived NO INHERIT p',
      'DELETE FROM p WHERE id = 3',
      'ALTER TABLE derived INHERIT p',
      'DELETE FROM p',
    ],
    [
      'a table may inherit from two',
      `CREATE TABLE a1 (id int PRIMARY KEY); CREATE TABLE a2 (id int PRIMARY KEY); CREATE TABLE d () INHERITS (a1, a2);
      CREATE TABLE c1 (id int REFERENCES a1 ON DELETE CASCADE KEYS); CREATE TABLE c2 (id int REFERENCES a2 ON DELETE SET NULL KEYS);
      INSERT INTO a1 VALUES (1), (2); INSERT INTO a2 TABLE a1; INSERT INTO c1 TABLE a2; INSERT INTO c2 TABLE a2; INSERT INTO d VALUES (1), (3)`,
      'DELETE FROM d WHERE id = 3',
      'DELETE FROM a1 WHERE id = 1 RETURNING tableoid::regclass::text, *',
      'DELETE FROM a2',
    ],
  ])('%s', (_, schema, ...texts) => same(schema, ...texts));
});
