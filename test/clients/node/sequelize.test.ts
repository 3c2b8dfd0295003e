/** Sequelize: its DELETEs cascade through the proxy as they do under enforced keys, those of a schema it made too. */
import type { CreationOptional, Model, ModelStatic, Sequelize, WhereOptions } from 'sequelize';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

const load = () => import('sequelize');

interface Account {
  readonly id: number;
  readonly name: string | null;
  readonly number: string | null;
  readonly token: string | null;
  readonly version: CreationOptional<number>;
}

interface Child {
  readonly id: number;
  readonly parent: number | null;
}

await describeClient({ name: 'Sequelize', packages: ['sequelize', 'pg'], load }, (modules) => {
  const { DataTypes, Op, QueryTypes, Sequelize: Constructor, literal } = modules;
  const twin = useClientTwin();
  const open = (url: string, max: number) =>
    new Constructor(url, { logging: false, pool: { max }, define: { timestamps: false } });
  const modelsOf = (sequelize: Sequelize) => ({
    accounts: sequelize.define<Model<Account>>('accounts', {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      name: DataTypes.TEXT,
      number: DataTypes.BIGINT,
      token: DataTypes.UUID,
      version: DataTypes.INTEGER,
    }),
    projects: sequelize.define<Model<Child>>('projects', {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      parent: { type: DataTypes.INTEGER, field: 'account_id' },
    }),
  });
  type Session = ReturnType<typeof modelsOf> & { readonly sequelize: Sequelize };
  const asNative = <Result>(steps: (session: Session) => Promise<Result>, max = 1) =>
    twin.expectAsNative(async (url) => {
      const sequelize = open(url, max);
      try {
        return await steps({ ...modelsOf(sequelize), sequelize });
      } finally {
        await sequelize.close();
      }
    });

  describe('destroy', () => {
    test('of an instance cascades', async () => {
      await asNative(async ({ accounts }) => {
        const account = await accounts.findByPk(1, { rejectOnEmpty: true });
        await account.destroy();
      });
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('with where counts the rows of its own table', async () => {
      const count = await asNative(({ accounts }) => accounts.destroy({ where: { id: { [Op.lte]: 2 } } }));
      expect(count).toBe(2);
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test('of a version that is no longer there deletes nothing, and says so', async () => {
      const counts = await asNative(async ({ accounts }) => {
        await accounts.increment('version', { where: { id: 1 } });
        const stale = await accounts.destroy({ where: { id: 1, version: 1 } });
        return [stale, await accounts.destroy({ where: { id: 1, version: 2 } })];
      });
      expect(counts).toEqual([0, 1]);
    });

    test.each<[string, WhereOptions<Account>]>([
      ['an int', { id: 1 }],
      ['a bigint', { number: String(numberOf(1)) }],
      ['a uuid', { token: tokenOf(1) }],
      ['a text', { name: awkwardName }],
      ['a list', { id: [1, 3] }],
      ['alternatives', { [Op.or]: [{ id: 1 }, { name: { [Op.like]: '%Neil%' } }] }],
      ['SQL', literal(`id IN (SELECT account_id FROM projects WHERE id < 30)`)],
    ])('takes %s', async (_, where) => {
      expect(await asNative(({ accounts }) => accounts.destroy({ where }))).toBeGreaterThan(0);
    });

    test('of the root of a tree takes the whole tree, and counts the root', async () => {
      const count = await asNative(({ sequelize }) => {
        const folders = sequelize.define<Model<Child>>('folders', {
          id: { type: DataTypes.INTEGER, primaryKey: true },
          parent: { type: DataTypes.INTEGER, field: 'parent_id' },
        });
        return folders.destroy({ where: { id: 1 } });
      });
      expect(count).toBe(1);
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('with a limit cascades from as many rows', async () => {
      expect(await asNative(({ accounts }) => accounts.destroy({ where: { id: [1, 2, 3] }, limit: 2 }))).toBe(
        2,
      );
    });

    test('with hooks of its own for every row cascades from each', () =>
      asNative(async ({ accounts }) => {
        const seen: number[] = [];
        accounts.beforeDestroy((account) => {
          seen.push(account.get('id') as number);
        });
        const count = await accounts.destroy({ where: { id: [1, 2] }, individualHooks: true });
        return { seen: seen.sort(), count };
      }));

    test('by TRUNCATE is refused while keys reference the table, as natively', async () => {
      const { code } = await asNative(async ({ accounts }) => {
        const { parent } = await failureOf(accounts.truncate());
        return { code: (parent as { readonly code?: unknown }).code };
      });
      expect(code).toBe('0A000');
    });
  });

  describe('an instance with children', () => {
    const id = { type: DataTypes.INTEGER, primaryKey: true };
    const destroyed = (associate: (Account: ModelStatic<Model>, Project: ModelStatic<Model>) => void) =>
      asNative(async ({ sequelize }) => {
        const Account = sequelize.define('account', { id });
        const Project = sequelize.define('project', { id });
        associate(Account, Project);
        const account = await Account.findByPk(1, { rejectOnEmpty: true });
        const sent: string[] = [];
        await account.destroy({
          logging: (sql) => sent.push(sql.replace(/.*: (\w+) .*FROM "(\w+)".*/, '$1 $2')),
        });
        return sent;
      });

    test('is destroyed by one DELETE where the database does the rest', async () => {
      const sent = await destroyed((Account, Project) => {
        Account.hasMany(Project, { foreignKey: 'account_id', hooks: false, constraints: false });
        Project.belongsTo(Account, { foreignKey: 'account_id', constraints: false });
      });
      expect(sent).toEqual(['DELETE accounts']);
      expect(await twin.rowsOf('tasks')).toHaveLength(16);
    });

    test('is destroyed after each of its children with hooks: true', async () => {
      const sent = await destroyed((Account, Project) => {
        Account.hasMany(Project, { foreignKey: 'account_id', hooks: true, onDelete: 'CASCADE' });
      });
      expect(sent).toEqual(['SELECT projects', 'DELETE projects', 'DELETE projects', 'DELETE accounts']);
    });
  });

  describe('SQL of the application', () => {
    const text = 'DELETE FROM accounts WHERE id = ANY($ids) AND name <> $name RETURNING id, token';

    test('takes parameters', () =>
      asNative(async ({ sequelize }) => {
        const [rows] = await sequelize.query(text, { bind: { ids: [1, 2], name: awkwardName } });
        return rows;
      }));

    test('takes replacements', () =>
      asNative(({ sequelize }) =>
        sequelize.query('DELETE FROM accounts WHERE name = :name', {
          replacements: { name: awkwardName },
          type: QueryTypes.BULKDELETE,
        }),
      ));
  });

  describe('a transaction', () => {
    test('commits, and the one inside it is a savepoint', async () => {
      await asNative(({ sequelize, accounts }) =>
        sequelize.transaction(async (transaction) => {
          await accounts.destroy({ where: { id: 1 }, transaction });
          const refused = await failureOf(
            sequelize.transaction({ transaction }, async (inner) => {
              await accounts.destroy({ where: { id: 2 }, transaction: inner });
              await accounts.destroy({ where: { id: 5 }, transaction: inner });
            }),
          );
          await sequelize.transaction({ transaction }, (inner) =>
            accounts.destroy({ where: { id: 3 }, transaction: inner }),
          );
          return refused;
        }),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('rolls back the whole cascade', async () => {
      await asNative(async ({ sequelize, accounts, projects }) => {
        const transaction = await sequelize.transaction();
        const count = await accounts.destroy({ where: { id: 1 }, transaction });
        const left = await projects.count({ transaction });
        await transaction.rollback();
        return { count, left };
      });
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });
  });

  describe('an error', () => {
    const failureFor = async (id: number) => {
      const { failure } = await asNative(async ({ accounts }) => ({
        failure: await failureOf(accounts.destroy({ where: { id } })),
        after: await accounts.destroy({ where: { id: 1 } }),
      }));
      return failure;
    };

    test('of NO ACTION is a ForeignKeyConstraintError that names the key, and the pool stays usable', async () => {
      expect(await failureFor(4)).toMatchObject({
        type: 'ForeignKeyConstraintError',
        index: 'bills_account_fkey',
        table: 'accounts',
        parent: { code: '23503', constraint: 'bills_account_fkey' },
      });
    });

    test('of RESTRICT has the native error as its parent, and the pool stays usable', async () => {
      expect(await failureFor(5)).toMatchObject({
        parent: { code: '23001', table: 'seals', constraint: 'seals_task_fkey' },
      });
    });
  });

  test('destroys over several connections of the pool at once', async () => {
    const ids = [1, 2, 3];
    expect(
      await asNative(({ accounts }) => Promise.all(ids.map((id) => accounts.destroy({ where: { id } }))), 3),
    ).toEqual([1, 1, 1]);
  });

  test('a schema that it syncs is followed at once by DELETEs that cascade', async () => {
    const left = await twin.expectAsNative(async (url, keys) => {
      const synced = open(url, 1);
      const child = (name: string, parent: string, onDelete: string) =>
        synced.define<Model<Child>>(name, {
          id: { type: DataTypes.INTEGER, primaryKey: true },
          parent: { type: DataTypes.INTEGER, references: { model: parent, key: 'id' }, onDelete },
        });
      const shelves = synced.define('shelves', { id: { type: DataTypes.INTEGER, primaryKey: true } });
      const books = child('books', 'shelves', 'CASCADE');
      const marks = child('marks', 'books', 'SET NULL');
      try {
        await synced.sync();
        for (const table of ['books', 'marks'])
          await synced.query(`ALTER TABLE ${table} ALTER CONSTRAINT "${table}_parent_fkey" ${keys}`);
        await shelves.bulkCreate([{ id: 1 }, { id: 2 }]);
        for (const model of [books, marks]) await model.bulkCreate([1, 2].map((id) => ({ id, parent: id })));
        const count = await shelves.destroy({ where: { id: 1 } });
        await synced.sync();
        const rows = await marks.findAll({ raw: true, order: ['id'] });
        const result = { count, books: await books.count(), rows };
        await synced.drop();
        return result;
      } finally {
        await synced.close();
      }
    });
    expect(left).toEqual({
      count: 1,
      books: 1,
      rows: [
        { id: 1, parent: null },
        { id: 2, parent: 2 },
      ],
    });
  });

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const sequelize = open(twin.url, 2);
    const { accounts } = modelsOf(sequelize);
    await sequelize.transaction(async (transaction) => {
      await sequelize.query('SET LOCAL pgcascade.mode = off', { transaction });
      await accounts.destroy({ where: { id: 1 }, transaction });
    });
    await accounts.destroy({ where: { id: 2 } });
    await sequelize.close();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });
});
