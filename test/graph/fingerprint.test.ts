/** The fingerprint of a catalog: another one whenever the graph may be another one, and no other one for the rest. */
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CatalogAnswer, readAnswer } from '../../src/graph/catalog/answer.js';
import type { Catalog } from '../../src/graph/catalog/catalog.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase();
const SIDE = { schema: 's', table: 'named', columns: ['id'] };
const NAMED = [{ name: 'named_fkey', from: SIDE, to: SIDE, on_delete: 'cascade', unique: true } as const];
const SCHEMA = `
  DROP SCHEMA IF EXISTS s, u, v, w CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE parent (id int PRIMARY KEY, code int);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int DEFAULT 1 CONSTRAINT fk REFERENCES parent ON DELETE CASCADE NOT ENFORCED, extra int);
  CREATE TABLE heir (more int) INHERITS (child);
  CREATE TABLE part (id int REFERENCES parent NOT ENFORCED) PARTITION BY LIST (id);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
  CREATE TABLE named (id int, code int);
  CREATE TABLE alone (id int PRIMARY KEY, code int DEFAULT 1);
  CREATE TABLE loner () INHERITS (alone);
  CREATE SCHEMA v; CREATE TABLE v.far (id int REFERENCES parent NOT ENFORCED);
  CREATE TABLE top (); CREATE TABLE peak ();
  CREATE TABLE under_top (id int REFERENCES parent NOT ENFORCED) INHERITS (top);
  CREATE TABLE under_peak (id int REFERENCES parent NOT ENFORCED) INHERITS (peak);
  CREATE VIEW shown AS SELECT id, code FROM parent;
  CREATE VIEW above AS SELECT id, code FROM shown;
  CREATE VIEW aside AS SELECT id, code FROM alone;
  CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
  CREATE TRIGGER react AFTER DELETE ON child FOR EACH ROW EXECUTE FUNCTION react();
  CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
  INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1);`;

/** A session that makes nothing itself. */
let observer: pg.Client;
beforeAll(async () => {
  observer = await database.connect();
});
beforeEach(() => observer.query(SCHEMA));
afterAll(() => observer.end());

async function ask(client: pg.Client, catalog = false): Promise<CatalogAnswer> {
  const question = { names: [], fingerprint: true, catalog, temporary: true, server: false };
  const { rows } = await client.query(catalogQuestion(question, NAMED));
  return readAnswer(rows[0].answer);
}

const tables = (catalog: Catalog | null) => (catalog?.relations ?? []).map(({ name }) => name).sort();

interface Effect {
  /** Whether the fingerprint is another one after a change, for others and for the session that made it. */
  readonly others: boolean;
  readonly own: boolean;
}

async function changes(sql: string): Promise<Effect> {
  const client = await database.connect();
  await client.query('SET search_path = s');
  const before = await ask(observer);
  expect((await ask(client)).fingerprint).toBe(before.fingerprint);
  // Some commands want a transaction of their own.
  for (const each of sql.split('; ')) await client.query(each);
  const others = (await ask(observer)).fingerprint !== before.fingerprint;
  const own = (await ask(client)).fingerprint !== before.fingerprint;
  await client.end();
  return { others, own };
}

describe('changes with', () => {
  test.each([
    'ALTER TABLE child DROP CONSTRAINT fk',
    'ALTER TABLE child RENAME CONSTRAINT fk TO other',
    'ALTER TABLE child ALTER CONSTRAINT fk ENFORCED',
    'ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES alone NOT ENFORCED',
    'ALTER TABLE alone ADD FOREIGN KEY (id) REFERENCES parent NOT ENFORCED',
    'CREATE INDEX ON child (parent_id)',
    'CREATE INDEX CONCURRENTLY ON child (parent_id)',
    'CREATE UNIQUE INDEX ON parent (code)',
    'ALTER TABLE parent ADD UNIQUE (code)',
    'ALTER TABLE named ADD PRIMARY KEY (id)',
    'ALTER TABLE child DROP CONSTRAINT child_pkey',
    'ALTER TABLE parent RENAME code TO kind',
    'ALTER TABLE parent ADD more int',
    'ALTER TABLE child DROP extra',
    'ALTER TABLE child ALTER id TYPE bigint',
    'ALTER TABLE named DROP COLUMN code',
    'ALTER TABLE child ALTER parent_id SET NOT NULL',
    'ALTER TABLE child ALTER parent_id SET DEFAULT 2',
    'ALTER TABLE child ALTER parent_id DROP DEFAULT',
    'ALTER TABLE heir NO INHERIT child',
    'ALTER TABLE heir RENAME more TO less',
    // The tables and their columns stay what they are.
    'BEGIN; ALTER TABLE under_top NO INHERIT top; ALTER TABLE under_top INHERIT peak; ALTER TABLE under_peak NO INHERIT peak; ALTER TABLE under_peak INHERIT top; COMMIT',
    'CREATE TABLE more () INHERITS (parent)',
    'CREATE TABLE more () INHERITS (heir)',
    'CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2)',
    'ALTER TABLE part DETACH PARTITION part_1',
    'ALTER VIEW shown RENAME code TO kind',
    'ALTER VIEW above RENAME TO below',
    'CREATE OR REPLACE VIEW shown AS SELECT id, code FROM parent WHERE id > 1',
    'CREATE OR REPLACE VIEW above AS SELECT id, code FROM shown WHERE id > 1',
    'CREATE OR REPLACE VIEW aside AS SELECT id, code FROM parent',
    'CREATE VIEW over AS TABLE shown',
    'DROP VIEW above',
    'CREATE RULE also AS ON DELETE TO parent DO ALSO NOTIFY nobody',
    'CREATE RULE also AS ON INSERT TO shown DO ALSO NOTIFY nobody',
    'CREATE TRIGGER more INSTEAD OF INSERT ON above FOR EACH ROW EXECUTE FUNCTION react()',
    'CREATE TRIGGER more BEFORE DELETE ON parent FOR EACH ROW EXECUTE FUNCTION react()',
    'CREATE CONSTRAINT TRIGGER more AFTER DELETE ON alone FOR EACH ROW EXECUTE FUNCTION react()',
    'ALTER TABLE child DISABLE TRIGGER react',
    `CREATE OR REPLACE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.parent;RETURN OLD;END'`,
    'CREATE FUNCTION other() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'ALTER TABLE child RENAME TO infant',
    'CREATE SCHEMA u; ALTER TABLE child SET SCHEMA u',
    'ALTER SCHEMA v RENAME TO w',
    'ALTER SCHEMA s RENAME TO t; ALTER SCHEMA t RENAME TO u',
    'CREATE SCHEMA u; ALTER OPERATOR s.=== (int, int) SET SCHEMA u',
    'DROP TABLE named',
    'DROP TABLE child CASCADE',
  ])('others see another after %s', async (sql) => {
    expect(await changes(sql)).toEqual({ others: true, own: true });
  });
});

