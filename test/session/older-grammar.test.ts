/** A statement in a grammar that the server does not have yet: what is sent in its place is not well-formed to the server. */
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO orgs VALUES (1); INSERT INTO users VALUES (1, 1);`);
/** The server finds an error where one before version 18 does. */
const server = useTap((bytes) =>
  Buffer.from(bytes.toString('latin1').replaceAll('WITH (OLD AS', 'WITH (OLD IS'), 'latin1'),
);

const TEXT = 'DELETE FROM orgs WHERE id = 1 RETURNING WITH (OLD AS o) o.id';

test.each([
  'simple',
  'extended',
])('is refused by the server in its own words, and sent once: %s', async (queryMode) => {
  const proxy = await startProxy({ upstream: server.url });
  onTestFinished(() => proxy.stop());
  const client = await proxy.connect(database.name);
  await client.query('DELETE FROM orgs WHERE id = 0');
  server.reset();
  const told: unknown = await client
    .query({ text: TEXT, queryMode } as pg.QueryConfig)
    .catch((error) => error);
  expect(told).toMatchObject({ code: '42601', position: String(TEXT.indexOf('AS o') + 1) });
  expect(server.count('WITH (OLD AS')).toBe(1);
  expect((await client.query('SELECT * FROM users')).rowCount).toBe(1);
});
