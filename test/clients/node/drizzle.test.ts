/** Drizzle, on both of its drivers: its DELETEs cascade through the proxy as they do under enforced keys. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, type Keys, numberOf, tokenOf, useClientTwin } from './twin.js';

const drizzle = {
  name: 'Drizzle',
  packages: ['drizzle-orm', 'pg', 'postgres'],
  load: async () => ({
    orm: await import('drizzle-orm'),
    core: await import('drizzle-orm/pg-core'),
    onNodePostgres: (await import('drizzle-orm/node-postgres')).drizzle,
    onPostgresJs: (await import('drizzle-orm/postgres-js')).drizzle,
    migrate: (await import('drizzle-orm/node-postgres/migrator')).migrate,
    pg: (await import('pg')).default,
    postgres: (await import('postgres')).default,
  }),
};

await describeClient(drizzle, ({ orm, core, onNodePostgres, onPostgresJs, migrate, pg, postgres }) => {
  const { and, eq, exists, inArray, isNull, lt, sql } = orm;
  const accounts = core.pgTable('accounts', {
    id: core.integer('id').primaryKey(),
    name: core.text('name'),
    number: core.bigint('number', { mode: 'bigint' }),
    token: core.uuid('token'),
    version: core.integer('version').notNull().default(1),
  });
  const projects = core.pgTable('projects', {
    id: core.integer('id').primaryKey(),
    title: core.text('title'),
    accountId: core.integer('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
  });
  const notes = core.pgTable('notes', {
    id: core.integer('id').primaryKey(),
    projectId: core.integer('project_id'),
  });

  const twin = useClientTwin();
  const asNative = <Result>(steps: (db: NodePgDatabase, keys: Keys) => Promise<Result>, max = 1) =>
    twin.expectAsNative(async (url, keys) => {
      const pool = new pg.Pool({ connectionString: url, max });
      try {
        return await steps(onNodePostgres(pool), keys);
      } finally {
        await pool.end();
      }
    });

  describe('delete', () => {
    test('counts the rows of its own table', async () => {
      expect(
        await asNative(async (db) => (await db.delete(accounts).where(lt(accounts.id, 3))).rowCount),
      ).toBe(2);
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test('of a version that is no longer there deletes nothing, and says so', async () => {
      const counts = await asNative(async (db) => {
        await db.update(accounts).set({ version: 2 }).where(eq(accounts.id, 1));
        const ofVersion = (version: number) =>
          db.delete(accounts).where(and(eq(accounts.id, 1), eq(accounts.version, version)));
        return [(await ofVersion(1)).rowCount, (await ofVersion(2)).rowCount];
      });
      expect(counts).toEqual([0, 1]);
    });

    test.each([
      ['an int', eq(accounts.id, 1)],
      ['a bigint', eq(accounts.number, numberOf(2))],
      ['a uuid', eq(accounts.token, tokenOf(1))],
      ['a text', eq(accounts.name, awkwardName)],
      ['a list', inArray(accounts.id, [1, 3])],
      ['an array', sql`${accounts.id} = ANY(${sql.param([1, 2])})`],
      ['SQL with a value in it', sql`lower(${accounts.name}) = ${'account 1'}`],
    ])('takes %s', async (_, where) => {
      const deleted = await asNative((db) => db.delete(accounts).where(where).returning());
      expect(deleted).not.toEqual([]);
    });

    test('takes a query of the children', () =>
      asNative(async (db) => {
        const first = db
          .select({ one: sql`1` })
          .from(projects)
          .where(and(eq(projects.accountId, accounts.id), lt(projects.id, 30)));
        const { rowCount } = await db.delete(accounts).where(exists(first));
        return {
          rowCount,
          notes: await db.select().from(notes).where(isNull(notes.projectId)).orderBy(notes.id),
        };
      }));

    test('with returning gives the rows of its own table, in their types', async () => {
      const [account] = await asNative((db) => db.delete(accounts).where(eq(accounts.id, 3)).returning());
      expect(account).toEqual({
        id: 3,
        name: awkwardName,
        number: numberOf(3),
        token: tokenOf(3),
        version: 1,
      });
      const picked = await asNative((db) =>
        db
          .delete(accounts)
          .where(eq(accounts.id, 1))
          .returning({ key: accounts.id, next: sql<number>`${accounts.version} + 1` }),
      );
      expect(picked).toEqual([{ key: 1, next: 2 }]);
    });

    test('of the root of a tree takes the whole tree, and counts the root', async () => {
      const folders = core.pgTable('folders', { id: core.integer('id').primaryKey() });
      expect(await asNative(async (db) => (await db.delete(folders).where(eq(folders.id, 1))).rowCount)).toBe(
        1,
      );
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('in a WITH gives its rows to the query', () =>
      asNative((db) => {
        const gone = db.$with('gone').as(db.delete(accounts).where(lt(accounts.id, 3)).returning());
        return db.with(gone).select().from(gone);
      }));

    test('with a WITH in front of it cascades', () =>
      asNative(async (db) => {
        const first = db
          .$with('first')
          .as(db.select({ id: sql<number>`min(${accounts.id})`.as('id') }).from(accounts));
        return db
          .with(first)
          .delete(accounts)
          .where(eq(accounts.id, sql`(SELECT id FROM ${first})`))
          .returning({ id: accounts.id });
      }));
  });

  test('a prepared statement cascades at each execution', () =>
    asNative(async (db) => {
      const byId = db
        .delete(accounts)
        .where(eq(accounts.id, sql.placeholder('id')))
        .prepare('by_id');
      const counts = [];
      for (const id of [1, 2, 2, 3]) counts.push((await byId.execute({ id })).rowCount);
      return counts;
    }));

  test('SQL of the application cascades', () =>
    asNative(async (db) => {
      const { rowCount, rows } = await db.execute(
        sql`DELETE FROM ${accounts} WHERE id = ${1} RETURNING id, token`,
      );
      return { rowCount, rows };
    }));

  describe('a transaction', () => {
    test('commits, and the one inside it is a savepoint', async () => {
      await asNative((db) =>
        db.transaction(async (tx) => {
          await tx.delete(accounts).where(eq(accounts.id, 1));
          const undone = await failureOf(
            tx.transaction(async (inner) => {
              await inner.delete(accounts).where(eq(accounts.id, 2));
              inner.rollback();
            }),
          );
          const refused = await failureOf(
            tx.transaction((inner) => inner.delete(accounts).where(eq(accounts.id, 5))),
          );
          await tx.transaction((inner) => inner.delete(accounts).where(eq(accounts.id, 3)));
          return { undone, refused };
        }),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('rolls back the whole cascade', async () => {
      await asNative((db) =>
        failureOf(
          db.transaction(async (tx) => {
            await tx.delete(accounts).where(eq(accounts.id, 1));
            await tx.delete(accounts).where(eq(accounts.id, 4));
          }),
        ),
      );
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });
  });

  test.each([
    [4, { code: '23503', table: 'bills', constraint: 'bills_account_fkey' }],
    [5, { code: '23001', table: 'seals', constraint: 'seals_task_fkey' }],
  ])('an error of account %i has the native one as its cause, and the pool stays usable', async (id, fields) => {
    const { failure } = await asNative(async (db) => ({
      failure: await failureOf(db.delete(accounts).where(eq(accounts.id, id))),
      after: await db.delete(accounts).where(eq(accounts.id, 1)).returning(),
    }));
    expect(failure).toMatchObject({ type: 'DrizzleQueryError', cause: { type: 'DatabaseError', ...fields } });
  });

  test('on postgres.js it deletes, returns and fails as natively', () =>
    twin.expectAsNative(async (url) => {
      const client = postgres(url, { max: 1 });
      const db = onPostgresJs(client);
      const deleted = await db.delete(accounts).where(eq(accounts.id, 1)).returning();
      const { count } = await db.delete(accounts).where(eq(accounts.token, tokenOf(2)));
      const nested = await db.transaction(async (tx) => ({
        refused: await failureOf(tx.transaction((inner) => inner.delete(accounts).where(eq(accounts.id, 4)))),
        left: await tx.select().from(projects).orderBy(projects.id),
      }));
      const byId = db
        .delete(accounts)
        .where(eq(accounts.id, sql.placeholder('id')))
        .prepare('by_id');
      const prepared = [(await byId.execute({ id: 3 })).count, (await byId.execute({ id: 3 })).count];
      await client.end();
      return { deleted, count, nested, prepared };
    }));

  test('a migration is followed at once by a DELETE that cascades', async () => {
    const left = await asNative(async (db, keys) => {
      const migrationsFolder = migrations(keys);
      try {
        await migrate(db, { migrationsFolder, migrationsSchema: 'public' });
        const { rowCount } = await db.execute('DELETE FROM shelves WHERE id = 1');
        const { rows } = await db.execute('SELECT id FROM books');
        await db.execute('DROP TABLE books, shelves, __drizzle_migrations');
        return { rowCount, rows };
      } finally {
        rmSync(migrationsFolder, { recursive: true });
      }
    });
    expect(left).toEqual({ rowCount: 1, rows: [{ id: 3 }] });
  });

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const pool = new pg.Pool({ connectionString: twin.url, max: 2 });
    const db = onNodePostgres(pool);
    await db.transaction(async (tx) => {
      await tx.execute('SET LOCAL pgcascade.mode = off');
      await tx.delete(accounts).where(eq(accounts.id, 1));
    });
    await db.delete(accounts).where(eq(accounts.id, 2));
    await pool.end();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });
});

/** A folder as drizzle-kit writes it, with one migration. */
function migrations(keys: Keys): string {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-drizzle-'));
  const statements = [
    'CREATE TABLE "shelves" ("id" integer PRIMARY KEY)',
    'CREATE TABLE "books" ("id" integer PRIMARY KEY, "shelf_id" integer)',
    `ALTER TABLE "books" ADD CONSTRAINT "books_shelf_id_shelves_id_fk" FOREIGN KEY ("shelf_id")
      REFERENCES "public"."shelves"("id") ON DELETE cascade ON UPDATE no action ${keys}`,
    'INSERT INTO "shelves" VALUES (1), (2)',
    'INSERT INTO "books" VALUES (1, 1), (2, 1), (3, 2)',
  ];
  const entries = [{ idx: 0, version: '7', when: 1, tag: '0000_books', breakpoints: true }];
  mkdirSync(join(folder, 'meta'));
  writeFileSync(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  writeFileSync(join(folder, '0000_books.sql'), statements.join(';\n--> statement-breakpoint\n'));
  return folder;
}
