/** Rules that are read again hold for open sessions too, from the next statement outside of a transaction on. */
import { describe, expect, test } from 'vitest';
import {
  bind,
  execute,
  flush,
  message,
  parse,
  query,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';
import { DELETE, OFF, ON, type Rules, useReloading } from './reloading.js';

const NOTES: Rules = {
  relations: [{ name: 'notes_fk', from: 's.notes(org)', to: 's.orgs(id)', on_delete: 'cascade' }],
};
const OVERRIDE: Rules = { overrides: [{ match: 's.enforced.*', on_delete: 'cascade' }] };

const reloading = useReloading();
const { database, proxy, under, left } = reloading;

/** Ways to prepare a DELETE, and to execute it for one org. */
const WAYS: readonly {
  readonly way: string;
  readonly prepare: readonly Buffer[];
  readonly execute: (id: number) => readonly Buffer[];
}[] = [
  {
    way: 'a statement with a name',
    prepare: [parse(DELETE, 'd'), sync],
    execute: (id) => [runPrepared('d', [String(id)]), sync],
  },
  {
    way: 'the unnamed statement',
    prepare: [parse(DELETE), sync],
    execute: (id) => [bind({ values: [String(id)] }), execute(), sync],
  },
  {
    way: 'PREPARE and EXECUTE',
    prepare: [query(`PREPARE d AS ${DELETE}`)],
    execute: (id) => [query(`EXECUTE d (${id})`)],
  },
  {
    way: 'the same text once more',
    prepare: [query('DELETE FROM s.orgs WHERE id = 8')],
    execute: (id) => [query(`DELETE FROM s.orgs WHERE id = ${id}`)],
  },
  {
    way: 'a MERGE',
    prepare: [
      parse(
        'MERGE INTO s.orgs o USING (VALUES ($1::int)) v (id) ON o.id = v.id WHEN MATCHED THEN DELETE',
        'm',
      ),
      sync,
    ],
    execute: (id) => [runPrepared('m', [String(id)]), sync],
  },
];

/** What holds at first, what holds then, and the table in which the difference is seen. */
const CHANGES = [
  { change: 'mode: off to on', before: OFF, after: ON, table: 'users', kept: true, gone: true },
  { change: 'mode: on to off', before: ON, after: OFF, table: 'users', kept: false, gone: false },
  { change: 'a new relation', before: ON, after: NOTES, table: 'notes', kept: true, gone: true },
  { change: 'a new override', before: ON, after: OVERRIDE, table: 'enforced', kept: true, gone: true },
  {
    change: 'declared: true to false',
    before: ON,
    after: { declared: false },
    table: 'users',
    kept: false,
    gone: false,
  },
  {
    change: 'a relation that is no more',
    before: NOTES,
    after: ON,
    table: 'notes',
    kept: false,
    gone: false,
  },
] as const;

describe.each(CHANGES)('$change', ({ before, after, table, kept, gone }) => {
  test.each(WAYS)('holds for $way', async ({ prepare, execute: executed }) => {
    const session = await under(before);
    await session.ask(...prepare);
    await session.ask(...executed(1));
    expect(await left(table)).toBe(kept ? '1 2' : '2');
    expect(await proxy.reload({ cascade: after })).toMatchObject({ kind: 'applied' });
    const told = await session.told(...executed(2));
    expect(told.join('; ')).toMatch(/C (DELETE|MERGE) 1; Z I$/);
    expect(await left(table, [2])).toBe(gone ? '' : '2');
    // And for the next one, which finds everything as it has to be.
    expect((await session.told(...executed(3))).join('; ')).toMatch(/C (DELETE|MERGE) 1; Z I$/);
    expect(await left(table, [3])).toBe(gone ? '' : '3');
  });
});

describe('a transaction', () => {
  test('keeps the rules under which it began', async () => {
    const session = await under(OFF);
    await session.ask(query('BEGIN'));
    await session.ask(parse(DELETE, 'd'), sync);
    await proxy.reload({ cascade: ON });
    await session.ask(runPrepared('d', ['1']), sync);
    await session.ask(query('COMMIT'));
    expect(await left('users')).toBe('1 2');
    await session.ask(runPrepared('d', ['2']), sync);
    expect(await left('users')).toBe('1');
  });

  test('that is implicit, in a pipeline that is flushed, keeps them to its Sync; a portal too', async () => {
    const session = await under(OFF);
    session.send(parse(DELETE, 'd'), bind({ statement: 'd', portal: 'p', values: ['1'] }), flush);
    await session.until('2');
    await proxy.reload({ cascade: ON });
    await session.ask(execute('p'), sync);
    expect(await left('users')).toBe('1 2');
    await session.ask(runPrepared('d', ['2']), sync);
    expect(await left('users')).toBe('1');
  });

  test('of which a cursor is open keeps them', async () => {
    const session = await under(OFF);
    await session.ask(
      query('BEGIN; DECLARE c CURSOR FOR SELECT * FROM s.orgs ORDER BY id FOR UPDATE; FETCH c'),
    );
    await proxy.reload({ cascade: ON });
    await session.ask(query('DELETE FROM s.orgs WHERE CURRENT OF c'));
    await session.ask(query('COMMIT'));
    await session.ask(query('DELETE FROM s.orgs WHERE id = 2'));
    expect(await left('users')).toBe('1');
  });
});

describe('a pipeline', () => {
  test('that never waits for an answer goes by the new rules once the old ones have been answered', async () => {
    const session = await under(OFF);
    await session.ask(parse(DELETE, 'd'), sync);
    // The server has not answered the first one when the second one comes.
    const locking = await database.connect();
    await locking.query('BEGIN; LOCK TABLE s.orgs');
    const pid = await pidOf(session);
    session.send(runPrepared('d', ['1']), sync);
    await untilSession(reloading.direct, pid, WAITS_FOR_LOCK);
    await proxy.reload({ cascade: ON });
    session.send(runPrepared('d', ['2']), sync, query('SELECT 1'), runPrepared('d', ['3']), sync);
    await locking.query('COMMIT');
    await session.untilReady(4);
    expect(await left('users', [1, 2, 3])).toBe('1');
  });

  test('that copies data in meanwhile is not held up', async () => {
    const session = await under(OFF);
    session.send(query('COPY s.notes FROM STDIN'));
    await session.until('G');
    await proxy.reload({ cascade: ON });
    session.send(
      Buffer.concat([message('d', Buffer.from('20\t20\n')), message('c')]),
      query('DELETE FROM s.orgs WHERE id = 1'),
    );
    expect(readable(await session.untilReady(2))).toEqual(['C COPY 1', 'Z I', 'C DELETE 1', 'Z I']);
    expect(await left('users')).toBe('2');
  });
});
