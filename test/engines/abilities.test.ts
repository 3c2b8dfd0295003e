/** What the profiles of H2 and DuckDB say of them is so: each is asked directly. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { DUCKDB } from '../../src/profiles/families/duckdb.js';
import { H2 } from '../../src/profiles/families/h2.js';
import { describeMissing } from '../support/programs.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { H2_LOGIN, missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import type { Engine } from './promises.js';

const TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY)',
  'CREATE TABLE items (id int PRIMARY KEY, order_id int)',
  'INSERT INTO orders VALUES (1), (2), (3)',
  'INSERT INTO items VALUES (10, 1), (20, 2)',
];

/** Each of these is taken or refused: the value of a profile says which. Nothing is deleted by any of them. */
const FORMS = {
  returning: 'DELETE FROM orders WHERE id = 99 RETURNING id',
  writingWith: 'WITH d AS (DELETE FROM orders WHERE id = 99 RETURNING id) SELECT count(*) AS n FROM d',
  using: 'DELETE FROM orders USING items WHERE orders.id = items.id',
  lock: 'SELECT id FROM orders WHERE id = 99 FOR UPDATE',
  arrays: "SELECT id FROM orders WHERE id = ANY ('{99}'::int[])",
} as const;

function describeAbilities(
  name: string,
  reason: string | undefined,
  start: () => Promise<Engine>,
  suite: (connect: () => Promise<pg.Client>) => void,
) {
  if (reason !== undefined) return describeMissing(name, reason);
  describe(name, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await start();
    });
    afterAll(() => engine?.close());
    suite(async () => {
      const client = new pg.Client({ ...H2_LOGIN, host: engine.host, port: engine.port });
      await client.connect();
      onTestFinished(() => client.end());
      return client;
    });
  });
}

async function takes(client: pg.Client, sql: string): Promise<boolean> {
  return client.query(sql).then(
    () => true,
    () => false,
  );
}

async function count(client: pg.Client, table: string): Promise<number> {
  return Number((await client.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n);
}

describeAbilities(
  'H2',
  missingH2(),
  async () => {
    const server = await startH2();
    const owner = new pg.Client({ ...H2_LOGIN, host: server.host, port: server.port });
    await owner.connect();
    for (const sql of TABLES) await owner.query(sql);
    await owner.query('ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE');
    await owner.end();
    return server;
  },
  (connect) => {
    test('takes what its profile says, and nothing else', async () => {
      const client = await connect();
      expect(await takes(client, FORMS.returning)).toBe(H2.deletes.returning);
      expect(await takes(client, FORMS.writingWith)).toBe(H2.deletes.with === 'writes');
      expect(await takes(client, FORMS.using)).toBe(H2.deletes.using);
      expect(await takes(client, FORMS.lock)).toBe(H2.lock === 'FOR UPDATE');
    });

    test('enforces keys with their actions, until that is switched off', async () => {
      const client = await connect();
      await client.query('DELETE FROM orders WHERE id = 1');
      expect(await count(client, 'items')).toBe(1);
      await client.query('SET REFERENTIAL_INTEGRITY FALSE');
      await client.query('DELETE FROM orders WHERE id = 2');
      expect(await count(client, 'items')).toBe(1);
    });

    test('goes on with a transaction after an error, and has savepoints', async () => {
      const client = await connect();
      await client.query('BEGIN');
      await client.query('INSERT INTO orders VALUES (5)');
      await client.query('SAVEPOINT s');
      expect(await takes(client, 'DELETE FROM nowhere')).toBe(false);
      // PostgreSQL would refuse it, as the transaction has failed.
      expect(await takes(client, 'INSERT INTO orders VALUES (6)')).toBe(true);
      await client.query('ROLLBACK TO SAVEPOINT s');
      await client.query('COMMIT');
      expect((await client.query('SELECT id FROM orders WHERE id > 4')).rows.length).toBe(1);
      expect(H2.transactions).toEqual({ kind: 'full', endWithErrors: false, statusTells: false });
    });
  },
);

describeAbilities(
  'DuckDB',
  missing(DUCKDB_PACKAGE),
  () => startDuckDb(TABLES),
  (connect) => {
    test('takes what its profile says, and nothing else', async () => {
      const client = await connect();
      expect(await takes(client, FORMS.returning)).toBe(DUCKDB.deletes.returning);
      expect(await takes(client, FORMS.writingWith)).toBe(DUCKDB.deletes.with === 'writes');
      expect(await takes(client, FORMS.using)).toBe(DUCKDB.deletes.using);
      expect(await takes(client, FORMS.lock)).toBe(DUCKDB.lock === 'FOR UPDATE');
      expect(await takes(client, FORMS.arrays)).toBe(DUCKDB.transport.form === 'arrays');
      expect(
        await takes(
          client,
          'WITH RECURSIVE n (i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n',
        ),
      ).toBe(DUCKDB.deletes.recursive);
    });

    test('has no actions of keys, which duckdb_constraints() tells of', async () => {
      const client = await connect();
      expect(await takes(client, 'CREATE TABLE a (id int REFERENCES orders (id) ON DELETE CASCADE)')).toBe(
        false,
      );
      await client.query('CREATE TABLE b (id int PRIMARY KEY, order_id int REFERENCES orders (id))');
      const found = await client.query(
        "SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'",
      );
      expect(found.rows).toEqual([{ table_name: 'b' }]);
      await client.query('INSERT INTO b VALUES (1, 3)');
      await client.query('BEGIN');
      await client.query('DELETE FROM b WHERE order_id = 3');
      expect(await takes(client, 'DELETE FROM orders WHERE id = 3')).toBe(false);
      await client.query('ROLLBACK');
    });

    test('has no savepoints, and answers the COMMIT of a transaction that has failed as if it had not', async () => {
      const client = await connect();
      await client.query('BEGIN');
      expect(await takes(client, 'SAVEPOINT s')).toBe(false);
      await takes(client, 'ROLLBACK');
      await client.query('BEGIN');
      await client.query('INSERT INTO orders VALUES (7)');
      expect(await takes(client, 'INSERT INTO orders VALUES (7)')).toBe(false);
      expect(await takes(client, 'COMMIT')).toBe(true);
      expect((await client.query('SELECT id FROM orders WHERE id = 7')).rowCount).toBe(0);
      expect(DUCKDB.transactions).toEqual({
        kind: 'without savepoints',
        endWithErrors: false,
        statusTells: false,
        keepsReferenced: true,
      });
    });

    test('ends one of two transactions that change the same row by the error that is retried', async () => {
      const [one, other] = [await connect(), await connect()];
      await one.query('BEGIN');
      await other.query('BEGIN');
      await one.query('UPDATE items SET order_id = 5 WHERE id = 10');
      const [retried = ''] = DUCKDB.retried;
      await expect(other.query('UPDATE items SET order_id = 6 WHERE id = 10')).rejects.toThrow(retried);
      await one.query('ROLLBACK');
      await takes(other, 'ROLLBACK');
    });
  },
);
