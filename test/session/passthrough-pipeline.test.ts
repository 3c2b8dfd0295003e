/** Pipelines: many messages on their way at once, errors among them, in whatever pieces they arrive. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  bind,
  closePortal,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { type RawClient, readable } from '../support/raw-client.js';
import { useDirectly } from '../wire/as-directly.js';
import { cutAt, cuts } from '../wire/bytes.js';

vi.setConfig({ testTimeout: 20_000 });
const directly = useDirectly();
const { expectAsDirectly } = directly;
const FAILING = run('SELECT 1/0');
const PREPARED = parse('SELECT $1::int + 1 AS next', 's');
const DELETE = 'DELETE FROM parent WHERE id = $1';
const CLOSE = closeStatement('x');

describe('a pipeline', () => {
  const long = Array.from({ length: 500 }, (_, i) => runPrepared('s', [`${i}`]));

  test('of 500 executions in one write is answered as directly', () =>
    expectAsDirectly((client) => client.ask(PREPARED, ...long, sync)));

  test('of 500 executions with a Sync after each is answered as directly', () =>
    expectAsDirectly((client) => {
      client.send(PREPARED, ...long.flatMap((each) => [each, sync]));
      return client.untilReady(500);
    }));

  test('of 500 executions that delete is answered as directly', () =>
    expectAsDirectly((client) =>
      client.ask(parse(DELETE, 'd'), ...long.map((_, i) => runPrepared('d', [`${-i}`])), sync),
    ));

  test('of 300 unnamed statements, every third of which deletes, is answered as directly', () =>
    expectAsDirectly((client) => {
      const each = (_: unknown, i: number) => run(i % 3 === 0 ? DELETE : 'SELECT $1::int', [`${-i}`]);
      return client.ask(...Array.from({ length: 300 }, each), sync);
    }));

  test('of more messages than are remembered at a time is answered whole', async () => {
    const client = await directly.connect();
    client.send(Buffer.alloc(300_000 * CLOSE.length, CLOSE), sync);
    expect((await client.until('Z')).length).toBe(300_001);
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  });

  test('byte by byte is answered as directly', () =>
    expectAsDirectly(async (client) => {
      const bytes = [PREPARED, ...long.slice(0, 20), run(DELETE, ['-1']), FAILING, long[1] ?? sync, sync];
      await client.sendInPieces(Buffer.concat([...bytes, run('SELECT 2'), sync]), 1);
      return client.untilReady(2);
    }));

  test.each([
    ['a Parse', parse('SELECT nonsense')],
    ['a Bind', Buffer.concat([parse('SELECT $1::int'), bind({ values: ['x'] })])],
    ['a Bind of no statement', bind({ statement: 'none' })],
    ['a Describe', describeStatement('none')],
    ['an Execute', FAILING],
    ['a Parse that would delete', parse('DELETE FROM no_table')],
    ['an Execute that would delete', run('DELETE FROM parent WHERE id = 1 / $1::int', ['0'])],
  ])('with an error in %s skips to the Sync and goes on as directly', async (_, failing) => {
    await expectAsDirectly((client) => {
      const skipped = [run('SELECT 2'), run(DELETE, ['-1']), describeStatement('s'), flush];
      client.send(PREPARED, run('SELECT 1'), failing, ...skipped, sync, runPrepared('s', ['7']), sync);
      return client.untilReady(2);
    });
  });

  test('skips queries after an error as well, up to the Sync', () =>
    expectAsDirectly((client) => {
      client.send(FAILING, query('SELECT 1'), query('DELETE FROM parent WHERE id = -1'), sync);
      client.send(query('SELECT 2'));
      return client.untilReady(2);
    }));

  test('skips what deletes after a query that is skipped, and does not wait for it', () =>
    expectAsDirectly((client) =>
      client.ask(
        parse(DELETE),
        bind({ statement: 'none' }),
        query('SELECT 1'),
        parse(DELETE, 's'),
        run(DELETE, ['-1']),
        sync,
      ),
    ));

  test('keeps its unnamed statement where the query that would drop it is skipped', () =>
    expectAsDirectly(async (client) => {
      await client.ask(parse(`${DELETE} RETURNING id`), sync);
      client.send(bind({ statement: 'none' }), query('SELECT 1'), sync);
      client.send(describeStatement(), runPrepared('', ['-1']), sync);
      return client.untilReady(2);
    }));

  test('sent together with a second one has its own error, and the second none', () =>
    expectAsDirectly((client) => {
      client.send(
        run('SELECT 1'),
        FAILING,
        run('SELECT 2'),
        sync,
        run('SELECT 3'),
        run(DELETE, ['-1']),
        sync,
      );
      return client.untilReady(2);
    }));

  test('whose Sync is far after its error is answered when it comes', () =>
    expectAsDirectly(async (client) => {
      client.send(run('SELECT 1'), FAILING, flush);
      const failed = await client.until('E');
      client.send(run(DELETE, ['-1']), run('SELECT 3'));
      return [...failed, ...(await client.ask(sync, run('SELECT 4'), sync)), ...(await client.untilReady())];
    }));

  test('ended by a query instead of a Sync is answered as directly', () =>
    expectAsDirectly((client) => {
      client.send(run('SELECT 1'), query('SELECT 2'), run(DELETE, ['-1']));
      client.send(query('DELETE FROM parent WHERE id = -1'), sync);
      return client.untilReady(3);
    }));
});

describe('a query that may delete, after', () => {
  // A question of the proxy's own must not make a pipeline of what is none: its transaction would stay open.
  test.each([
    ['a Close', closeStatement('none')],
    ['a Parse', parse('SELECT 1')],
    ['a Describe', Buffer.concat([parse('SELECT 1', 's'), describeStatement('s')])],
    ['an Execute', run('SELECT 1')],
  ])('%s without a Sync, ends its transaction as directly', async (_, bytes) => {
    await expectAsDirectly((client) => client.ask(bytes, query('DELETE FROM parent WHERE id = -1')));
  });
});

describe('a name in the unit after a Parse that will fail, sent before its error comes', () => {
  const returning = 'DELETE FROM parent WHERE id = $1 RETURNING id, id + 1 AS next';
  const select = 'SELECT $1::int AS it';
  const another = 'SELECT $1::int AS one, 2 AS two';

  test.each([
    ['a SELECT, for a DELETE', select, DELETE],
    ['a SELECT, for a DELETE with RETURNING', select, returning],
    ['a DELETE, for a SELECT', DELETE, select],
    ['a DELETE with RETURNING, for a SELECT', returning, another],
    ['a DELETE, for one with RETURNING', DELETE, returning],
  ])('means what it meant before, %s', async (_, before, after) => {
    await expectAsDirectly(async (client) => {
      await client.ask(parse(before, 's'), parse(before), sync);
      const use = (name: string) => [describeStatement(name), runPrepared(name, ['-1']), sync];
      // The name is taken; and a Parse of the unnamed statement is skipped after an error.
      client.send(parse(after, 's'), sync, ...use('s'));
      client.send(bind({ statement: 'none' }), parse(after), sync, ...use(''));
      return client.untilReady(4);
    });
  });
});

describe('Flush instead of Sync', () => {
  const stepwise = async (client: RawClient, sql: string) => {
    const steps = [
      [parse(sql, 's'), '1'],
      [describeStatement('s'), sql.includes('RETURNING') || sql.startsWith('SELECT') ? 'T' : 'n'],
      [bind({ statement: 's', values: ['-1'] }), '2'],
      [execute(), 'C'],
    ] as const;
    const came = [];
    for (const [bytes, last] of steps) {
      client.send(bytes, flush);
      came.push(...(await client.until(last)));
    }
    return [...came, ...(await client.ask(sync))];
  };

  test.each([
    ['a SELECT', 'SELECT $1::int AS it'],
    ['a DELETE', DELETE],
    ['a DELETE with RETURNING', `${DELETE} RETURNING *`],
  ])('has each step of %s answered before the next is sent', async (_, sql) => {
    await expectAsDirectly((client) => stepwise(client, sql));
  });
});

/** What drivers may send, and what they had better not. The names collide on purpose. */
const name = fc.constantFrom('', 's', 't');
const sql = fc.constantFrom(
  'SELECT $1::int',
  'SELECT generate_series(1, 4), $1::int',
  'SELECT 1 / $1::int',
  'SELECT nonsense, $1::int',
  DELETE,
  `${DELETE} RETURNING id, 'é' AS é`,
  'DELETE FROM parent WHERE id = 1 / $1::int',
  'DELETE FROM no_table WHERE id = $1',
  'DELETE FROM child WHERE id = $1',
  'WITH d AS (DELETE FROM child WHERE id = $1 RETURNING *) SELECT * FROM d',
  'INSERT INTO pg_temp.t VALUES ($1) RETURNING *',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  '',
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(sql, name).map(([text, each]) => parse(text, each)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, name, fc.constantFrom('0', '1', '-1', null))
      .map(([statement, portal, given]) => bind({ statement, portal, values: [given] })),
  },
  { weight: 4, arbitrary: fc.tuple(name, fc.nat({ max: 2 })).map(([each, rows]) => execute(each, rows)) },
  { weight: 2, arbitrary: fc.tuple(sql, fc.constantFrom('0', '1')).map(([text, it]) => run(text, [it])) },
  { weight: 1, arbitrary: name.map(describeStatement) },
  { weight: 1, arbitrary: name.map(describePortal) },
  { weight: 1, arbitrary: name.map(closeStatement) },
  { weight: 1, arbitrary: name.map(closePortal) },
  { weight: 2, arbitrary: fc.constantFrom(sync, sync, flush) },
  { weight: 1, arbitrary: sql.map((text) => query(text.replaceAll('$1', '1'))) },
);

