/** node-postgres where answers are not waited for, or not read at once: its queue, its pipeline, pg-cursor. */
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { clientsOn, nodePostgres, told } from './node-postgres.js';
import { useClientTwin } from './twin.js';

const deleteFirst = 'DELETE FROM accounts WHERE id = 1';

await describeClient(nodePostgres, ({ pg, Cursor }) => {
  const twin = useClientTwin();
  const asNative = clientsOn(twin, pg);

  describe('queries that are not waited for', () => {
    const both = [
      ['from the queue', {}],
      ['in a pipeline', { pipeline: true }],
    ] as const;

    test.each(both)('%s are answered in order', async (_, config) => {
      const answers = await asNative(
        (client) =>
          Promise.all([
            client.query('DELETE FROM accounts WHERE id = $1', [1]).then(told),
            client.query('SELECT count(*)::int AS left FROM tasks').then(told),
            client.query('DELETE FROM accounts WHERE id = 2').then(told),
            client.query('DELETE FROM projects WHERE account_id = $1 RETURNING id', [3]).then(told),
            client.query('SELECT count(*)::int AS left FROM tasks').then(told),
          ]),
        config,
      );
      expect(answers.map(({ rows }) => rows)).toEqual([
        [],
        [{ left: 16 }],
        [],
        [{ id: 31 }, { id: 32 }],
        [{ left: 8 }],
      ]);
    });

    test.each(both)('%s fail alone', async (_, config) => {
      await asNative(
        (client) =>
          Promise.all([
            client.query('DELETE FROM accounts WHERE id = $1', [1]).then(told),
            failureOf(client.query('DELETE FROM accounts WHERE id = $1', [4])),
            client.query('DELETE FROM accounts WHERE id = $1', [2]).then(told),
          ]),
        config,
      );
    });

    test.each(both)('%s make a transaction', async (_, config) => {
      await asNative(async (client) => {
        const texts = [
          'BEGIN',
          deleteFirst,
          'SAVEPOINT s',
          'DELETE FROM accounts WHERE id = 2',
          'ROLLBACK TO s',
        ];
        return (await Promise.all([...texts, 'COMMIT'].map((text) => client.query(text)))).map(told);
      }, config);
    });
  });

  describe('a cursor', () => {
    test('reads the rows of DELETE … RETURNING a few at a time', async () => {
      const read = await asNative(async (client) => {
        const text = 'DELETE FROM accounts WHERE id <= $1 RETURNING id';
        const cursor = client.query(new Cursor<{ id: number }>(text, [3]));
        const pieces = [await cursor.read(2), await cursor.read(2), await cursor.read(2)];
        await cursor.close();
        return pieces.map((rows) => rows.map(({ id }) => id));
      });
      expect(read).toEqual([[1, 2], [3], []]);
    });

    test('that is closed early has deleted what it had to', () =>
      asNative(async (client) => {
        const cursor = client.query(
          new Cursor<{ id: number }>('DELETE FROM accounts WHERE id <= 3 RETURNING id'),
        );
        const rows = await cursor.read(1);
        await cursor.close();
        return { rows, next: told(await client.query('SELECT count(*) FROM tasks')) };
      }));

    test('tells an error of the cascade, and leaves the client usable', () =>
      asNative(async (client) => {
        const cursor = client.query(new Cursor('DELETE FROM accounts RETURNING id'));
        const failure = await failureOf(cursor.read(1));
        return { failure, after: told(await client.query(deleteFirst)) };
      }));
  });
});
