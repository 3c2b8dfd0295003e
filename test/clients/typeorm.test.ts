/** TypeORM: its DELETEs cascade through the proxy as they do under enforced keys, those of a schema it made too. */
import type { DataSource, DataSourceOptions } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, type Keys, numberOf, tokenOf, useClientTwin } from './twin.js';

const load = () => import('typeorm');

interface Account {
  id: number;
  name: string | null;
  number: string | null;
  token: string | null;
  version: number;
  projects?: Project[];
}

interface Project {
  id: number;
  title: string | null;
  account?: Account | null;
}

interface Folder {
  id: number;
  parent?: Folder | null;
}

interface Item {
  id: number;
  parent?: { id: number } | null;
}

await describeClient({ name: 'TypeORM', packages: ['typeorm', 'pg'], load }, (typeorm) => {
  const { EntitySchema, In, IsNull, LessThan, Not, QueryFailedError } = typeorm;
  const accounts = new EntitySchema<Account>({
    name: 'Account',
    tableName: 'accounts',
    columns: {
      id: { type: 'int', primary: true },
      name: { type: 'text', nullable: true },
      number: { type: 'bigint', nullable: true },
      token: { type: 'uuid', nullable: true },
      version: { type: 'int', version: true },
    },
    relations: {
      projects: { type: 'one-to-many', target: 'Project', inverseSide: 'account', cascade: ['remove'] },
    },
  });
  const projects = new EntitySchema<Project>({
    name: 'Project',
    tableName: 'projects',
    columns: { id: { type: 'int', primary: true }, title: { type: 'text', nullable: true } },
    relations: {
      account: {
        type: 'many-to-one',
        target: 'Account',
        inverseSide: 'projects',
        joinColumn: { name: 'account_id' },
        onDelete: 'CASCADE',
      },
    },
  });

  const folders = new EntitySchema<Folder>({
    name: 'Folder',
    tableName: 'folders',
    columns: { id: { type: 'int', primary: true } },
    relations: { parent: { type: 'many-to-one', target: 'Folder', joinColumn: { name: 'parent_id' } } },
  });

  const twin = useClientTwin();
  type Entities = NonNullable<DataSourceOptions['entities']>;
  const open = (url: string, entities: Entities = [accounts, projects, folders], max = 1) =>
    new typeorm.DataSource({ type: 'postgres', url, entities, poolSize: max }).initialize();
  const asNative = <Result>(
    steps: (source: DataSource, keys: Keys) => Promise<Result>,
    entities?: Entities,
  ) =>
    twin.expectAsNative(async (url, keys) => {
      const source = await open(url, entities);
      try {
        return await steps(source, keys);
      } finally {
        await source.destroy();
      }
    });

  describe('a repository', () => {
    test('removes an entity', async () => {
      await asNative(async (source) => {
        const repository = source.getRepository(accounts);
        return repository.remove(await repository.findOneByOrFail({ id: 1 }));
      });
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('removes several entities in one unit of work', () =>
      asNative(async (source) => {
        const repository = source.getRepository(accounts);
        return repository.remove(await repository.find({ where: { id: LessThan(4) }, order: { id: 'ASC' } }));
      }));

    test('removes an entity whose children it removes itself', () =>
      asNative(async (source) => {
        const repository = source.getRepository(accounts);
        const account = await repository.findOneOrFail({ where: { id: 1 }, relations: { projects: true } });
        await repository.remove(account);
      }));

    test('removes the root of a tree, and the whole tree with it', async () => {
      await asNative(async (source) => {
        const repository = source.getRepository(folders);
        await repository.remove(await repository.findOneByOrFail({ id: 1 }));
        return repository.find({ relations: { parent: true }, order: { id: 'ASC' } });
      });
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('removes an entity that is gone already', () =>
      asNative(async (source) => {
        const repository = source.getRepository(accounts);
        const account = await repository.findOneByOrFail({ id: 1 });
        await repository.delete({ id: 1 });
        await repository.remove(account);
      }));

    test.each<[string, object]>([
      ['an int', { id: 1 }],
      ['a bigint', { number: String(numberOf(1)) }],
      ['a uuid', { token: tokenOf(1) }],
      ['a text', { name: awkwardName }],
      ['a list', { id: In([1, 3]) }],
      ['several criteria', { id: LessThan(4), name: Not(IsNull()), version: 1 }],
    ])('deletes by %s, and tells how many', async (_, criteria) => {
      const { affected } = await asNative((source) => source.getRepository(accounts).delete(criteria));
      expect(affected).toBeGreaterThan(0);
    });

    test('deletes nothing of a version that is no longer there, and says so', async () => {
      const affected = await asNative(async (source) => {
        const repository = source.getRepository(accounts);
        // Natively, what an alias references cannot be changed.
        await source.query('DELETE FROM aliases');
        await repository.save({ ...(await repository.findOneByOrFail({ id: 1 })), name: 'renamed' });
        const stale = await repository.delete({ id: 1, version: 1 });
        const fresh = await repository.delete({ id: 1, version: 2 });
        return [stale.affected, fresh.affected];
      });
      expect(affected).toEqual([0, 1]);
    });
  });

  describe('a query builder', () => {
    test('deletes with returning', async () => {
      const { raw, affected } = await asNative((source) =>
        source
          .createQueryBuilder()
          .delete()
          .from(accounts)
          .where('id = ANY(:ids)', { ids: [1, 3] })
          .returning(['id', 'name', 'number'])
          .execute(),
      );
      expect({ raw, affected }).toEqual({
        raw: [
          { id: 1, name: 'account 1', number: String(numberOf(1)) },
          { id: 3, name: awkwardName, number: String(numberOf(3)) },
        ],
        affected: 2,
      });
    });

    test('deletes by a query of the children', () =>
      asNative((source) => {
        const parents = source
          .createQueryBuilder(projects, 'project')
          .select('project.account_id')
          .where('project.id < :below');
        const query = source.createQueryBuilder().delete().from(accounts);
        return query.where(`id IN (${parents.getQuery()})`, { below: 30 }).execute();
      }));

    test('deletes the children of one relation', () =>
      asNative((source) =>
        source.createQueryBuilder().delete().from(projects).where('account_id = :id', { id: 1 }).execute(),
      ));
  });

  test('SQL of the application cascades', () =>
    asNative((source) => source.query('DELETE FROM accounts WHERE id = $1 RETURNING token', [1])));

  describe('a transaction', () => {
    test('commits, and the one inside it is a savepoint', async () => {
      await asNative((source) =>
        source.transaction(async (manager) => {
          await manager.delete(accounts, { id: 1 });
          const refused = await failureOf(
            manager.transaction(async (inner) => {
              await inner.delete(accounts, { id: 2 });
              await inner.delete(accounts, { id: 5 });
            }),
          );
          await manager.transaction((inner) => inner.delete(accounts, { id: 3 }));
          return refused;
        }),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('of a query runner is rolled back with the whole cascade', async () => {
      await asNative(async (source) => {
        const runner = source.createQueryRunner();
        await runner.startTransaction('REPEATABLE READ');
        const { affected } = await runner.manager.delete(accounts, { id: 1 });
        const left = await runner.manager.countBy(projects, { id: LessThan(20) });
        await runner.rollbackTransaction();
        await runner.release();
        return { affected, left };
      });
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });
  });

  test.each([
    [4, { code: '23503', table: 'bills', constraint: 'bills_account_fkey' }],
    [5, { code: '23001', table: 'seals', constraint: 'seals_task_fkey' }],
  ])('an error of account %i is a QueryFailedError with the native fields, and the pool stays usable', async (id, fields) => {
    const { deleted, removed } = await asNative(async (source) => {
      const repository = source.getRepository(accounts);
      const account = await repository.findOneByOrFail({ id });
      return {
        deleted: await failureOf(repository.delete({ id })),
        removed: await failureOf(repository.remove(account)),
        after: await repository.delete({ id: 1 }),
      };
    });
    for (const failure of [deleted, removed])
      expect(failure).toMatchObject({
        type: QueryFailedError.name,
        ...fields,
        driverError: { type: 'DatabaseError', ...fields },
      });
  });

  test('a schema that it synchronizes is followed at once by DELETEs that cascade', async () => {
    const shelves = new EntitySchema({ name: 'shelves', columns: { id: { type: 'int', primary: true } } });
    const child = (name: string, parent: string, onDelete: 'CASCADE' | 'SET NULL') =>
      new EntitySchema<Item>({
        name,
        columns: { id: { type: 'int', primary: true } },
        relations: { parent: { type: 'many-to-one', target: parent, nullable: true, onDelete } },
      });
    const books = child('books', 'shelves', 'CASCADE');
    const pages = child('pages', 'books', 'CASCADE');
    const marks = child('marks', 'books', 'SET NULL');
    const left = await asNative(
      async (source, keys) => {
        await source.synchronize();
        await source.query(alterKeys(keys));
        await source.manager.insert(shelves, [{ id: 1 }, { id: 2 }]);
        for (const [entity, ids] of [
          [books, [1, 2]],
          [pages, [1, 2]],
          [marks, [1, 2]],
        ] as const)
          await source.manager.insert(
            entity,
            ids.map((id) => ({ id, parent: { id } })),
          );
        const { affected } = await source.manager.delete(shelves, { id: 1 });
        // Once more, as an application does at each start.
        await source.synchronize();
        const rows = await source.manager.find(marks, { relations: { parent: true }, order: { id: 'ASC' } });
        const counts = [await source.manager.count(books), await source.manager.count(pages)];
        await source.query('DROP TABLE pages, marks, books, shelves');
        return { affected, rows, counts };
      },
      [shelves, books, pages, marks],
    );
    expect(left).toEqual({
      affected: 1,
      rows: [
        { id: 1, parent: null },
        { id: 2, parent: { id: 2 } },
      ],
      counts: [1, 1],
    });
  });

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const source = await open(twin.url, undefined, 2);
    await source.transaction(async (manager) => {
      await manager.query('SET LOCAL pgcascade.mode = off');
      await manager.delete(accounts, { id: 1 });
    });
    await source.manager.delete(accounts, { id: 2 });
    await source.destroy();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });
});

/** Makes the keys of the tables that are not the twin's what its keys are: clients cannot declare it. */
function alterKeys(keys: Keys): string {
  return `DO $$ DECLARE key record; BEGIN
    FOR key IN SELECT conrelid::regclass AS of, conname FROM pg_constraint WHERE contype = 'f'
      AND confrelid IN (to_regclass('shelves'), to_regclass('books'))
    LOOP EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I ${keys}', key.of, key.conname); END LOOP; END $$`;
}
