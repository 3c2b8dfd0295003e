/** Older versions of PostgreSQL, as far as Debian has installed them: keys of the configuration, and overrides of enforced ones. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, startPostgres } from '../support/postgres.js';
import { describeMissing } from '../support/programs.js';
import { startProxy } from '../support/proxy.js';
import { createDatabaseOn, type Database } from '../support/scratch-database.js';

const DEBIAN = '/usr/lib/postgresql';
const binaries = (version: string) => ({
  initdb: `${DEBIAN}/${version}/bin/initdb`,
  postgres: `${DEBIAN}/${version}/bin/postgres`,
});
const versions = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : []).filter(
  (version) => Number(version) >= 15 && existsSync(binaries(version).postgres),
);

const SCHEMA = `
  CREATE TABLE orders (id int PRIMARY KEY);
  CREATE TABLE items (id int PRIMARY KEY, order_id int);
  CREATE TABLE notes (id int PRIMARY KEY, order_id int CONSTRAINT notes_order_fkey REFERENCES orders ON DELETE CASCADE);
  CREATE TABLE stays (id int PRIMARY KEY, item_id int CONSTRAINT stays_item_fkey REFERENCES items);`;
const ROWS = `
  INSERT INTO orders VALUES (1), (2); INSERT INTO items VALUES (10, 1), (20, 2);
  INSERT INTO notes VALUES (100, 1), (200, 2); INSERT INTO stays VALUES (1000, 20);`;

if (versions.length === 0)
  describeMissing('PostgreSQL 15', 'it is not installed (apt-get install postgresql-15)');

describe.each(versions)('PostgreSQL %s', (version) => {
  let server: Server;
  let database: Database;
  beforeAll(async () => {
    server = await startPostgres({ binaries: binaries(version) });
    database = await createDatabaseOn(server);
  });
  afterAll(async () => {
    await database?.drop();
    await server?.stop();
  });

  test.each(['auto', 'postgres'] as const)('cascades with profile %s', async (profile) => {
    const owner = await database.connect();
    await owner.query(`DROP TABLE IF EXISTS stays, notes, items, orders; ${SCHEMA} ${ROWS}`);
    const proxy = await startProxy({
      upstream: `postgres://${server.host}:${server.port}`,
      profile,
      cascade: {
        relations: [
          { name: 'fk', from: 'public.items(order_id)', to: 'public.orders(id)', on_delete: 'cascade' },
        ],
        overrides: [{ match: 'public.notes.notes_order_fkey', on_delete: 'set null' }],
      },
    });
    try {
      const client = await proxy.connect(database.name);
      expect((await client.query('DELETE FROM orders WHERE id = $1 RETURNING id', [1])).rows).toEqual([
        { id: 1 },
      ]);
      await expect(client.query('DELETE FROM orders WHERE id = 2')).rejects.toMatchObject({
        code: '23503',
        constraint: 'stays_item_fkey',
      });
      const left =
        'SELECT (SELECT array_agg(id) FROM items) AS items, (SELECT array_agg(order_id ORDER BY id) FROM notes) AS notes';
      expect((await owner.query(left)).rows).toEqual([{ items: [20], notes: [null, 2] }]);
      expect(proxy.log).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });
});