test('any pipeline, in any split, is answered as directly', async () => {
  const [direct, proxied] = await Promise.all([directly.connectDirect(), directly.connect()]);
  const END = 'end of the pipeline';
  const converse = async (client: RawClient, bytes: Buffer, places: readonly number[]) => {
    for (const piece of cutAt(bytes, places)) await client.sendInPieces(piece, Math.max(piece.length, 1));
    // How many of the steps are answered depends on the errors among them; this is answered after them all.
    client.send(sync, query('ROLLBACK'), query(`DO $$ BEGIN RAISE NOTICE '${END}'; END $$`));
    const came: string[] = [];
    while (!came.some((each) => each.includes(END))) came.push(...readable(await client.untilReady()));
    await client.ask(query('DISCARD ALL'));
    await client.ask(
      query('CREATE TEMP TABLE t (id int); INSERT INTO parent VALUES (0), (1) ON CONFLICT DO NOTHING'),
    );
    return came.map((each) => (each.startsWith('T ') ? each.replace(/@\d+/g, '@') : each));
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), cuts, async (steps, places) => {
      const bytes = Buffer.concat(steps);
      const expected = await converse(direct, bytes, []);
      // A portal that is done: the one of an expanded DELETE can be run again, and finds nothing.
      fc.pre(!expected.some((each) => each.includes('cannot be run')));
      expect(await converse(proxied, bytes, places)).toEqual(expected);
    }),
    { numRuns: 60, seed: 20261122, endOnFailure: true },
  );
});
