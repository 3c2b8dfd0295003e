/** A key that is renamed while statements are prepared is named by its new name in their errors, as natively. */
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query, runPrepared, sync, terminate } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int CONSTRAINT old_name REFERENCES orgs ON DELETE RESTRICT NOT ENFORCED);
  INSERT INTO orgs VALUES (1); INSERT INTO users VALUES (1, 1);`);
const proxy = useProxy({ cascade: { guard: 'check' } });

test.each<[string, string | undefined, pg.QueryConfig]>([
  ['DELETE', undefined, { name: 'p', text: 'DELETE FROM orgs WHERE id = $1', values: [1] }],
  ['INSERT', undefined, { name: 'p', text: 'INSERT INTO users VALUES ($1, 99)', values: [2] }],
  ['PREPARE in SQL', 'PREPARE p AS DELETE FROM orgs WHERE id = $1', { text: 'EXECUTE p (1)' }],
  [
    'a portal of PREPARE in SQL',
    'PREPARE p AS DELETE FROM orgs WHERE id = 1',
    { text: 'EXECUTE p', values: [] },
  ],
])('%s', async (_, before, statement) => {
  const client = await proxy.connect(database.name);
  onTestFinished(() => client.end());
  if (before) await client.query(before);
  const rename = (from: string, to: string) =>
    client.query(`ALTER TABLE users RENAME CONSTRAINT ${from} TO ${to}`);
  const constraint = () =>
    client.query(statement).then(
      () => 'none',
      (error: pg.DatabaseError) => error.constraint,
    );
  expect(await constraint()).toBe('old_name');
  await rename('old_name', 'new_name');
  expect(await constraint()).toBe('new_name');
  await rename('new_name', 'old_name');
  expect(await constraint()).toBe('old_name');
});

test('a Bind of what PREPARE in SQL has prepared', async () => {
  const client = await RawClient.login({ host: proxy.host, port: proxy.port }, { database: database.name });
  onTestFinished(() => client.send(terminate));
  await client.ask(query('PREPARE p AS DELETE FROM orgs WHERE id = 1'));
  const told = async () => (await client.told(runPrepared('p'), sync)).join();
  expect(await told()).toContain('"old_name"');
  await client.ask(query('ALTER TABLE users RENAME CONSTRAINT old_name TO new_name'));
  expect(await told()).toContain('"new_name"');
  await client.ask(query('ALTER TABLE users RENAME CONSTRAINT new_name TO old_name'));
  expect(await told()).toContain('"old_name"');
});
