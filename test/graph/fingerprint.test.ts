/** The fingerprint of a catalog: another one whenever the graph may be another one, and no other one for the rest. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Circumstances, circumstancesQuery, readDocument } from '../../src/graph/catalog.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase();
const SIDE = { schema: 's', table: 'named', columns: ['id'] };
const NAMED = [{ name: 'named_fkey', from: SIDE, to: SIDE, on_delete: 'cascade', unique: true } as const];
const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE parent (id int PRIMARY KEY, code int);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int DEFAULT 1 CONSTRAINT fk REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE heir (more int) INHERITS (child);
  CREATE TABLE named (id int, code int);
  CREATE TABLE alone (id int PRIMARY KEY, code int DEFAULT 1);
  CREATE VIEW shown AS SELECT id, code FROM parent;
  CREATE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
  CREATE TRIGGER react AFTER DELETE ON child FOR EACH ROW EXECUTE FUNCTION react();`;

beforeEach(async () => {
  const client = await database.connect();
  await client.query(SCHEMA);
});

async function fingerprint(): Promise<string | null> {
  const client = await database.connect();
  const question = { names: [], fingerprint: true, catalog: false, server: false };
  const { rows } = await client.query(circumstancesQuery(question, NAMED));
  await client.end();
  return readDocument<Circumstances>(rows[0].encode).fingerprint;
}

/** @returns whether the fingerprint is another one behind it, while the session that made the change is still there */
async function changes(sql: string): Promise<boolean> {
  const client = await database.connect();
  await client.query('SET search_path = s');
  const before = await fingerprint();
  await client.query(sql);
  const after = await fingerprint();
  await client.end();
  return before !== after;
}

describe('changes with', () => {
  test.each([
    'ALTER TABLE child DROP CONSTRAINT fk',
    'CREATE FUNCTION other() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'ALTER TABLE child RENAME CONSTRAINT fk TO other',
    'ALTER TABLE child ALTER CONSTRAINT fk ENFORCED',
    'ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES alone NOT ENFORCED',
    'CREATE INDEX ON child (parent_id)',
    'CREATE UNIQUE INDEX ON parent (code)',
    'ALTER TABLE parent ADD UNIQUE (code)',
    'ALTER TABLE named ADD PRIMARY KEY (id)',
    'ALTER TABLE child DROP CONSTRAINT child_pkey',
    'ALTER TABLE parent RENAME code TO kind',
    'ALTER TABLE child ALTER id TYPE bigint',
    'ALTER TABLE named DROP COLUMN code',
    'ALTER TABLE child ALTER parent_id SET NOT NULL',
    'ALTER TABLE child ALTER parent_id SET DEFAULT 2',
    'ALTER TABLE child ALTER parent_id DROP DEFAULT',
    'ALTER TABLE heir NO INHERIT child',
    'CREATE TABLE more () INHERITS (parent)',
    'ALTER VIEW shown RENAME code TO kind',
    'CREATE OR REPLACE VIEW shown AS SELECT id, code FROM parent WHERE id > 1',
    'CREATE VIEW over AS TABLE shown',
    'CREATE TEMP VIEW over AS TABLE parent',
    'CREATE RULE also AS ON DELETE TO parent DO ALSO NOTIFY nobody',
    'CREATE TRIGGER more BEFORE DELETE ON parent FOR EACH ROW EXECUTE FUNCTION react()',
    'ALTER TABLE child DISABLE TRIGGER react',
    `CREATE OR REPLACE FUNCTION react() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s.parent; RETURN OLD; END'`,
    'ALTER TABLE child RENAME TO infant',
    'ALTER SCHEMA s RENAME TO t; ALTER SCHEMA t RENAME TO s',
    'CREATE TEMP TABLE p (id int PRIMARY KEY); CREATE TEMP TABLE c (id int REFERENCES p NOT ENFORCED)',
  ])('%s', async (sql) => {
    expect(await changes(sql)).toBe(true);
  });
});

describe('does not change with', () => {
  test.each([
    'CREATE TEMP TABLE mine (id int PRIMARY KEY, code int DEFAULT 1)',
    'CREATE TEMP TABLE mine AS TABLE parent; CREATE INDEX ON mine (id); ANALYZE mine',
    'CREATE INDEX ON alone (code)',
    'ALTER TABLE alone ALTER code SET DEFAULT 2',
    'CREATE SEQUENCE counter; CREATE TYPE kind AS ENUM ()',
    'INSERT INTO parent VALUES (1); ANALYZE parent; VACUUM parent',
    'BEGIN; ALTER TABLE child DROP CONSTRAINT fk; ROLLBACK',
  ])('%s', async (sql) => {
    const apart = sql.split('; ').every((each) => /^(?:INSERT|ANALYZE|VACUUM)/.test(each));
    if (!apart) return expect(await changes(sql)).toBe(false);
    const before = await fingerprint();
    const client = await database.connect();
    await client.query('SET search_path = s');
    for (const each of sql.split('; ')) await client.query(each);
    expect(await fingerprint()).toBe(before);
  });
});
