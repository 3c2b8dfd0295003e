/** Rules that are read again hold for open sessions too, from the next statement outside of a transaction on. */
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import {
  bind,
  closeStatement,
  describeStatement,
  execute,
  flush,
  message,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { type ProxyOptions, useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

/** Ten orgs with a user each, by a key that the server does not enforce; and with a note each, by no key. */
const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int, org int CONSTRAINT users_fk REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int, org int);
  CREATE TABLE enforced (id int, org int CONSTRAINT enforced_fk REFERENCES orgs ON DELETE SET NULL)`;
const ROWS = `
  DELETE FROM enforced; DELETE FROM notes; DELETE FROM users; DELETE FROM orgs;
  INSERT INTO orgs SELECT i, 'o' || i FROM generate_series(1, 9) i;
  INSERT INTO users SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO notes SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO enforced SELECT i, i FROM generate_series(1, 9) i`;
const DELETE = 'DELETE FROM s.orgs WHERE id = $1::int';

type Rules = NonNullable<ProxyOptions['cascade']>;
const OFF: Rules = { mode: 'off' };
const ON: Rules = {};
const NOTES: Rules = {
  relations: [{ name: 'notes_fk', from: 's.notes(org)', to: 's.orgs(id)', on_delete: 'cascade' }],
};
const OVERRIDE: Rules = { overrides: [{ match: 's.enforced.*', on_delete: 'cascade' }] };

const database = useDatabase();
const proxy = useProxy();
let direct: pg.Client;
beforeAll(async () => {
  direct = await database.connect();
  await direct.query(SCHEMA);
});
beforeEach(async () => {
  await direct.query(ROWS);
});

/** A session that is open under these rules. */
async function under(cascade: Rules): Promise<RawClient> {
  await proxy.reload({ cascade });
  return RawClient.login(proxy, { database: database.name });
}

/** The ids of the rows that are left of the first orgs: `users 2`. */
async function left(table: string, ids: readonly number[] = [1, 2]): Promise<string> {
  const { rows } = await direct.query(
    `SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM s.${table} WHERE id = ANY ($1)`,
    [ids],
  );
  return rows[0].ids ?? '';
}

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
    await untilSession(direct, pid, WAITS_FOR_LOCK);
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

describe('what was prepared under mode: off', () => {
  test('and closed, or prepared anew under the same name, is what it is', async () => {
    const session = await under(OFF);
    await session.ask(parse(DELETE, 'd'), parse(DELETE, 'e'), sync);
    await session.ask(closeStatement('d'), parse('SELECT $1::int', 'd'), sync);
    await session.ask(query(`PREPARE p AS ${DELETE}`));
    await session.ask(
      query('DEALLOCATE p; DEALLOCATE e; PREPARE p AS SELECT $1::int; PREPARE e AS SELECT $1::int'),
    );
    await proxy.reload({ cascade: ON });
    expect(await session.told(runPrepared('d', ['1']), sync)).toContain('D 1');
    expect(await session.told(query('EXECUTE p (1)'))).toContain('D 1');
    expect(await session.told(runPrepared('e', ['1']), sync)).toContain('D 1');
    expect(await left('orgs')).toBe('1 2');
  });

  test('returns what it returned, and is refused as natively where that has changed', async () => {
    const session = await under(OFF);
    const returning = 'DELETE FROM s.orgs WHERE id = $1::int RETURNING *';
    await session.ask(parse(returning, 'r'), parse(returning, 'changed'), describeStatement('r'), sync);
    await proxy.reload({ cascade: ON });
    expect(await session.told(runPrepared('r', ['1']), sync)).toContain('D 1|o1');
    expect(await left('users')).toBe('2');
    await direct.query('ALTER TABLE s.orgs ADD more int');
    onTestFinished(() => direct.query('ALTER TABLE s.orgs DROP more').then(() => {}));
    const refused = await session.told(runPrepared('changed', ['2']), sync);
    expect(refused.join()).toMatch(/0A000.*cached plan must not change result type/);
    expect(await left('orgs')).toBe('2');
  });

  test('by name, and executed by SQL, has to be prepared again', async () => {
    const session = await under(OFF);
    await session.ask(parse('DELETE FROM s.orgs WHERE id = 1', 'd'), sync);
    await proxy.reload({ cascade: ON });
    expect((await session.told(query('EXECUTE d'))).join()).toContain('PGC_EXECUTE');
    expect(await left('orgs')).toBe('1 2');
    await session.ask(run('SELECT 1'), sync);
  });
});

test('cascade.code: reject holds for a CALL that was prepared before', async () => {
  const session = await under(ON);
  await direct.query('CREATE PROCEDURE s.clean() LANGUAGE sql AS $$DELETE FROM s.orgs WHERE id = 1$$');
  await session.ask(parse('CALL s.clean()', 'c'), sync);
  await proxy.reload({ cascade: { code: 'reject' } });
  expect((await session.told(runPrepared('c'), sync)).join()).toContain('PGC_CODE');
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('c'), sync)).join()).toContain('C CALL');
});

test('cascade.unsupported: reject holds for what was passed on before', async () => {
  const session = await under({ unsupported: 'pass' });
  await direct.query('CREATE RULE r AS ON DELETE TO s.orgs DO ALSO NOTIFY gone');
  onTestFinished(() => direct.query('DROP RULE r ON s.orgs').then(() => {}));
  await session.ask(parse(DELETE, 'd'), sync);
  expect(await session.told(runPrepared('d', ['1']), sync)).toContain('C DELETE 1');
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('d', ['2']), sync)).join()).toMatch(/0A000.*PGC_/);
  expect(await left('orgs')).toBe('2');
});

test('an EXECUTE that was prepared itself is refused where its statement would have to be prepared anew', async () => {
  const session = await under(OFF);
  await session.ask(query(`PREPARE d AS ${DELETE}`));
  await session.ask(parse('EXECUTE d (1)', 'e'), sync);
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('e'), sync)).join()).toContain('PGC_EXECUTE');
  expect((await session.told(runPrepared('d', ['1']), sync)).join()).toContain('PGC_EXECUTE');
  expect(await left('orgs')).toBe('1 2');
});

test('a session that prepared under mode: off what cannot be read is ended: it may be a DELETE', async () => {
  const session = await under(OFF);
  await session.ask(query('SET standard_conforming_strings = off'));
  await session.ask(query(`PREPARE d AS DELETE FROM s.orgs WHERE id = 1 OR name = 'a\\b'`));
  await proxy.reload({ cascade: ON });
  session.send(query('EXECUTE d'));
  expect(readable(await session.rest()).join()).toMatch(/57P01.*PGC_RELOADED/);
  expect(await left('orgs')).toBe('1 2');
});

test('cascade.code: reject refuses no DO under mode: off, beside a PREPARE either', async () => {
  const session = await under({ ...OFF, code: 'reject' });
  const told = await session.told(query(`PREPARE d AS DELETE FROM s.orgs WHERE id = 1; DO 'BEGIN END'`));
  expect(told).toEqual(['C PREPARE', 'C DO', 'Z I']);
  await proxy.reload({ cascade: { code: 'reject' } });
  expect((await session.told(query(`DO 'BEGIN END'`))).join()).toContain('PGC_CODE');
  await session.ask(query('EXECUTE d'));
  expect(await left('users')).toBe('2');
});
