/** Triggers that delete: what they delete is neither cascaded nor checked, and that is said, or refused. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import { type RunningProxy, useProxy } from '../support/proxy.js';

vi.setConfig({ testTimeout: 15_000 });

const database = useDatabase();
const session = useKeptSessions();

/** p ← c ← g; q ← z; f is not touched by any key, e is enforced below h. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q (id int PRIMARY KEY); CREATE TABLE h (id int PRIMARY KEY);
  CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE g (id int, c int REFERENCES c ON DELETE SET NULL NOT ENFORCED, other int);
  CREATE TABLE z (id int, q int REFERENCES q ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE e (id int, h int REFERENCES h ON DELETE CASCADE);
  CREATE TABLE f (id int);
  CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted DEFAULT;
  CREATE TABLE k (id int REFERENCES parted ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO p VALUES (1); INSERT INTO q VALUES (1); INSERT INTO c VALUES (1, 1); INSERT INTO g VALUES (1, 1);
  INSERT INTO z VALUES (1, 1); INSERT INTO h VALUES (1); INSERT INTO e VALUES (1, 1); INSERT INTO f VALUES (1);
  CREATE FUNCTION deletes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.q; RETURN OLD; END';
  CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF TG_OP = ''DELETE'' THEN PERFORM 1; END IF; IF TG_OP IN (''UPDATE'', ''truncate'') THEN RAISE NOTICE ''undeleted''; END IF; RETURN OLD; END'`;

beforeEach(async () => {
  const client = await database.connect();
  await client.query(SCHEMA);
  await client.end();
});

async function told(proxy: RunningProxy, ...texts: readonly string[]): Promise<readonly string[]> {
  const client = await session(proxy, { database: database.name });
  const answers: string[] = [];
  for (const text of [`SET search_path = s`, ...texts]) answers.push(...(await client.told(query(text))));
  return answers;
}

const trigger = (when: string, on: string, does = 'deletes', name = 't') =>
  `CREATE TRIGGER ${name} ${when} ON ${on} EXECUTE FUNCTION ${does}()`;
const row = (when: string, on: string, does = 'deletes') => trigger(when, `${on} FOR EACH ROW`, does);

/** A trigger, and a statement that fires it. */
const FIRING: readonly (readonly [string, string, string])[] = [
  ['of a child', row('AFTER DELETE', 'c'), 'DELETE FROM p'],
  ['of a child, FOR EACH STATEMENT', trigger('AFTER DELETE', 'c'), 'DELETE FROM p'],
  ['of a child, BEFORE', row('BEFORE DELETE', 'c'), 'DELETE FROM p'],
  ['of the table itself', row('AFTER DELETE', 'p'), 'DELETE FROM p'],
  ['of a table that no key touches', row('AFTER DELETE', 'f'), 'DELETE FROM f'],
  [
    'of a table that no key touches, in a MERGE',
    row('AFTER DELETE', 'f'),
    'MERGE INTO f USING p ON true WHEN MATCHED THEN DELETE',
  ],
  [
    'of a table that no key touches, in a WITH',
    row('AFTER DELETE', 'f'),
    'WITH d AS (DELETE FROM f RETURNING *) SELECT FROM d',
  ],
  ['of a child that the server deletes from', row('AFTER DELETE', 'e'), 'DELETE FROM h'],
  ['of several events', row('AFTER INSERT OR DELETE OR UPDATE', 'c'), 'DELETE FROM p'],
  ['on UPDATE of what SET NULL changes', row('AFTER UPDATE', 'g'), 'DELETE FROM c'],
  ['on UPDATE OF the column that SET NULL changes', row('AFTER UPDATE OF c', 'g'), 'DELETE FROM p'],
  ['of a partitioned table, by its partition', row('AFTER DELETE', 'parted'), 'DELETE FROM part'],
  ['of a partition, by its table', row('AFTER DELETE', 'part'), 'DELETE FROM parted'],
  [
    'of a view, INSTEAD OF',
    `CREATE VIEW v AS SELECT 1 AS id; ${row('INSTEAD OF DELETE', 'v')}`,
    'DELETE FROM v',
  ],
  ['of the table behind a view', `CREATE VIEW v AS TABLE p; ${row('AFTER DELETE', 'c')}`, 'DELETE FROM v'],
  ['ON TRUNCATE', trigger('AFTER TRUNCATE', 'p'), 'TRUNCATE p CASCADE'],
  ['ON TRUNCATE of a table that no key touches', trigger('AFTER TRUNCATE', 'f'), 'TRUNCATE f'],
  [
    'whose function says it in a comment',
    `CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN -- merge
       RETURN OLD; END'; ${row('AFTER DELETE', 'c', 'harmless')}`,
    'DELETE FROM p',
  ],
  [
    'whose function executes a text',
    `CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN EXECUTE ''select 1''; RETURN OLD; END'; ${row('AFTER DELETE', 'c', 'harmless')}`,
    'DELETE FROM p',
  ],
  [
    'whose function calls others, of which one deletes',
    `CREATE FUNCTION inner_one() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.q; END';
     CREATE FUNCTION "Outer_Two"() RETURNS void LANGUAGE sql AS 'SELECT s.inner_one()';
     CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN PERFORM s."Outer_Two"(); RETURN OLD; END'; ${row('AFTER DELETE', 'c', 'harmless')}`,
    'DELETE FROM p',
  ],
  [
    'whose function calls one with a parsed body',
    `CREATE FUNCTION parsed() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM s.q; END;
     CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN PERFORM s.parsed(); RETURN OLD; END'; ${row('AFTER DELETE', 'c', 'harmless')}`,
    'DELETE FROM p',
  ],
  [
    'that is ENABLE ALWAYS',
    `${row('AFTER DELETE', 'c')}; ALTER TABLE c ENABLE ALWAYS TRIGGER t`,
    'DELETE FROM p',
  ],
];

