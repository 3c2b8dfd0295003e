/** postgres.js where answers are not waited for, or not read at once: its pipeline, its cursors, its cancelling. */
import type { PendingQuery, Row } from 'postgres';
import { describe, expect, test } from 'vitest';
import { until } from '../../support/until.js';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { postgresJs, sessionsOn, told } from './postgres-js.js';
import { useClientTwin } from './twin.js';

await describeClient(postgresJs, (postgres) => {
  const twin = useClientTwin();
  const asNative = sessionsOn(twin, postgres);

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

    test('goes on after a DELETE that is refused', () =>
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

  test('a DELETE that is cancelled leaves everything, and its connection usable', async () => {
    const failure = await twin.expectAsNative(async (url) => {
      const [sql, other] = [postgres(url, { max: 1 }), postgres(url, { max: 1 })];
      try {
        await other`SELECT pg_advisory_lock(1)`;
        const pending: PendingQuery<Row[]> = sql`
          DELETE FROM accounts WHERE id = ${1} AND pg_advisory_xact_lock(1) IS NOT NULL`;
        let settled = false;
        const failed = failureOf(pending).finally(() => {
          settled = true;
        });
        // Of this database: other files have advisory locks of their own.
        const waiting = () => other`SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
          WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`;
        await until('the DELETE waits', async () => settled || (await waiting()).count > 0);
        pending.cancel();
        return { failed: await failed, after: told(await sql`DELETE FROM accounts WHERE id = ${2}`) };
      } finally {
        await Promise.all([sql.end(), other.end()]);
      }
    });
    expect(failure.failed).toMatchObject({ type: 'PostgresError', code: '57014' });
  });
});

/** Reads a cursor to its end: one that is left open would keep its connection from being closed. */
async function piecesOf(cursor: AsyncIterable<Iterable<unknown>>): Promise<unknown[][]> {
  const pieces: unknown[][] = [];
  for await (const rows of cursor) pieces.push([...rows]);
  return pieces;
}
