/** postgres.js: its DELETEs cascade through the proxy as they do under enforced keys. */
import type { ReservedSql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { postgresJs, sessionsOn, told } from './postgres-js.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

await describeClient(postgresJs, (postgres) => {
  const twin = useClientTwin();
  const asNative = sessionsOn(twin, postgres);

  // It prepares each statement under a name of its own, unless it is told not to, as people do behind poolers.
  describe.each([
    ['with prepared statements', { prepare: true }],
    ['without prepared statements', { prepare: false }],
  ])('a DELETE %s', (_, settings) => {
    test('counts the rows of its own table', async () => {
      const deleted = await asNative(
        async (sql) => told(await sql`DELETE FROM accounts WHERE id <= ${2}`),
        settings,
      );
      expect(deleted).toMatchObject({ command: 'DELETE', count: 2, rows: [] });
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test('takes parameters of every kind', () =>
      asNative(
        async (sql) => [
          told(await sql`DELETE FROM accounts WHERE number = ${String(numberOf(1))}`),
          told(await sql`DELETE FROM accounts WHERE token = ${tokenOf(2)}`),
          told(await sql`DELETE FROM accounts WHERE name = ${awkwardName}`),
          told(await sql`DELETE FROM accounts WHERE id = ${null}`),
        ],
        settings,
      ));

    test('takes a bigint', () =>
      twin.expectAsNative(async (url) => {
        const sql = postgres(url, { max: 1, ...settings, types: { bigint: postgres.BigInt } });
        const deleted = await sql`DELETE FROM accounts WHERE number = ${numberOf(2)} RETURNING number`;
        await sql.end();
        return told(deleted);
      }));

    test('takes arrays, and lists of values', () =>
      asNative(
        async (sql) => [
          told(await sql`DELETE FROM accounts WHERE id = ANY(${[1, 99]})`),
          told(await sql`DELETE FROM accounts WHERE name = ANY(${['account 2', 'x']})`),
          told(await sql`DELETE FROM accounts WHERE token IN ${sql([tokenOf(3), tokenOf(9)])}`),
        ],
        settings,
      ));

    test('is put together from fragments', () =>
      asNative(async (sql) => {
        const condition = sql`${sql('accounts.id')} = ${1} OR name LIKE ${'%Neil%'}`;
        return told(
          await sql`DELETE FROM ${sql('accounts')} WHERE ${condition} RETURNING ${sql(['id', 'name'])}`,
        );
      }, settings));

    test('with RETURNING gives the rows and columns of its own table', async () => {
      const deleted = await asNative(
        async (sql) =>
          told(await sql`DELETE FROM accounts a WHERE id = ${1} RETURNING a.*, ${5}::int + 1 AS six`),
        settings,
      );
      expect(deleted.rows).toEqual([
        { id: 1, name: 'account 1', number: String(numberOf(1)), token: tokenOf(1), version: 1, six: 6 },
      ]);
    });

    test('of the root of a tree takes the whole tree, and counts the root', async () => {
      const deleted = await asNative(
        async (sql) => told(await sql`DELETE FROM folders WHERE id = ${1}`),
        settings,
      );
      expect(deleted.count).toBe(1);
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('whose rows an INSERT takes over cascades', async () => {
      const moved = await asNative(async (sql) => {
        const gone = sql`DELETE FROM accounts WHERE id = ANY(${[1, 2]}) RETURNING id, name`;
        return told(await sql`WITH gone AS (${gone}) INSERT INTO archive SELECT * FROM gone RETURNING id`);
      }, settings);
      expect(moved).toMatchObject({ command: 'INSERT', count: 2 });
    });

    test('runs again and again', async () => {
      const counts = await asNative(async (sql) => {
        const gone = [];
        for (const id of [1, 2, 2, 3]) gone.push((await sql`DELETE FROM accounts WHERE id = ${id}`).count);
        return gone;
      }, settings);
      expect(counts).toEqual([1, 1, 0, 1]);
    });

    test('that is refused tells the native error, and the connection stays usable', async () => {
      const { refused, restricted } = await asNative(
        async (sql) => ({
          refused: await failureOf(sql`DELETE FROM accounts WHERE id = ${4}`),
          restricted: await failureOf(sql`DELETE FROM accounts WHERE id = ${5}`),
          after: told(await sql`DELETE FROM accounts WHERE id = ${1}`),
        }),
        settings,
      );
      expect(refused).toMatchObject({
        type: 'PostgresError',
        code: '23503',
        schema_name: 'public',
        table_name: 'bills',
        constraint_name: 'bills_account_fkey',
        detail: 'Key (id)=(4) is still referenced from table "bills".',
      });
      expect(restricted).toMatchObject({ code: '23001', table_name: 'seals' });
    });
  });

  describe('a simple query', () => {
    test('cascades', () =>
      asNative(async (sql) => told(await sql.unsafe('DELETE FROM accounts WHERE id = 1'))));

    test('of several statements has a result for each', () =>
      asNative(async (sql) => {
        const texts = [
          'SELECT 1 AS one',
          'DELETE FROM accounts WHERE id = 1 RETURNING id',
          'DELETE FROM accounts WHERE id = 2',
        ];
        const results: unknown = await sql.unsafe(texts.join('; ')).simple();
        return Array.isArray(results) ? results.map(told) : results;
      }));

    test('of a text that is known only at run time takes parameters', () =>
      asNative(async (sql) => {
        const text = 'DELETE FROM accounts WHERE id = $1';
        return [
          told(await sql.unsafe(text, [1])),
          told(await sql.unsafe(text, [2], { prepare: true })),
          told(await sql.unsafe(text, [3], { prepare: true })),
        ];
      }));
  });

  describe('a transaction', () => {
    test('begin commits what it did', async () => {
      await asNative((sql) =>
        sql.begin(async (tx) => [
          told(await tx`DELETE FROM accounts WHERE id = ${1}`),
          told(await tx`SELECT id FROM projects ORDER BY id`),
        ]),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('begin with a list of queries sends them at once', () =>
      asNative(async (sql) => {
        const done = await sql.begin((tx) => [1, 2].map((id) => tx`DELETE FROM accounts WHERE id = ${id}`));
        return done.map(told);
      }));

    test('begin rolls back the whole cascade where its function fails', async () => {
      const failure = await asNative((sql) =>
        failureOf(
          sql.begin(async (tx) => {
            await tx`DELETE FROM accounts WHERE id = ${1}`;
            throw new Error(`${(await tx`SELECT id FROM tasks`).count} tasks are left`);
          }),
        ),
      );
      expect(failure.message).toBe('16 tasks are left');
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });

    test('savepoint takes back a DELETE that is refused, and only that', () =>
      asNative((sql) =>
        sql.begin(async (tx) => {
          const before = told(await tx`DELETE FROM accounts WHERE id = ${1}`);
          const refused = await failureOf(
            tx.savepoint((inner) => inner`DELETE FROM accounts WHERE id = ${5}`),
          );
          const after = told(await tx`DELETE FROM accounts WHERE id = ${2}`);
          return { before, refused, after };
        }),
      ));

    test('in two phases is prepared with its cascade, and committed by its name', async () => {
      await asNative(async (sql) => {
        const [row] = await sql<{ name: string }[]>`SELECT current_database() AS name`;
        const name = row?.name ?? '';
        await sql.begin(async (tx) => {
          await tx`DELETE FROM accounts WHERE id = ${1}`;
          await tx.prepare(name);
        });
        const before = await sql`SELECT id FROM projects`;
        await sql.unsafe(`COMMIT PREPARED '${name}'`);
        return before.count;
      });
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });
  });

  test('describe tells the types of a DELETE without running it', () =>
    asNative(async (sql) => {
      const { string, types, columns } =
        await sql`DELETE FROM accounts WHERE id = ${1} RETURNING name, token`.describe();
      return { string, types, columns: columns.map(({ name, type }) => ({ name, type })) };
    }));

  test('SET pgcascade.mode = off holds for one session', async () => {
    const sql = postgres(twin.url, { max: 2 });
    const off: ReservedSql = await sql.reserve();
    await off`SET pgcascade.mode = off`;
    await off`DELETE FROM accounts WHERE id = ${1}`;
    await sql`DELETE FROM accounts WHERE id = ${2}`;
    off.release();
    await sql.end();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });

  test('pgcascade.mode can be had from the parameters of the connection', async () => {
    const sql = postgres(twin.url, { max: 1, connection: { 'pgcascade.mode': 'off' } });
    await sql`DELETE FROM accounts WHERE id = ${1}`;
    await sql.end();
    expect(await twin.rowsOf('projects')).toHaveLength(10);
  });
});
