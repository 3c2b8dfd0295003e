/** A schema of keys that are checked natively, and by cascade.guard: what either side answers has to be the same. */
import { inject } from 'vitest';
import { useKeptSessions } from '../support/kept-sessions.js';
import type { ProxyOptions } from '../support/proxy.js';
import { askAll, type RawClient, type RawMessage } from '../support/raw-client.js';
import { type TwinDatabases, useTwinDatabases, withoutContext } from '../support/twin-databases.js';

const SCHEMA = `
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int DEFAULT 7 CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE KEYS,
    boss int CONSTRAINT users_boss_fkey REFERENCES users KEYS, name text);
  CREATE TABLE wide (id int PRIMARY KEY, org bigint CONSTRAINT wide_org_fkey REFERENCES orgs KEYS);
  CREATE TABLE pairs (a int, b text, PRIMARY KEY (a, b));
  CREATE TABLE simple (id int PRIMARY KEY, a int, b text, CONSTRAINT simple_fkey FOREIGN KEY (a, b) REFERENCES pairs KEYS);
  CREATE TABLE "Full" (id int PRIMARY KEY, a int, b text,
    CONSTRAINT "Full_fkey" FOREIGN KEY (a, b) REFERENCES pairs MATCH FULL KEYS);
  CREATE TABLE parts (id int, org int CONSTRAINT parts_org_fkey REFERENCES orgs KEYS) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
  CREATE TABLE plants (id int PRIMARY KEY, host int CONSTRAINT plants_host_fkey REFERENCES plants KEYS, a int);
  CREATE TABLE trees (b text, PRIMARY KEY (id), CONSTRAINT trees_host_fkey FOREIGN KEY (host) REFERENCES trees KEYS,
    CONSTRAINT trees_pair_fkey FOREIGN KEY (a, b) REFERENCES pairs KEYS) INHERITS (plants);
  CREATE TABLE spots (id int, org int) PARTITION BY LIST (id);
  CREATE TABLE spots_1 PARTITION OF spots FOR VALUES IN (1);
  CREATE TABLE spots_2 PARTITION OF spots FOR VALUES IN (2);
  ALTER TABLE spots_2 ADD CONSTRAINT spots_org_fkey FOREIGN KEY (org) REFERENCES orgs KEYS;
  CREATE TABLE late (id int PRIMARY KEY, org int CONSTRAINT late_org_fkey REFERENCES orgs DEFERRABLE INITIALLY DEFERRED KEYS,
    boss int CONSTRAINT late_boss_fkey REFERENCES users KEYS);
  CREATE TABLE alone (id int PRIMARY KEY, org int);`;
const ROWS = `
  TRUNCATE orgs, users, wide, pairs, simple, "Full", parts, plants, spots, late, alone;
  INSERT INTO orgs VALUES (1, 'one'), (2, 'two'), (7, 'seven');
  INSERT INTO users VALUES (10, 1, NULL, 'ten'), (20, 2, 10, 'twenty');
  INSERT INTO pairs VALUES (1, 'x'), (2, 'y');
  INSERT INTO simple VALUES (1, 1, 'x');
  INSERT INTO "Full" VALUES (1, 1, 'x');
  INSERT INTO parts VALUES (1, 1), (2, 2);
  INSERT INTO spots VALUES (1, 1), (1, 99);
  INSERT INTO plants VALUES (1), (2);
  INSERT INTO trees VALUES (5), (6);`;

export interface GuardTwin extends TwinDatabases {
  /** The texts, each a Query of its own, are answered as natively. */
  queries(...texts: readonly string[]): Promise<readonly string[]>;
  /** So is whatever a client does. */
  asNative(steps: (client: RawClient) => Promise<readonly RawMessage[]>): Promise<readonly string[]>;
}

/** Makes the twins for the tests of this file, with the same rows before each test. */
export function useGuardTwin(options: ProxyOptions, schema = SCHEMA, rows = ROWS): GuardTwin {
  const twins = useTwinDatabases(schema, rows, options);
  const session = useKeptSessions();
  const asNative: GuardTwin['asNative'] = (steps) =>
    twins.expectAsNative(async (side) => {
      const address = side === twins.native ? inject('postgres') : twins.proxy;
      const client = await session(address, { database: side.database.name });
      return side.readable((await steps(client)).map(withoutContext));
    });
  return {
    ...twins,
    asNative,
    queries: (...texts) => asNative((client) => askAll(client, texts)),
  };
}
