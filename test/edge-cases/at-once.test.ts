/** Two sessions at once, that get in each other's way: what waits, what is seen, and what is left. */
import { describe, expect, test, vi } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { askAll, type RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';
import { ALL, type Kind, type Side, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn, on } = useSides();

const FAMILY = `CREATE TABLE p (id int PRIMARY KEY, note text); INSERT INTO p VALUES (1), (2), (3);
  CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS, note text); INSERT INTO c VALUES (10, 1), (20, 2), (30, 3);
  CREATE TABLE g (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE KEYS); INSERT INTO g VALUES (100, 10), (200, 20), (300, 30);
  CREATE INDEX ON c (p); CREATE INDEX ON g (c)`;
const ONE = 'DELETE FROM p WHERE id = 1';

interface Meeting {
  /** Of the application that deletes. */
  readonly before?: readonly string[];
  /** Of the other session, which is in a transaction. */
  readonly other: readonly string[];
  readonly deletes?: string;
}

/** The DELETE waits for the other session, which then commits. */
async function meet(side: Side, { before = [], other, deletes = ONE }: Meeting) {
  const { client } = side;
  const [rival, watcher] = await Promise.all([side.connect(), side.direct()]);
  const answers = await askAll(client, before);
  const pid = await pidOf(client);
  await askAll(rival, ['BEGIN', ...other]);
  client.send(run(deletes), sync);
  await untilSession(watcher, pid, WAITS_FOR_LOCK);
  await rival.ask(query('COMMIT'));
  answers.push(...(await client.untilReady()));
  await watcher.end();
  return [...answers, ...(await askAll(client, before.length > 0 ? ['COMMIT'] : []))];
}

const LOCK = 'SELECT FROM p WHERE id = 1 FOR UPDATE';
describe('a DELETE that waits for another session', () => {
  test.each<readonly [string, Meeting]>([
    ['29 deletes a child that it has changed', { other: ['UPDATE c SET note = $$x$$ WHERE id = 10'] }],
    ['29 deletes a child whose child it has changed', { other: ['UPDATE g SET id = 101 WHERE id = 100'] }],
    [
      '29 leaves a child that it has moved to another parent',
      { other: ['UPDATE c SET p = 2 WHERE id = 10'] },
    ],
    [
      '29 goes on where it has deleted the child',
      { other: ['DELETE FROM g WHERE id = 100', 'DELETE FROM c WHERE id = 10'] },
    ],
    [
      '29 deletes the parent as it has been changed',
      { other: ['UPDATE p SET note = $$x$$ WHERE id = 1'], deletes: `${ONE} RETURNING *` },
    ],
    [
      '29 leaves a parent that is not meant any more',
      {
        other: ['UPDATE p SET note = $$x$$ WHERE id = 1'],
        deletes: 'DELETE FROM p WHERE id = 1 AND note IS NULL',
      },
    ],
    [
      '30 deletes what it has left of the parents',
      {
        other: ['DELETE FROM p WHERE id < 3 RETURNING id'],
        deletes: 'DELETE FROM p WHERE id > 1 RETURNING id',
      },
    ],
    ['30 deletes nothing where it has deleted all', { other: ['DELETE FROM p'], deletes: 'DELETE FROM p' }],
    ['30 deletes a parent whose child it has deleted', { other: ['DELETE FROM c WHERE id = 10'] }],
    [
      '30 in a transaction is a serialization failure, where that is isolated',
      { before: ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM p'], other: [ONE] },
    ],
  ])('%s', (_, meeting) => sameOn(ALL, FAMILY, (side) => meet(side, meeting)));
});

describe('29 a child that comes while the DELETE waits', () => {
  const CHILD = { other: [LOCK, 'INSERT INTO c VALUES (11, 1)'] };
  const GRANDCHILD = { other: ['SELECT FROM c WHERE id = 10 FOR UPDATE', 'INSERT INTO g VALUES (101, 10)'] };
  const guarded = ['native', 'overridden'] as const;
  const isolated = (level: string) => ({
    before: [`BEGIN ISOLATION LEVEL ${level}`, 'SELECT count(*) FROM p'],
  });

  test.each<readonly [string, Meeting]>([
    ['below the parent goes with it', CHILD],
    ['below a child goes with it', GRANDCHILD],
  ])('%s, where the server enforces the key', (_, meeting) =>
    sameOn(guarded, FAMILY, (side) => meet(side, meeting)));

  test.each(
    guarded.flatMap((kind) => ['REPEATABLE READ', 'SERIALIZABLE'].map((level) => [kind, level] as const)),
  )('is 40001 where the server enforces the key (%s), under %s', async (kind, level) => {
    const told = readable(await meet(await on(kind, FAMILY), { ...CHILD, ...isolated(level) }));
    const error = told.find((each) => each.startsWith('E'));
    expect(error).toMatch(
      /^E C=40001 .*M=could not serialize access due to concurrent update S=ERROR V=ERROR/,
    );
    expect(told.slice(-2)).toEqual(['C ROLLBACK', 'Z I']);
  });

  test.each<readonly [string, Meeting]>([
    ['below the parent', CHILD],
    ['below a child', GRANDCHILD],
    ['below the parent, under REPEATABLE READ', { ...CHILD, ...isolated('REPEATABLE READ') }],
  ])('%s is left behind where nobody does', async (_, meeting) => {
    const side = await on('emulated', FAMILY);
    expect(readable(await meet(side, meeting))).toContain('C DELETE 1');
    const orphans =
      'SELECT (SELECT string_agg(id::text, $$ $$) FROM c WHERE p NOT IN (SELECT id FROM p)), (SELECT string_agg(id::text, $$ $$) FROM g WHERE c NOT IN (SELECT id FROM c))';
    expect((await side.client.told(query(orphans)))[1]).toBe(
      meeting.other === GRANDCHILD.other ? 'D NULL|101' : 'D 11|NULL',
    );
  });

  test('is not waited for where nobody enforces the key', async () => {
    const side = await on('emulated', FAMILY);
    const rival = await side.connect();
    await askAll(rival, ['BEGIN', 'INSERT INTO c VALUES (11, 1)']);
    expect(await side.client.told(query(ONE))).toEqual(['C DELETE 1', 'Z I']);
    expect(await rival.told(query('COMMIT'))).toEqual(['C COMMIT', 'Z I']);
    expect(await side.client.told(query('SELECT id FROM c WHERE p = 1'))).toContain('D 11');
  });
});

describe('30 many DELETEs of overlapping parents at once', () => {
  const MANY = `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 400);
    CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); CREATE INDEX ON c (p);
    INSERT INTO c SELECT 10 * id + j, id FROM p, generate_series(0, 2) j;
    CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS, c int REFERENCES c ON DELETE SET NULL KEYS);
    CREATE INDEX ON t (up); CREATE INDEX ON t (c); INSERT INTO t SELECT i, nullif(i / 2, 0), 10 + i FROM generate_series(1, 300) i WHERE i < 4 OR true`;
  const deleted = (told: readonly string[]) => Number(/^C DELETE (\d+)/.exec(told[0] ?? '')?.[1]);
  test.each<Kind>([
    'native',
    'emulated',
    'overridden',
  ])('delete each row once, add up, and do not deadlock (%s)', async (kind) => {
    const side = await on(kind, MANY.replace('10 + i FROM', '10 * (i % 400 + 1) FROM'));
    const clients = await Promise.all(Array.from({ length: 4 }, () => side.connect()));
    const work = async (client: RawClient, first: number) => {
      let sum = 0;
      for (let from = first; from < 400; from += 30)
        sum += deleted(await client.told(query(`DELETE FROM p WHERE id BETWEEN ${from} AND ${from + 60}`)));
      return sum;
    };
    const sums = await Promise.all(clients.map((client, i) => work(client, 1 + 10 * i)));
    expect(sums.reduce((a, b) => a + b)).toBe(400);
    expect(
      (
        await side.client.told(
          query('SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM c), (SELECT count(c) FROM t)'),
        )
      )[1],
    ).toBe('D 0|0|0');
  });
});
