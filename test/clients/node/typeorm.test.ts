/** TypeORM: its DELETEs cascade through the proxy as they do under enforced keys. */
import type { DataSource, Logger } from 'typeorm';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

const load = () => import('typeorm');
const silent: Logger = {
  logQuery() {},
  logQueryError() {},
  logQuerySlow() {},
  logSchemaBuild() {},
  logMigration() {},
  log() {},
};

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
  const open = (url: string, max = 1) =>
    new typeorm.DataSource({
      type: 'postgres',
      url,
      entities: [accounts, projects, folders],
      poolSize: max,
    }).initialize();
  const asNative = <Result>(steps: (source: DataSource) => Promise<Result>) =>
    twin.expectAsNative(async (url) => {
      const source = await open(url);
      try {
        return await steps(source);
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

    test.each([
      ['one DELETE where its children are not loaded', {}, ['DELETE accounts']],
      [
        'a DELETE of each child that is loaded, with cascade: remove',
        { projects: true },
        ['DELETE projects', 'DELETE accounts'],
      ],
    ])('removes an entity by %s', async (_, relations, expected) => {
      const deletes = await asNative(async (source) => {
        const repository = source.getRepository(accounts);
        const account = await repository.findOneOrFail({ where: { id: 1 }, relations });
        const sent: string[] = [];
        source.setOptions({ logging: ['query'], logger: { ...silent, logQuery: (sql) => sent.push(sql) } });
        await repository.remove(account);
        return sent
          .filter((sql) => sql.startsWith('DELETE'))
          .map((sql) => sql.replace(/(\w+) FROM "(\w+)".*/, '$1 $2'));
      });
      expect(deletes).toEqual(expected);
    });

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

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const source = await open(twin.url, 2);
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
