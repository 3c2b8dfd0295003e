/** postgres.js: its DELETEs cascade through the proxy as they do under enforced keys. */
import type { Options, ReservedSql, Sql } from 'postgres';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

const postgresJs = {
  name: 'postgres.js',
  packages: ['postgres'],
  load: async () => (await import('postgres')).default,
};
type Settings = Options<Record<string, never>>;

await describeClient(postgresJs, (postgres) => {
  const twin = useClientTwin();
  const asNative = <Result>(steps: (sql: Sql) => Promise<Result>, settings: Settings = {}) =>
    twin.expectAsNative(async (url) => {
      const sql = postgres(url, { max: 1, ...settings });
      try {
        return await steps(sql);
      } finally {
        await sql.end();
      }
    });

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

  describe('a pipeline', () => {
    test('of DELETEs and SELECTs is answered in order', async () => {
      const answers = await asNative((sql) =>
        Promise.all([
          sql`DELETE FROM accounts WHERE id = ${1}`.then(told),
          sql`SELECT count(*)::int AS left FROM tasks`.then(told),
          sql`DELETE FROM accounts WHERE id = ${2}`.then(told),
          sql`SELECT count(*)::int AS left FROM tasks WHERE project_id > ${0}`.then(told),
          sql`DELETE FROM projects WHERE account_id = ${3} RETURNING id`.then(told),
        ]),
      );
      expect(answers.map(({ rows }) => rows)).toEqual([
        [],
        [{ left: 16 }],
        [],
        [{ left: 12 }],
        [{ id: 31 }, { id: 32 }],
      ]);
    });

    test('goes on behind a DELETE that is refused', () =>
      asNative((sql) =>
        Promise.all([
          sql`DELETE FROM accounts WHERE id = ${1}`.then(told),
          failureOf(sql`DELETE FROM accounts WHERE id = ${4}`),
          sql`DELETE FROM accounts WHERE id = ${2}`.then(told),
          failureOf(sql`SELECT nonsense`),
          sql`DELETE FROM accounts WHERE id = ${3}`.then(told),
        ]),
      ));

    test('of more DELETEs than it may hold at once loses none', async () => {
      const ids = Array.from({ length: 250 }, (_, i) => 1000 + i);
      const counts = await asNative(async (sql) => {
        await sql`INSERT INTO accounts ${sql(ids.map((id) => ({ id })))}`;
        await sql`INSERT INTO projects ${sql(ids.map((id) => ({ id, account_id: id })))}`;
        const deleted = await Promise.all(ids.map((id) => sql`DELETE FROM accounts WHERE id = ${id}`));
        return deleted.map(({ count }) => count);
      });
      expect(counts).toEqual(ids.map(() => 1));
      expect(await twin.rowsOf('projects')).toHaveLength(10);
    });
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
  });

  describe('a cursor', () => {
    test('reads the rows of DELETE … RETURNING a few at a time', async () => {
      const pieces = await asNative((sql) =>
        piecesOf(sql`DELETE FROM accounts WHERE id <= ${3} RETURNING id`.cursor(2)),
      );
      expect(pieces).toEqual([[{ id: 1 }, { id: 2 }], [{ id: 3 }]]);
    });

    test('that is left early has deleted what it had to', () =>
      asNative(async (sql) => {
        for await (const [row] of sql`DELETE FROM accounts WHERE id <= ${3} RETURNING id`.cursor(1)) {
          if (row) break;
        }
        return told(await sql`SELECT count(*) FROM tasks`);
      }));

    test('tells an error of the cascade, and leaves the connection usable', () =>
      asNative(async (sql) => {
        const failure = await failureOf(piecesOf(sql`DELETE FROM accounts RETURNING id`.cursor(2)));
        return { failure, after: told(await sql`DELETE FROM accounts WHERE id = ${1}`) };
      }));
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

interface Result extends Iterable<unknown> {
  readonly command: string;
  readonly count: number | null;
  readonly columns?: readonly { readonly name: unknown; readonly type: number }[] | undefined;
}

/** A result without what differs between two databases: the object ids of tables. */
function told(result: Result) {
  const { command, count, columns } = result;
  return { command, count, rows: [...result], columns: columns?.map(({ name, type }) => [name, type]) };
}

/** Reads a cursor to its end: one that is left open would keep its connection from being closed. */
async function piecesOf(cursor: AsyncIterable<Iterable<unknown>>): Promise<unknown[][]> {
  const pieces: unknown[][] = [];
  for await (const rows of cursor) pieces.push([...rows]);
  return pieces;
}
