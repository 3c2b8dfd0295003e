/** cascade.unsupported: pass sends on what cannot be expanded. What is refused for another reason is refused all the same. */
import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const database = useDatabase();
const proxy = useProxy({ cascade: { unsupported: 'pass', code: 'reject' }, graph: { refresh: '0s' } });

const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s;
  CREATE TABLE s.orgs (id int PRIMARY KEY);
  CREATE TABLE s.users (id int PRIMARY KEY, org int CONSTRAINT fk REFERENCES s.orgs ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO s.orgs VALUES (1), (2); INSERT INTO s.users VALUES (1, 1), (2, 2)`;

beforeEach(async () => {
  const server = await database.connect();
  await server.query(SCHEMA);
});

const rows = async () => {
  const server = await database.connect();
  const count = '(SELECT count(*) FROM s.orgs) || $$ $$ || (SELECT count(*) FROM s.users) AS rows';
  return (await server.query(`SELECT ${count}`)).rows[0]?.rows;
};

async function told(sql: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
  const client = await RawClient.login(proxy, { database: database.name, parameters });
  return (await client.told(query(sql))).join('\n');
}

test('a form that cannot be expanded is passed on without a cascade', async () => {
  const inserting = `WITH n AS (INSERT INTO s.users VALUES (3, 2)), d AS (DELETE FROM s.orgs WHERE id = 1 RETURNING id)
    SELECT id FROM d`;
  expect(await told(inserting)).toContain('D 1');
  expect(await rows()).toBe('1 3');
});

test.each([
  ['a TRUNCATE that PostgreSQL refuses', 'TRUNCATE s.orgs', 'C=0A000'],
  ['code that the configuration refuses', 'DO $$ BEGIN DELETE FROM s.orgs; END $$', 'PGC_CODE'],
  [
    'a table made of a DELETE that returns nothing',
    'PREPARE d AS DELETE FROM s.orgs; CREATE TABLE s.made AS EXECUTE d',
    'C=42809',
  ],
])('%s is refused all the same', async (_, sql, error) => {
  expect(await told(sql)).toContain(error);
  expect(await rows()).toBe('2 2');
});

test('a DELETE with a name that is not certain is refused all the same', async () => {
  const sql = 'DELETE FROM s.orgs AS "é"';
  expect(await told(sql, { client_encoding: 'JOHAB' })).toContain('PGC_ENCODING');
  expect(await rows()).toBe('2 2');
});
