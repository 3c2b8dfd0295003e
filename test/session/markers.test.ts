/** The message by which an expanded statement stops itself, raised by somebody else: it is the error that it would be. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, sync } from '../support/frontend-messages.js';
import { useKeptSessions } from '../support/kept-sessions.js';
import { useProxy } from '../support/proxy.js';
import type { RawClient } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 20_000 });
const database = useDatabase();
const proxy = useProxy();
const session = useKeptSessions();

const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE orgs (id int PRIMARY KEY, data text);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE bills (id int PRIMARY KEY, org int REFERENCES orgs NOT ENFORCED);
  INSERT INTO orgs VALUES (1), (2), (3); INSERT INTO users VALUES (1, 1), (2, 2); INSERT INTO bills VALUES (1, 3);
  CREATE FUNCTION raise(kind text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    RETURN (substring(concat(current_query(), (SELECT string_agg(statement, '') FROM pg_prepared_statements))
      from 'pgcascade/[a-z0-9]+/') || kind)::int; END $$;
  CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM s.raise(current_setting('s.kind')); RETURN NULL; END $$;
  CREATE TRIGGER stop AFTER DELETE ON users FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION stop()`;

const KINDS = ['relationChanged', 'ruleSuspected', 'rowKept', 'refused', '0/0/(1)', '7/x/(1)', ''];

const connect = async () => {
  const client = await session(proxy, { database: database.name });
  await client.told(query('SET search_path = s'));
  return client;
};

const ask = async (sql: string) => {
  const client = await proxy.connect(database.name);
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
};

/** The errors of the answers: SQLSTATE and message, the marker's own part left out. */
function errors(answers: readonly string[]): readonly string[] {
  return answers
    .filter((each) => each.startsWith('E'))
    .map((each) => each.replace(/pgcascade\/[a-z0-9]+\//, 'MARKER/'));
}

const raised = (kind: string) => [
  expect.stringMatching(
    new RegExp(
      `C=22P02.*M=invalid input syntax for type integer: "MARKER/${kind.replace(/[()]/g, '\\$&')}"`,
      's',
    ),
  ),
];

/** What a session has seen of the text that is sent for one of its statements. */
async function markerSeenBy(client: RawClient, ...messages: readonly Buffer[]): Promise<string> {
  const told = (await client.told(...messages)).join();
  const [marker] = /pgcascade\/[a-z0-9]+\//.exec(told) ?? [];
  expect(marker).toBeDefined();
  return marker ?? '';
}

const left = () => ask('SELECT (SELECT count(*) FROM s.orgs), (SELECT count(*) FROM s.users)');

beforeEach(async () => void (await ask(SCHEMA)));

describe.each(KINDS)('a trigger that raises %j', (kind) => {
  const sql = 'DELETE FROM orgs WHERE id = 1';
  const told = async (...steps: readonly (readonly Buffer[])[]) => {
    const client = await connect();
    await client.told(query(`SET s.kind = '${kind}'`));
    const answers: string[] = [];
    for (const step of steps) answers.push(...(await client.told(...step)));
    expect(await left()).toEqual([['3', '2']]);
    return errors(answers);
  };

  test('in a simple query', async () => {
    expect(await told([query(sql)])).toEqual(raised(kind));
  });

  test('in the extended protocol', async () => {
    expect(await told([parse(sql), bind(), execute(), sync])).toEqual(raised(kind));
  });

  test('in a statement that was prepared', async () => {
    expect(await told([parse(sql, 'p'), sync], [bind({ statement: 'p' }), execute(), sync])).toEqual(
      raised(kind),
    );
  });

  test('in one that SQL prepared', async () => {
    expect(await told([query(`PREPARE p AS ${sql}`)], [query('EXECUTE p')])).toEqual(raised(kind));
  });

  test('in a transaction', async () => {
    expect(await told([query('BEGIN')], [query(sql)], [query('ROLLBACK')])).toEqual(raised(kind));
  });

  test('after a savepoint, in the extended protocol', async () => {
    const steps = [[query('BEGIN; SAVEPOINT a')], [parse(sql), bind(), execute(), sync]];
    expect(await told(...steps, [query('ROLLBACK TO a; COMMIT')])).toEqual(raised(kind));
  });

  test('in a string of several statements', async () => {
    expect(await told([query(`SELECT 1; ${sql}; SELECT 2`)])).toEqual(raised(kind));
  });
});

describe.each(KINDS)('a text that has learned the marker and raises %j', (kind) => {
  const cast = (marker: string) => `DELETE FROM orgs WHERE id = concat('${marker}', '${kind}')::int`;

  test.each([
    ['', ''],
    ['BEGIN', 'ROLLBACK'],
    ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'ROLLBACK'],
  ])('gets its own error: %j', async (begin, end) => {
    const client = await connect();
    const marker = await markerSeenBy(
      client,
      query('DELETE FROM orgs WHERE id = 2 RETURNING current_query()'),
    );
    await client.told(query(begin));
    const split = cast(marker).replace('pgcascade/', "pgcas', 'cade/");
    expect(errors(await client.told(query(split)))).toEqual(raised(kind));
    await client.told(query(`${end}; ${begin}`));
    expect(errors(await client.told(parse(cast(marker)), bind(), execute(), sync))).toEqual(raised(kind));
    await client.told(query(end));
    expect(await left()).toEqual([['2', '1']]);
  });

  test.each(['', 'BEGIN'])('as a value of the statement that it was read of: %j', async (begin) => {
    const client = await connect();
    const sql = 'DELETE FROM orgs WHERE id = concat($1::text)::int RETURNING current_query()';
    await client.told(parse(sql, 'p'), sync);
    const marker = await markerSeenBy(client, bind({ statement: 'p', values: ['2'] }), execute(), sync);
    await client.told(query(begin));
    const values = [`${marker}${kind}`];
    expect(errors(await client.told(bind({ statement: 'p', values }), execute(), sync))).toEqual(
      raised(kind),
    );
    expect(await left()).toEqual([['2', '1']]);
  });
});

test('a text that raises the marker that it has itself is sent no more than a few times', async () => {
  const client = await connect();
  await client.told(query('CREATE SEQUENCE times'));
  const marker = `substring(current_query() from 'pgcascade/[a-z0-9]+/')`;
  const sql = `DELETE FROM orgs WHERE nextval('times') > 0 AND (${marker} || 'relationChanged')::int = 1`;
  expect(errors(await client.told(query(sql)))).toEqual(raised('relationChanged'));
  expect(Number((await ask('SELECT last_value FROM s.times'))[0]?.[0])).toBeLessThan(6);
});

test('the statement is believed where the server logs parameters with errors', async () => {
  const client = await connect();
  await client.told(query('SET log_parameter_max_length_on_error = -1'));
  const sql = 'DELETE FROM orgs WHERE id = $1';
  const [error] = errors(await client.told(parse(sql), bind({ values: ['3'] }), execute(), sync));
  expect(error).toContain('C=23503');
  await client.told(parse(sql, 'p'), sync);
  const again = await client.told(bind({ statement: 'p', values: ['3'] }), execute(), sync);
  expect(errors(again)[0]).toContain('C=23503');
});
