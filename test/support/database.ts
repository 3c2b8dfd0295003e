import type pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { connectTo } from './made-connections.js';
import { databaseUrl } from './postgres.js';
import { createDatabaseOn, type Database } from './scratch-database.js';

export type { Database } from './scratch-database.js';

let administrator: Promise<pg.Client> | undefined;

/** Makes an empty database on the server that all test files share. Whoever makes it drops it. */
export function createDatabase(): Promise<Database> {
  const server = inject('postgres');
  return createDatabaseOn(server, () => {
    administrator ??= connectTo(databaseUrl(server, 'postgres'));
    return administrator;
  });
}

/**
 * Gives the tests of this file (or of this `describe`) one database: made before the first test, with what `schema`
 * says, and dropped after the last.
 */
export function useDatabase(schema = ''): Database {
  let made: Database | undefined;
  const database = () => {
    if (!made)
      throw new Error('the database is made in beforeAll: use it in a test, or in a hook after that one');
    return made;
  };
  beforeAll(async () => {
    made = await createDatabase();
    const client = await made.connect();
    await client.query(schema);
    await client.end();
  });
  afterAll(() => made?.drop());
  return {
    get name() {
      return database().name;
    },
    get url() {
      return database().url;
    },
    connect: () => database().connect(),
    drop: () => database().drop(),
  };
}
