/** node-postgres' prepared statements: they go on cascading, whatever becomes of the tables meanwhile. */
import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { clientsOn, nodePostgres, told } from './node-postgres.js';
import { useClientTwin } from './twin.js';

const byId = (id: number) => ({
  name: 'by id',
  text: 'DELETE FROM accounts WHERE id = $1 RETURNING *',
  values: [id],
});

await describeClient(nodePostgres, ({ pg }) => {
  const twin = useClientTwin();
  const asNative = clientsOn(twin, pg);

  describe('a prepared statement', () => {
    test('cascades at each execution', async () => {
      const counts = await asNative(async (client) => {
        const answers = [];
        for (const id of [1, 2, 2, 3]) answers.push(told(await client.query(byId(id))));
        return answers;
      });
      expect(counts.map(({ rowCount }) => rowCount)).toEqual([1, 1, 0, 1]);
    });

    test('goes on cascading after an error of its own', () =>
      asNative(async (client) => [
        told(await client.query(byId(1))),
        await failureOf(client.query(byId(4))),
        told(await client.query(byId(2))),
      ]));

    test('executed from the queue, without waiting for the one before, keeps its order', () =>
      asNative(async (client) => {
        const settled = await Promise.allSettled([1, 4, 2, 5, 3].map((id) => client.query(byId(id))));
        return settled.map(({ status }) => status);
      }));
  });

  describe.each([
    ['itself', (client: Client) => client],
    ['another one', (_: Client, other: Client) => other],
  ])('where %s changes the schema, a statement prepared before', (_, pick) => {
    const both = <Result>(steps: (client: Client, changing: Client, keys: string) => Promise<Result>) =>
      twin.expectAsNative(async (url, keys) => {
        const [client, other] = [new pg.Client(url), new pg.Client(url)];
        await Promise.all([client.connect(), other.connect()]);
        try {
          return await steps(client, pick(client, other), keys);
        } finally {
          await Promise.all([client.end(), other.end()]);
        }
      });

    test('cascades to a table that came, and no more to it when it is gone', async () => {
      const left = await both(async (client, changing, keys) => {
        await client.query(byId(1));
        await changing.query(`CREATE TABLE extra (id int REFERENCES accounts ON DELETE CASCADE ${keys})`);
        await changing.query('INSERT INTO extra VALUES (2), (3)');
        await client.query(byId(2));
        const { rows } = await client.query('SELECT id FROM extra');
        await changing.query('DROP TABLE extra');
        const { rowCount } = await client.query(byId(3));
        return { rows, rowCount };
      });
      expect(left).toEqual({ rows: [{ id: 3 }], rowCount: 1 });
    });

    test('whose columns and keys are others now is refused as natively, each time', async () => {
      const { refused } = await both(async (client, changing, keys) => {
        await client.query(byId(1));
        await changing.query(`CREATE TABLE extra (id int REFERENCES accounts ON DELETE CASCADE ${keys})`);
        await changing.query('ALTER TABLE accounts ADD COLUMN extra float8 DEFAULT 1.5');
        const refused = [await failureOf(client.query(byId(2))), await failureOf(client.query(byId(2)))];
        const anew = told(await client.query({ ...byId(2), name: 'by id, anew' }));
        await changing.query('DROP TABLE extra');
        await changing.query('ALTER TABLE accounts DROP COLUMN extra');
        return { refused, anew, after: told(await client.query(byId(3))) };
      });
      for (const each of refused)
        expect(each).toMatchObject({ code: '0A000', message: 'cached plan must not change result type' });
    });

    test('whose columns are others now is refused as natively', async () => {
      const failure = await both(async (client, changing) => {
        await client.query(byId(1));
        await changing.query('ALTER TABLE accounts ADD COLUMN extra int');
        const refused = await failureOf(client.query(byId(2)));
        await changing.query('ALTER TABLE accounts DROP COLUMN extra');
        return { refused, after: told(await client.query(byId(3))) };
      });
      expect(failure.refused).toMatchObject({
        code: '0A000',
        message: 'cached plan must not change result type',
      });
    });
  });
});