/** A trigger that such a statement does not fire, or that does not delete. */
const SILENT: readonly (readonly [string, string, string])[] = [
  ['that only compares TG_OP', row('AFTER DELETE', 'c', 'harmless'), 'DELETE FROM p'],
  ['on INSERT', row('AFTER INSERT', 'c'), 'DELETE FROM p'],
  ['on UPDATE of what is deleted', row('AFTER UPDATE', 'c'), 'DELETE FROM p'],
  ['on UPDATE OF another column', row('AFTER UPDATE OF other', 'g'), 'DELETE FROM p'],
  ['ON TRUNCATE of what is deleted', trigger('AFTER TRUNCATE', 'c'), 'DELETE FROM p'],
  ['that is disabled', `${row('AFTER DELETE', 'c')}; ALTER TABLE c DISABLE TRIGGER t`, 'DELETE FROM p'],
  [
    'that is ENABLE REPLICA',
    `${row('AFTER DELETE', 'c')}; ALTER TABLE c ENABLE REPLICA TRIGGER t`,
    'DELETE FROM p',
  ],
  ['of a table above', row('AFTER DELETE', 'p'), 'DELETE FROM c'],
  [
    'of a partitioned table FOR EACH STATEMENT, by its partition',
    trigger('AFTER DELETE', 'parted'),
    'DELETE FROM part',
  ],
  ['of a partition FOR EACH STATEMENT, by its table', trigger('AFTER DELETE', 'part'), 'DELETE FROM parted'],
];

