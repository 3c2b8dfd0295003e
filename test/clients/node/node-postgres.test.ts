/** node-postgres: its DELETEs cascade through the proxy as they do under enforced keys. */
import type { ClientConfig, QueryConfig } from 'pg';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { clientsOn, nodePostgres, told } from './node-postgres.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

const deleteFirst = 'DELETE FROM accounts WHERE id = 1';

await describeClient(nodePostgres, ({ pg }) => {
  const twin = useClientTwin();
  const asNative = clientsOn(twin, pg);

  describe('a DELETE', () => {
    test('as a text counts the rows of its own table', async () => {
      const deleted = await asNative(async (client) =>
        told(await client.query('DELETE FROM accounts WHERE id <= 2')),
      );
      expect(deleted).toMatchObject({ command: 'DELETE', rowCount: 2, rows: [] });
      expect(await twin.rowsOf('projects')).toHaveLength(6);
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test.each([
      ['an int', 'id = $1', [1]],
      ['a bigint', 'number = $1', [numberOf(1)]],
      ['a bigint as text', 'number = $1', [numberOf(1).toString()]],
      ['a uuid', 'token = $1', [tokenOf(1)]],
      ['a text', 'name = $1', [awkwardName]],
      ['an array of ints', 'id = ANY($1)', [[1, 3]]],
      ['an array of texts', 'name = ANY($1)', [['account 1', awkwardName]]],
      ['an array of uuids', 'token = ANY($1::uuid[])', [[tokenOf(1), tokenOf(2)]]],
      ['an empty array', 'id = ANY($1)', [[]]],
      ['NULL', 'id = $1', [null]],
      [
        'several parameters, one of them twice',
        'id > $1 AND id < $2 AND name <> $3 AND id > $1',
        [1, 4, 'x'],
      ],
    ])('takes %s', async (_, where, values) => {
      const text = `DELETE FROM accounts WHERE ${where}`;
      await asNative(async (client) => told(await client.query({ text, values })));
    });

    test('with RETURNING gives the rows and columns of its own table', async () => {
      const deleted = await asNative(async (client) =>
        told(
          await client.query(
            'DELETE FROM accounts AS a WHERE id = $1 RETURNING a.*, version + 1 AS next, now() < $2 AS early',
            [3, new Date(0)],
          ),
        ),
      );
      expect(deleted.rows).toEqual([
        {
          id: 3,
          name: awkwardName,
          number: String(numberOf(3)),
          token: tokenOf(3),
          version: 1,
          next: 2,
          early: false,
        },
      ]);
    });

    test('gives rows as arrays, and in binary, where the client asks for it', async () => {
      const text = 'DELETE FROM accounts WHERE id <= $1 RETURNING id, token, version';
      await asNative(async (client) => told(await client.query({ text, values: [2], rowMode: 'array' })));
      const binary: ClientConfig & { binary: boolean } = { binary: true };
      await asNative(async (client) => told(await client.query(text, [3])), binary);
    });

    test('without parameters goes over the extended protocol where the client asks for it', () =>
      asNative(async (client) => {
        const query: QueryConfig & { queryMode: string } = { text: deleteFirst, queryMode: 'extended' };
        return told(await client.query(query));
      }));

    test('of the root of a tree takes the whole tree, and counts the root', async () => {
      const deleted = await asNative(async (client) => [
        told(await client.query('DELETE FROM folders WHERE id = 1 RETURNING *')),
        told(await client.query('DELETE FROM folders WHERE id = $1', [7])),
      ]);
      expect(deleted.map(({ rowCount }) => rowCount)).toEqual([1, 1]);
      expect(await twin.rowsOf('files')).toEqual(['(60,6)']);
    });

    test('whose rows an INSERT takes over cascades', async () => {
      const text = `WITH gone AS (DELETE FROM accounts WHERE id = ANY($1) RETURNING id, name)
        INSERT INTO archive SELECT * FROM gone RETURNING id`;
      const moved = await asNative(async (client) => told(await client.query(text, [[1, 2]])));
      expect(moved).toMatchObject({ command: 'INSERT', rowCount: 2, rows: [{ id: 1 }, { id: 2 }] });
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('takes as many parameters as the protocol allows', () =>
      asNative(async (client) => {
        const values = Array.from({ length: 65_535 }, (_, i) => i + 3);
        const places = values.map((_, i) => `$${i + 1}`).join();
        const text = `DELETE FROM accounts WHERE id IN (${places}) AND id NOT IN (4, 5)`;
        return told(await client.query({ text, values }));
      }));

    test('with RETURNING old and new gives what they are natively', () =>
      asNative(async (client) => told(await client.query(`${deleteFirst} RETURNING old.*, new.id AS new`))));

    test('with comments around it, as tracing adds them, cascades', () =>
      asNative(async (client) => [
        told(await client.query(`${deleteFirst} /*traceparent='00-1f'*/`)),
        told(await client.query(`-- by id\n/* a */ DELETE FROM accounts WHERE id = $1; -- b`, [2])),
      ]));

    test('among other statements in one text has a result of its own', () =>
      asNative(async (client) => {
        const answer: unknown = await client.query(
          'SELECT 1 AS one; DELETE FROM accounts WHERE id = 1 RETURNING id; DELETE FROM accounts WHERE id IN (2, 3)',
        );
        return Array.isArray(answer) ? answer.map(told) : answer;
      }));
  });

  describe('a transaction', () => {
    test('commits the whole cascade, and rolls back the whole cascade', async () => {
      await asNative(async (client) => {
        await client.query('BEGIN');
        await client.query(deleteFirst);
        await client.query('COMMIT');
        await client.query('BEGIN');
        await client.query('DELETE FROM accounts WHERE id = 2');
        const { rows } = await client.query('SELECT id FROM tasks WHERE id BETWEEN 200 AND 299');
        await client.query('ROLLBACK');
        return rows;
      });
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('goes on from a savepoint after a DELETE that is refused', () =>
      asNative(async (client) => {
        await client.query('BEGIN');
        await client.query(deleteFirst);
        await client.query('SAVEPOINT s');
        const refused = await failureOf(client.query('DELETE FROM accounts WHERE id = $1', [4]));
        const aborted = await failureOf(client.query('SELECT 1'));
        await client.query('ROLLBACK TO SAVEPOINT s');
        const deleted = told(await client.query('DELETE FROM accounts WHERE id = $1', [2]));
        await client.query('COMMIT');
        return { refused, aborted, deleted };
      }));
  });

  describe('an error', () => {
    const refusedOf = (where: string) =>
      asNative(async (client) => {
        const failure = await failureOf(client.query(`DELETE FROM accounts WHERE ${where}`));
        return { failure, after: told(await client.query(deleteFirst)) };
      });

    test('of NO ACTION is a DatabaseError with the native fields, and the client stays usable', async () => {
      const { failure } = await refusedOf('id = 4');
      expect(failure).toMatchObject({
        type: 'DatabaseError',
        code: '23503',
        severity: 'ERROR',
        schema: 'public',
        table: 'bills',
        constraint: 'bills_account_fkey',
        detail: 'Key (id)=(4) is still referenced from table "bills".',
      });
    });

    test('of RESTRICT below a cascade is one with 23001', async () => {
      const { failure } = await refusedOf('id = 5');
      expect(failure).toMatchObject({ code: '23001', table: 'seals', constraint: 'seals_task_fkey' });
    });

    test('of the WHERE has its position in the text that was sent', async () => {
      const { failure } = await refusedOf("name <> '🐘' AND nonsense = 4");
      expect(failure).toMatchObject({ code: '42703', position: '44' });
    });

    test('of a timeout undoes the whole cascade', async () => {
      const failure = await asNative(
        (client) => failureOf(client.query('DELETE FROM accounts WHERE id = 1 AND pg_sleep(60) IS NOT NULL')),
        { statement_timeout: 50 },
      );
      expect(failure).toMatchObject({ code: '57014' });
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });

    test('of a transaction that may only read is the native one', () =>
      asNative(async (client) => {
        await client.query('BEGIN READ ONLY');
        const failure = await failureOf(client.query(deleteFirst));
        await client.query('ROLLBACK');
        return failure;
      }));

    test.each([
      ['of another type', 'id = $1', ['x']],
      ['too many', 'id = $1', [1, 2]],
      ['too few', 'id = $1 AND name = $2', [1]],
      ['of no known type', '$1 IS NULL', [null]],
      ['left out in the text', 'id = $2', [1, 2]],
    ])('of parameters that are %s is the native one', async (_, where, values) => {
      await asNative(async (client) => ({
        failure: await failureOf(client.query({ text: `DELETE FROM accounts WHERE ${where}`, values })),
        after: told(await client.query({ text: 'DELETE FROM accounts WHERE id = $1', values: [1] })),
      }));
    });
  });

  describe('a pool', () => {
    test('keeps a connection whose DELETE failed', () =>
      twin.expectAsNative(async (url) => {
        const pool = new pg.Pool({ connectionString: url, max: 1 });
        const session = async () => (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
        const before = await session();
        const failure = await failureOf(pool.query('DELETE FROM accounts WHERE id = $1', [5]));
        const { rowCount } = await pool.query('DELETE FROM accounts WHERE id = $1', [1]);
        const kept = before === (await session());
        await pool.end();
        return { failure, rowCount, kept };
      }));

    test('deletes over several connections at once', () =>
      twin.expectAsNative(async (url) => {
        const pool = new pg.Pool({ connectionString: url, max: 3 });
        const deleted = await Promise.all(
          [1, 2, 3].map((id) => pool.query('DELETE FROM accounts WHERE id = $1', [id])),
        );
        await pool.end();
        return deleted.map(told);
      }));
  });

  test('SET pgcascade.mode = off holds for one session', async () => {
    const [off, on] = [new pg.Client(twin.url), new pg.Client(twin.url)];
    await Promise.all([off.connect(), on.connect()]);
    await off.query('SET pgcascade.mode = off');
    await off.query('DELETE FROM accounts WHERE id = $1', [1]);
    await on.query('DELETE FROM accounts WHERE id = $1', [2]);
    await Promise.all([off.end(), on.end()]);
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });

  test('pgcascade.mode can be had from the options of the connection', async () => {
    const client = new pg.Client({ connectionString: twin.url, options: '-c pgcascade.mode=off' });
    await client.connect();
    await client.query('DELETE FROM accounts WHERE id = $1', [1]);
    await client.end();
    expect(await twin.rowsOf('projects')).toHaveLength(10);
  });
});
