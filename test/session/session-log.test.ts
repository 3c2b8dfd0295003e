/** What the log says of statements: planned ones at debug, refused ones at info; names, and never values or texts. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { Repeats } from '../../src/observe/repeats.js';
import { useDatabase } from '../support/database.js';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { type RunningProxy, startProxy, useProxy } from '../support/proxy.js';
import { RawClient, startupPacket } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE SET NULL NOT ENFORCED);
  CREATE TABLE alone (id int);
  CREATE TABLE ruled (id int PRIMARY KEY);
  CREATE TABLE below (id int PRIMARY KEY, ruled_id int REFERENCES ruled ON DELETE CASCADE NOT ENFORCED);
  CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING;
  CREATE TABLE held (id int PRIMARY KEY);
  CREATE TABLE holds (id int PRIMARY KEY, held_id int REFERENCES held NOT ENFORCED);
  INSERT INTO held VALUES (1); INSERT INTO holds VALUES (2, 1);
  INSERT INTO orgs VALUES (1); INSERT INTO users VALUES (10, 1); INSERT INTO posts VALUES (100, 10);`);
const proxy = useProxy({ log: { level: 'debug' } });

/** The lines of the log that came of what is done. */
async function linesOf(on: RunningProxy, act: (client: RawClient) => Promise<unknown>) {
  const client = await RawClient.login(on, { database: database.name });
  const before = on.log.length;
  await act(client);
  return on.log.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
}

const DATABASE = expect.stringMatching(/\/scratch_\w+$/);