describe('changes for the session alone that does', () => {
  test.each([
    'CREATE TEMP VIEW over AS TABLE parent',
    'CREATE TEMP VIEW over AS TABLE above',
    'CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE c (id int REFERENCES p NOT ENFORCED)',
    'CREATE TEMP TABLE more () INHERITS (parent)',
    'CREATE TEMP TABLE p (id int); CREATE TRIGGER t AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION react()',
  ])('others see no other after %s', async (sql) => {
    expect(await changes(sql)).toEqual({ others: false, own: true });
  });
});

describe('does not change with', () => {
  test.each([
    'CREATE TEMP TABLE mine (id int PRIMARY KEY, code int DEFAULT 1)',
    'CREATE TEMP TABLE mine AS TABLE parent; CREATE INDEX ON mine (id); ANALYZE mine',
    'CREATE TEMP TABLE mine (LIKE child INCLUDING ALL)',
    'CREATE TABLE more (id int PRIMARY KEY, code int DEFAULT 1)',
    'CREATE TABLE more () INHERITS (loner)',
    'CREATE TABLE more AS TABLE parent; DROP TABLE more',
    'CREATE VIEW more AS TABLE aside',
    'CREATE MATERIALIZED VIEW more AS TABLE alone; REFRESH MATERIALIZED VIEW more',
    'CREATE INDEX ON alone (code)',
    'CREATE INDEX ON child (extra)',
    'CREATE UNIQUE INDEX ON alone (code)',
    'ALTER TABLE alone ALTER code SET DEFAULT 2',
    'ALTER TABLE alone ADD more int',
    'ALTER TABLE alone RENAME TO lonely',
    'CREATE SEQUENCE counter; CREATE TYPE kind AS ENUM (); CREATE SCHEMA u; CREATE ROLE nobody_is; DROP ROLE nobody_is',
    'TRUNCATE parent, child, part',
    'TRUNCATE alone RESTART IDENTITY',
    'VACUUM parent; VACUUM FULL parent; REINDEX TABLE parent',
    'ANALYZE; VACUUM pg_catalog.pg_class; VACUUM FULL pg_catalog.pg_constraint',
    'GRANT SELECT ON parent TO PUBLIC; COMMENT ON TABLE parent IS $$a parent$$',
    'ALTER TABLE parent SET (fillfactor = 50)',
    'INSERT INTO parent VALUES (2); UPDATE parent SET code = 2; DELETE FROM parent',
    'BEGIN; ALTER TABLE child DROP CONSTRAINT fk; ROLLBACK',
  ])('nobody sees another after %s', async (sql) => {
    expect(await changes(sql)).toEqual({ others: false, own: false });
  });
});

test('is that of the commit where a transaction writes a row twice', async () => {
  const [one, other] = [await database.connect(), await database.connect()];
  await one.query('BEGIN; ALTER TABLE s.child RENAME CONSTRAINT fk TO first');
  const before = await ask(other);
  await one.query('ALTER TABLE s.child RENAME CONSTRAINT first TO second');
  expect((await ask(other)).fingerprint).toBe(before.fingerprint);
  await one.query('COMMIT');
  expect((await ask(other)).fingerprint).not.toBe(before.fingerprint);
  expect((await ask(other)).fingerprint).toBe((await ask(one)).fingerprint);
  await Promise.all([one.end(), other.end()]);
});

test('says whether temporary relations of the session may be part of it, and the catalog has those of no other', async () => {
  const client = await database.connect();
  await client.query('SET search_path = s; CREATE TEMP TABLE plain (id int PRIMARY KEY)');
  const plain = await ask(client, true);
  expect([plain.temporary, tables(plain.catalog)]).toEqual([
    false,
    tables((await ask(observer, true)).catalog),
  ]);
  await client.query(`CREATE TEMP TABLE offspring () INHERITS (parent); CREATE TEMP VIEW glimpse AS TABLE parent;
    CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE c (id int REFERENCES p NOT ENFORCED)`);
  const own = await ask(client, true);
  const others = await ask(observer, true);
  expect(own.temporary).toBe(true);
  expect(tables(own.catalog)).toEqual([...tables(plain.catalog), 'c', 'glimpse', 'offspring', 'p'].sort());
  expect([others.temporary, tables(others.catalog)]).toEqual([false, tables(plain.catalog)]);
  await client.end();
});
