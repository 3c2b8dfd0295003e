/** Prisma with its driver adapter and without an engine: its DELETEs cascade as they do under enforced keys. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { describeClient } from './client.js';
import { failureOf } from './failure.js';
import type { Prisma, PrismaClient } from './prisma/generated/client.js';
import { awkwardName, numberOf, tokenOf, useClientTwin } from './twin.js';

const prismaClient = {
  name: 'Prisma',
  packages: ['prisma', '@prisma/client', '@prisma/adapter-pg'],
  async load() {
    // Offline: the schema is compiled by what the packages hold. Prisma insists on a schema engine, which it does not
    // run to generate; so the script names a program that is there, instead of the one it would download.
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    await promisify(execFile)('npm', ['run', '--silent', 'generate'], { cwd });
    const [{ PrismaClient }, { PrismaPg }] = await Promise.all([
      import('./prisma/generated/client.js'),
      import('@prisma/adapter-pg'),
    ]);
    return (url: string, max: number) =>
      new PrismaClient({
        adapter: new PrismaPg({ connectionString: url, max }),
        log: [{ emit: 'event', level: 'query' }],
      });
  },
};

await describeClient(prismaClient, (open) => {
  const twin = useClientTwin();
  const asNative = <Result>(steps: (prisma: PrismaClient<'query'>) => Promise<Result>, max = 1) =>
    twin.expectAsNative(async (url) => {
      const prisma = open(url, max);
      try {
        return await steps(prisma);
      } finally {
        await prisma.$disconnect();
      }
    });

  describe('delete', () => {
    test('gives the row, in its types', async () => {
      const account = await asNative(({ account }) => account.delete({ where: { id: 3 } }));
      expect(account).toEqual({
        id: 3,
        name: awkwardName,
        number: numberOf(3),
        token: tokenOf(3),
        version: 1,
      });
      expect(await twin.rowsOf('projects')).toHaveLength(8);
    });

    test('with what is included gives the children as they were', async () => {
      const account = await asNative(({ account }) =>
        account.delete({
          where: { id: 1 },
          include: { projects: { include: { tasks: true, notes: true }, orderBy: { id: 'asc' } } },
        }),
      );
      expect(account.projects).toHaveLength(2);
      expect(await twin.rowsOf('tasks')).toHaveLength(16);
    });

    test('sends one statement, and leaves the children to the database', async () => {
      const sent = await asNative(async (prisma) => {
        const queries: string[] = [];
        prisma.$on('query', ({ query }) =>
          queries.push(query.replace(/^(\w+) FROM "\w+"\."(\w+)".*/, '$1 $2')),
        );
        await prisma.account.delete({ where: { id: 1 }, select: { id: true } });
        return queries;
      });
      expect(sent).toEqual(['DELETE accounts']);
      expect(await twin.rowsOf('tasks')).toHaveLength(16);
    });

    test.each<[string, Prisma.AccountWhereUniqueInput]>([
      ['a bigint', { number: numberOf(1) }],
      ['a uuid', { token: tokenOf(1) }],
      ['a text', { name: awkwardName }],
      ['a key and a version', { id: 1, version: 1 }],
    ])('takes %s', async (_, where) => {
      await asNative(({ account }) => account.delete({ where, select: { id: true } }));
    });

    test('of a version that is no longer there is the error of a record that is not found', async () => {
      const failure = await asNative(async ({ account }) => {
        await account.update({ where: { id: 1 }, data: { version: { increment: 1 } } });
        const stale = await failureOf(account.delete({ where: { id: 1, version: 1 } }));
        await account.delete({ where: { id: 1, version: 2 } });
        return stale;
      });
      expect(failure).toMatchObject({ type: 'PrismaClientKnownRequestError', code: 'P2025' });
    });

    test('of the root of a tree takes the whole tree', async () => {
      const folder = await asNative(({ folder }) =>
        folder.delete({ where: { id: 1 }, include: { children: true } }),
      );
      expect(folder.children).toHaveLength(2);
      expect(await twin.rowsOf('files')).toEqual(['(60,6)', '(70,7)']);
    });

    test('of a child from within its parent cascades below it', () =>
      asNative(({ account }) =>
        account.update({
          where: { id: 1 },
          data: { version: 2, projects: { delete: { id: 11 } } },
          include: { projects: true },
        }),
      ));
  });

  describe('deleteMany', () => {
    test('counts the rows of its own table', async () => {
      expect(await asNative(({ account }) => account.deleteMany({ where: { id: { lte: 2 } } }))).toEqual({
        count: 2,
      });
      expect(await twin.rowsOf('tasks')).toHaveLength(12);
    });

    test.each<[string, Prisma.AccountWhereInput]>([
      ['a list', { id: { in: [1, 3, 99] } }],
      ['a text within', { name: { contains: "O'Neil", mode: 'insensitive' } }],
      ['alternatives', { OR: [{ id: 1 }, { token: tokenOf(2) }] }],
      ['a condition on the children', { projects: { some: { id: { lt: 30 } } } }],
      [
        'a condition that there are no other children',
        { bills: { none: {} }, projects: { every: { id: { lt: 30 } } } },
      ],
    ])('takes %s', async (_, where) => {
      expect((await asNative(({ account }) => account.deleteMany({ where }))).count).toBeGreaterThan(0);
    });

    test('of more keys than a statement takes parameters cascades from all', async () => {
      const keys = [1, 2, 3, ...Array.from({ length: 40_000 }, (_, i) => 1000 + i)];
      const deleted = await asNative(({ account }) => account.deleteMany({ where: { id: { in: keys } } }));
      expect(deleted).toEqual({ count: 3 });
    });

    test('with a limit cascades from as many rows', async () => {
      const where = { id: { in: [1, 2, 3] } };
      expect(await asNative(({ account }) => account.deleteMany({ where, limit: 2 }))).toEqual({ count: 2 });
    });
  });

  describe('SQL of the application', () => {
    test('counts the rows of its own table', async () => {
      const count = await asNative(
        (prisma) => prisma.$executeRaw`DELETE FROM accounts WHERE id = ANY(${[1, 2, 99]})`,
      );
      expect(count).toBe(2);
    });

    test('gives the rows of RETURNING, in their types', async () => {
      const rows = await asNative(
        (prisma) =>
          prisma.$queryRaw`DELETE FROM accounts WHERE name = ${awkwardName} RETURNING *, version + ${1} AS next`,
      );
      expect(rows).toEqual([
        { id: 3, name: awkwardName, number: numberOf(3), token: tokenOf(3), version: 1, next: 2 },
      ]);
    });

    test('that is known only at run time takes parameters', () =>
      asNative((prisma) =>
        prisma.$executeRawUnsafe('DELETE FROM accounts WHERE token = $1::uuid', tokenOf(1)),
      ));
  });

  describe('a transaction', () => {
    test('of a list commits all of it', async () => {
      const counts = await asNative((prisma) =>
        prisma.$transaction([
          prisma.account.deleteMany({ where: { id: 1 } }),
          prisma.task.count(),
          prisma.project.deleteMany({ where: { accountId: 2 } }),
          prisma.task.count(),
        ]),
      );
      expect(counts).toEqual([{ count: 1 }, 16, { count: 2 }, 12]);
    });

    test('of a list that fails undoes the whole cascade', async () => {
      await asNative((prisma) =>
        failureOf(
          prisma.$transaction([
            prisma.account.delete({ where: { id: 1 } }),
            prisma.account.delete({ where: { id: 4 } }),
          ]),
        ),
      );
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });

    test('of a function commits, and goes on from a savepoint', async () => {
      await asNative((prisma) =>
        prisma.$transaction(async (tx) => {
          await tx.account.delete({ where: { id: 1 } });
          await tx.$executeRaw`SAVEPOINT s`;
          const refused = await failureOf(tx.account.delete({ where: { id: 5 } }));
          await tx.$executeRaw`ROLLBACK TO SAVEPOINT s`;
          await tx.account.delete({ where: { id: 2 } });
          return { refused, left: await tx.project.count() };
        }),
      );
      expect(await twin.rowsOf('projects')).toHaveLength(6);
    });

    test('of a function that fails is rolled back with the whole cascade', async () => {
      const failure = await asNative((prisma) =>
        failureOf(
          prisma.$transaction(
            async (tx) => {
              await tx.account.delete({ where: { id: 1 } });
              throw new Error(`${await tx.task.count()} tasks are left`);
            },
            { isolationLevel: 'Serializable' },
          ),
        ),
      );
      expect(failure.message).toBe('16 tasks are left');
      expect(await twin.rowsOf('tasks')).toHaveLength(20);
    });
  });

  describe('an error', () => {
    test.each([
      [4, 'bills_account_fkey'],
      [5, 'seals_task_fkey'],
    ])('of account %i is a P2003 that names the key, and the pool stays usable', async (id, key) => {
      const { one, many, raw } = await asNative(async (prisma) => ({
        one: await failureOf(prisma.account.delete({ where: { id } })),
        many: await failureOf(prisma.account.deleteMany({ where: { id } })),
        raw: await failureOf(prisma.$executeRaw`DELETE FROM accounts WHERE id = ${id}`),
        after: await prisma.account.delete({ where: { id: 1 } }),
      }));
      for (const failure of [one, many]) {
        expect(failure).toMatchObject({ type: 'PrismaClientKnownRequestError', code: 'P2003' });
        expect(JSON.stringify(failure.meta)).toContain(key);
      }
      expect(raw.message).toContain(key);
    });
  });

  test('deletes over several connections of the pool at once', async () => {
    const deleted = await asNative(
      ({ account }) => Promise.all([1, 2, 3].map((id) => account.delete({ where: { id } }))),
      3,
    );
    expect(deleted.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('SET pgcascade.mode = off holds for the connection of one transaction', async () => {
    const prisma = open(twin.url, 2);
    await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SET LOCAL pgcascade.mode = off`;
      await tx.account.delete({ where: { id: 1 } });
    });
    await prisma.account.delete({ where: { id: 2 } });
    await prisma.$disconnect();
    expect(await twin.rowsOf('accounts')).toHaveLength(3);
    expect(await twin.rowsOf('projects')).toHaveLength(8);
  });
});
