/** Knex: its DELETEs cascade through the proxy as they do under enforced keys, those of tables that it migrated too. */
import type { Knex } from 'knex';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, type Keys, numberOf, tokenOf, useClientTwin } from './twin.js';

const load = async () => (await import('knex')).default;

await describeClient({ name: 'Knex', packages: ['knex', 'pg'], load }, (knex) => {
  const twin = useClientTwin();
  const open = (connection: string, max = 1) => knex({ client: 'pg', connection, pool: { min: 0, max } });
  const asNative = <Result>(steps: (db: Knex, keys: Keys) => Promise<Result>, max = 1) =>
    twin.expectAsNative(async (url, keys) => {
      const db = open(url, max);
      try {
        return await steps(db, keys);
      } finally {
        await db.destroy();
      }
    });

  describe('del', () => {
    test('counts the rows of its own table', async () => {
      expect(await asNative((db) => db('accounts').where('id', '<=', 2).del())).toBe(2);
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test('without where cascades from the whole table', async () => {
      expect(
        await asNative(async (db) => {
          await db('seals').delete();
          await db('bills').delete();
          return db('accounts').delete();
        }),
      ).toBe(5);
      expect(await twin.rowsOf('ledgers')).toEqual([]);
    });

    test('of a version that is no longer there deletes nothing, and says so', async () => {
      const counts = await asNative(async (db) => {
        const { version } = await db('accounts').where({ id: 1 }).first();
        await db('accounts').where({ id: 1, version }).increment('version');
        const stale = await db('accounts').where({ id: 1, version }).del();
        const fresh = await db('accounts')
          .where({ id: 1, version: version + 1 })
          .del();
        return { stale, fresh };
      });
      expect(counts).toEqual({ stale: 0, fresh: 1 });
    });

    test.each<[string, (query: Knex.QueryBuilder) => Knex.QueryBuilder]>([
      ['an int', (query) => query.where('id', 1)],
      ['a bigint', (query) => query.where('number', numberOf(2).toString())],
      ['a uuid', (query) => query.where({ token: tokenOf(1) })],
      ['a text', (query) => query.where('name', awkwardName)],
      ['a list', (query) => query.whereIn('id', [1, 3, 99])],
      ['an array', (query) => query.whereRaw('id = ANY(?)', [[1, 2]])],
      [
        'named bindings',
        (query) => query.whereRaw(':column: = ANY(:ids)', { column: 'accounts.id', ids: [1] }),
      ],
      ['null', (query) => query.whereNull('name').orWhere('id', 2)],
      [
        'a condition on the children',
        (query) =>
          query.whereIn('id', (sub) =>
            sub.select('account_id').from('projects').where({ title: 'project 1' }).where('id', '<', 30),
          ),
      ],
      [
        'a condition that no child is left',
        (query) =>
          query
            .where('id', '<', 4)
            .whereNotExists((sub) =>
              sub.from('projects').where('id', 21).whereRaw('account_id = accounts.id'),
            ),
      ],
    ])('takes %s', async (_, where) => {
      const count = await asNative(async (db) => Number(await where(db('accounts')).del()));
      expect(count).toBeGreaterThan(0);
    });

    test('with returning gives the columns of its own table', async () => {
      const [deleted] = await asNative((db) =>
        db('accounts').where({ id: 1 }).del(['id', 'name', 'number', 'token']),
      );
      expect(deleted).toEqual({ id: 1, name: 'account 1', number: String(numberOf(1)), token: tokenOf(1) });
      expect(await asNative((db) => db('accounts').where({ id: 2 }).del('*'))).toHaveLength(1);
    });

    test('with using joins another table', () =>
      asNative((db) =>
        db('accounts')
          .using(['projects'])
          .whereRaw('projects.account_id = accounts.id')
          .where('projects.id', '<', 30)
          .del(),
      ));

    test('with a WITH in front of it cascades', () =>
      asNative((db) =>
        db
          .with('first', db('accounts').min('id as id'))
          .from('accounts')
          .whereIn('id', (sub) => sub.select('id').from('first'))
          .del(),
      ));

    test('in a WITH whose rows an INSERT takes over cascades', () =>
      asNative(async (db) => {
        const gone = db('accounts').whereIn('id', [1, 2]).del(['id', 'name']);
        const archive = db.raw('?? (??, ??)', ['archive', 'id', 'name']);
        return db.with('gone', gone).into(archive).insert(db.select('*').from('gone'), ['id']);
      }));

    test('of the root of a tree takes the whole tree, and counts the root', async () => {
      expect(await asNative((db) => db('folders').where({ id: 1 }).del())).toBe(1);
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('in a schema that is named cascades', () =>
      asNative((db) => db.withSchema('public').from('accounts').where('id', 1).del()));
  });

  test('raw takes bindings, and answers as the driver does', () =>
    asNative(async (db) => {
      const { command, rowCount, rows } = await db.raw('DELETE FROM ?? WHERE ?? = ? RETURNING id', [
        'accounts',
        'id',
        3,
      ]);
      return { command, rowCount, rows };
    }));

  describe('a transaction', () => {
    test('commits what its function did', async () => {
      await asNative((db) =>
        db.transaction(async (trx) => [
          await trx('accounts').where({ id: 1 }).del(),
          await trx('projects').select('id').orderBy('id'),
        ]),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('rolls back the whole cascade where its function fails', async () => {
      await asNative((db) =>
        failureOf(
          db.transaction(async (trx) => {
            await db('accounts').transacting(trx).where({ id: 1 }).del();
            await trx('accounts').where({ id: 4 }).del();
          }),
        ),
      );
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });

    test('that is nested is a savepoint, and takes back only its own', async () => {
      await asNative((db) =>
        db.transaction(async (trx) => {
          await trx('accounts').where({ id: 1 }).del();
          const refused = await failureOf(
            trx.transaction((inner) => inner('accounts').where({ id: 5 }).del()),
          );
          const kept = await trx.transaction((inner) => inner('accounts').where({ id: 2 }).del());
          const undone = await failureOf(
            trx.transaction(async (inner) => {
              await inner('accounts').where({ id: 3 }).del();
              throw new Error('changed my mind');
            }),
          );
          return { refused, kept, undone };
        }),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('at an isolation level of its own cascades', () =>
      asNative((db) =>
        db.transaction((trx) => trx('accounts').where({ id: 1 }).del(), { isolationLevel: 'serializable' }),
      ));
  });

  describe('an error', () => {
    test.each([
      [4, { code: '23503', table: 'bills', constraint: 'bills_account_fkey', schema: 'public' }],
      [5, { code: '23001', table: 'seals', constraint: 'seals_task_fkey', schema: 'public' }],
    ])('of account %i has the native fields, and the pool stays usable', async (id, fields) => {
      const { failure } = await asNative(async (db) => ({
        failure: await failureOf(db('accounts').where({ id }).del()),
        after: await db('accounts').where({ id: 1 }).del(),
      }));
      expect(failure).toMatchObject({ type: 'DatabaseError', ...fields });
      expect(failure.message).toMatch(/^delete from "accounts" where "id" = \$1 - update or delete on table/);
    });
  });

  test('DELETEs over several connections of the pool at once all cascade', async () => {
    const ids = [1, 2, 3];
    expect(
      await asNative((db) => Promise.all(ids.map((id) => db('accounts').where({ id }).del())), 3),
    ).toEqual([1, 1, 1]);
  });

  describe('migrations', () => {
    test('are followed at once by DELETEs that cascade', async () => {
      const counts = await asNative(async (db, keys) => {
        const migrate = { migrationSource: migrations(keys) };
        await db('accounts').where({ id: 99 }).del();
        await db.migrate.latest(migrate);
        await db('shelves').insert([{ id: 1 }, { id: 2 }]);
        await db('books').insert([{ shelf_id: 1 }, { shelf_id: 1 }, { shelf_id: 2 }]);
        await db('pages').insert([{ book_id: 1 }, { book_id: 2 }, { book_id: 3 }]);
        const deleted = await db('shelves').where({ id: 1 }).del();
        const left = [await db('books').pluck('id'), await db('pages').pluck('id')];
        await db.migrate.rollback(migrate, true);
        return { deleted, left, exists: await db.schema.hasTable('pages') };
      });
      expect(counts).toEqual({ deleted: 1, left: [[3], [3]], exists: false });
    });
  });

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const db = open(twin.url, 2);
    await db.transaction(async (trx) => {
      await trx.raw('SET LOCAL pgcascade.mode = off');
      await trx('accounts').where({ id: 1 }).del();
    });
    await db('accounts').where({ id: 2 }).del();
    await db.destroy();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });
});

/** Two steps: the second adds a table below the first one's. */
function migrations(keys: Keys): Knex.MigrationSource<Knex.Migration & { readonly name: string }> {
  const child = (table: string, column: string, parent: string) => ({
    name: `add ${table}`,
    up: async (db: Knex) => {
      await db.schema.createTable(table, (columns) => {
        columns.increments('id');
        columns.integer(column).index().references('id').inTable(parent).onDelete('CASCADE');
      });
      await db.raw(`ALTER TABLE ?? ALTER CONSTRAINT ?? ${keys}`, [table, `${table}_${column}_foreign`]);
    },
    down: (db: Knex) => db.schema.dropTable(table),
  });
  const root = {
    name: 'add shelves',
    up: (db: Knex) => db.schema.createTable('shelves', (columns) => columns.integer('id').primary()),
    down: (db: Knex) => db.schema.dropTable('shelves'),
  };
  const all = [root, child('books', 'shelf_id', 'shelves'), child('pages', 'book_id', 'books')];
  return {
    getMigrations: async () => all,
    getMigrationName: ({ name }) => name,
    getMigration: async (migration) => migration,
  };
}