describe('at debug', () => {
  const planned = {
    level: 'debug',
    time: expect.any(String),
    client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    database: DATABASE,
    deletes: ['public.orgs'],
    cascades: ['public.users'],
    changes: ['public.posts'],
    keys: ['public.users.users_org_id_fkey', 'public.posts.posts_user_id_fkey'],
    milliseconds: expect.any(Number),
    msg: 'a cascade is planned',
  };

  test.each([
    ['a query', query("DELETE FROM orgs WHERE id = 1 AND 'my secret' <> ''")],
    ['a pipeline', Buffer.concat([run("DELETE FROM orgs WHERE $1 = 'my secret'", ['value']), sync])],
    ['a PREPARE', query("PREPARE d AS DELETE FROM orgs WHERE 'my secret' = 'x'")],
  ])('what is planned for %s is one line of tables, keys and milliseconds', async (_, bytes) => {
    const lines = await linesOf(proxy, (client) => {
      client.send(query('BEGIN'), bytes, query('ROLLBACK'));
      return client.untilReady(3);
    });
    expect(lines).toEqual([planned]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|value/);
  });

  test('each execution of what is prepared has a line with its milliseconds: of the first, that it is planned', async () => {
    const executed = { ...planned, msg: 'a cascade is executed again' };
    const lines = await linesOf(proxy, async (client) => {
      client.send(query('BEGIN'), parse('DELETE FROM orgs WHERE id = $1', 'd'), sync);
      await client.untilReady(2);
      for (const id of ['1', 'my secret', '3']) {
        client.send(runPrepared('d', [id]), sync, query('ROLLBACK; BEGIN'));
        await client.untilReady(2);
      }
    });
    expect(lines).toEqual([planned, executed]);
    expect(JSON.stringify(lines)).not.toMatch(/secret/);
  });

  test.each([
    ['a query', query("DELETE FROM held WHERE 'my secret' <> ''")],
    ['a pipeline', Buffer.concat([run("DELETE FROM held WHERE $1 <> 'my secret'", ['value']), sync])],
  ])('a second attempt of %s is told with its reason, and what it does is planned anew', async (_, bytes) => {
    const lines = await linesOf(proxy, (client) => client.ask(bytes));
    const held = expect.objectContaining({ msg: 'a cascade is planned', deletes: ['public.held'] });
    expect(lines).toEqual([
      held,
      expect.objectContaining({
        level: 'debug',
        database: DATABASE,
        why: 'ruleSuspected',
        msg: 'a statement is sent again',
      }),
      held,
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|value/);
  });

  test('nothing is said of what needs no cascade', async () => {
    const sql = ['DELETE FROM alone', 'SELECT 1', 'DELETE FROM nowhere', 'INSERT INTO alone VALUES (1)'];
    for (const each of sql) expect(await linesOf(proxy, (client) => client.ask(query(each)))).toEqual([]);
  });
});

describe('at info', () => {
  const info = useProxy({ log: { level: 'info' } });
  const refused = (error: string, sqlstate: string, text: RegExp) =>
    expect.objectContaining({
      level: 'info',
      database: DATABASE,
      error,
      sqlstate,
      msg: expect.stringMatching(text),
    });

  test('what is refused is told by the name of its error, in each protocol', async () => {
    const [simple, extended] = [
      await linesOf(info, (client) => client.ask(query("DELETE FROM ruled WHERE 'my secret' = ''"))),
      await linesOf(info, (client) => client.ask(run("DELETE FROM ruled WHERE 'my secret' = ''"), sync)),
    ];
    expect(simple).toEqual([refused('PGC_RELATION', '0A000', /^refused: cannot cascade .*"ruled"/)]);
    // The same once more within a minute.
    expect(extended).toEqual([]);
    expect(JSON.stringify([simple, extended])).not.toContain('secret');
  });

  test('what is set to a value that is none is told without the value', async () => {
    const lines = await linesOf(info, (client) =>
      client
        .ask(query("SET pgcascade.mode = 'secret'"), query('DELETE FROM orgs'))
        .then(() => client.untilReady()),
    );
    expect(lines).toEqual([refused('PGC_MODE', '22023', /^refused: invalid value/)]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  test('a rule that is broken, and a cascade, are none of it', async () => {
    const sql = 'BEGIN; DELETE FROM orgs; ROLLBACK; TRUNCATE orgs';
    expect(await linesOf(info, (client) => client.ask(query(sql)))).toEqual([]);
  });

  test('a client that is refused again and again makes one line', async () => {
    const again = await startProxy({ log: { level: 'info' } });
    onTestFinished(() => again.stop());
    const lines = await linesOf(again, async (client) => {
      for (let i = 0; i < 50; i++) await client.ask(query('DELETE FROM ruled'));
    });
    expect(lines.length).toBe(1);
  });

  test('so is a client that is not let in', async () => {
    const small = await startProxy({ log: { level: 'info' }, limits: { connections: 1 } });
    onTestFinished(() => small.stop());
    const lines = await linesOf(small, async () => {
      const client = await RawClient.open(small);
      client.send(startupPacket({ database: database.name }));
      await client.rest();
    });
    expect(lines).toEqual([
      expect.objectContaining({ level: 'info', error: 'PGC_CONNECTIONS', sqlstate: '53300' }),
    ]);
  });
});

test('what is passed on without a cascade is a warning, once', async () => {
  const passing = await startProxy({ cascade: { unsupported: 'pass' } });
  onTestFinished(() => passing.stop());
  const lines = await linesOf(passing, async (client) => {
    for (let i = 0; i < 5; i++) await client.ask(query('DELETE FROM ruled'));
  });
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'warn',
      error: 'PGC_RELATION',
      msg: expect.stringMatching(/^passed on/),
    }),
  ]);
});

describe('what is repeated', () => {
  test('is told once a minute, with how often it was not told', () => {
    let now = 0;
    const repeats = new Repeats(() => now);
    expect([repeats.tell('a'), repeats.tell('a'), repeats.tell('b'), repeats.tell('a')]).toEqual([
      0,
      undefined,
      0,
      undefined,
    ]);
    now = 60_000;
    expect([repeats.tell('a'), repeats.tell('a'), repeats.tell('b')]).toEqual([2, undefined, 0]);
  });

  test('in ever other words is told of no more than a hundred a minute', () => {
    let now = 0;
    const repeats = new Repeats(() => now);
    const told = () =>
      Array.from({ length: 1000 }, (_, i) => repeats.tell(`${now} ${i}`)).filter((it) => it === 0);
    expect(told().length).toBe(100);
    now = 60_000;
    expect(told().length).toBe(100);
  });
});