describe('76 cascade.triggers: warn, the default,', () => {
  const proxy = useProxy({ graph: { refresh: '0s' } });
  const warnings = () =>
    proxy.log.map((line) => String(JSON.parse(line).msg)).filter((msg) => msg.includes('trigger'));

  test.each(FIRING)('names a trigger %s, and lets the statement go', async (_, schema, text) => {
    const before = warnings().length;
    // A name that no other test has told already.
    const name = `t${before}_${FIRING.findIndex(([title]) => title === _)}`;
    const answers = await told(
      proxy,
      schema
        .replace('TRIGGER t ', `TRIGGER ${name} `)
        .replace('TRIGGER t;', `TRIGGER ${name};`)
        .replace(/TRIGGER t$/, `TRIGGER ${name}`),
      text,
      text,
    );
    expect(answers.filter((each) => each.startsWith('E'))).toEqual([]);
    expect(warnings().slice(before)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^\\S+: trigger "${name}" on "s"\\."\\w+" \\(function s\\.\\w+\\) may delete rows: that is neither cascaded nor checked`,
        ),
      ),
    ]);
  });

  test.each(SILENT)('says nothing of a trigger %s', async (_, schema, text) => {
    const before = warnings().length;
    const answers = await told(proxy, schema, text);
    expect(answers.filter((each) => each.startsWith('E'))).toEqual([]);
    expect(warnings().slice(before)).toEqual([]);
  });

  test('says nothing where the database has no key to perform', async () => {
    const before = warnings().length;
    await told(proxy, 'DROP TABLE p, q, c, g, z, k CASCADE', trigger('AFTER DELETE', 'f'), 'DELETE FROM f');
    expect(warnings().slice(before)).toEqual([]);
  });

  test('names each trigger of a statement once, in the extended protocol too', async () => {
    const before = warnings().length;
    await told(
      proxy,
      trigger('AFTER DELETE', 'c', 'deletes', 'several1'),
      trigger('AFTER DELETE', 'c FOR EACH ROW', 'deletes', 'several2'),
    );
    for (let i = 0; i < 2; i++) {
      const client = await session(proxy, { database: database.name });
      await client.told(run('DELETE FROM s.p WHERE id = $1', ['1']), sync);
    }
    expect(
      warnings()
        .slice(before)
        .map((msg) => /"several\d"/.exec(msg)?.[0]),
    ).toEqual(['"several1"', '"several2"']);
  });
});

describe('cascade.triggers: reject', () => {
  const proxy = useProxy({ cascade: { triggers: 'reject' }, graph: { refresh: '0s' } });

  test.each(FIRING)('refuses what fires a trigger %s', async (_, schema, text) => {
    const answers = await told(proxy, schema, text);
    expect(answers.join('\n')).toMatch(
      /E C=0A000 D=pgcascade reports PGC_TRIGGER\. H=.* M=cannot delete the rows of .*: trigger "t" on "s"\."\w+" may delete others/,
    );
    const client = await database.connect();
    const { rows } = await client.query(
      'SELECT (SELECT count(*)::int FROM s.p) + (SELECT count(*)::int FROM s.f) + (SELECT count(*)::int FROM s.e) AS all',
    );
    await client.end();
    expect(rows).toEqual([{ all: 3 }]);
  });

  test.each(SILENT)('lets a statement go that does not fire a trigger %s', async (_, schema, text) => {
    const answers = await told(proxy, schema, text);
    expect(answers.filter((each) => each.startsWith('E'))).toEqual([]);
  });

  test('refuses what a prepared statement would fire by now', async () => {
    const client = await session(proxy, { database: database.name });
    await client.ask(query('SET search_path = s; PREPARE d AS DELETE FROM p'));
    await client.ask(query(row('AFTER DELETE', 'c')));
    expect((await client.told(query('EXECUTE d'))).join()).toContain('PGC_TRIGGER');
  });

  test('notices that the function has come to delete', async () => {
    const client = await session(proxy, { database: database.name });
    await client.ask(query(`SET search_path = s; ${row('AFTER DELETE', 'c', 'harmless')}`));
    expect(await client.told(query('DELETE FROM p WHERE false'))).toContain('C DELETE 0');
    await client.ask(
      query(
        `CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM q; RETURN OLD; END'`,
      ),
    );
    expect((await client.told(query('DELETE FROM p'))).join()).toContain('PGC_TRIGGER');
  });
});

describe('cascade.triggers: reject, where the rest passes,', () => {
  const proxy = useProxy({ cascade: { triggers: 'reject', unsupported: 'pass' }, graph: { refresh: '0s' } });

  test('refuses all the same', async () => {
    expect((await told(proxy, row('AFTER DELETE', 'c'), 'DELETE FROM p')).join()).toContain('PGC_TRIGGER');
  });
});

describe('cascade.triggers: reject, in a database without the tables of the configuration,', () => {
  const proxy = useProxy({
    cascade: {
      triggers: 'reject',
      relations: [{ name: 'r', from: 'x.c(p)', to: 'x.p(id)', on_delete: 'cascade' }],
    },
    graph: { refresh: '0s' },
  });

  test('refuses nothing', async () => {
    const answers = await told(
      proxy,
      'DROP TABLE p, q, c, g, z, parted, k CASCADE',
      row('AFTER DELETE', 'f', 'harmless'),
      `CREATE OR REPLACE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.e; RETURN OLD; END'`,
      'DELETE FROM f',
    );
    expect(answers).toContain('C DELETE 1');
  });
});

describe('cascade.triggers: pass', () => {
  const proxy = useProxy({ cascade: { triggers: 'pass' }, graph: { refresh: '0s' } });

  test('says nothing, and cascades', async () => {
    expect(await told(proxy, row('AFTER DELETE', 'c'), 'DELETE FROM p')).toContain('C DELETE 1');
    expect(proxy.log).toEqual([]);
  });
});
