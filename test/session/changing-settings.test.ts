/**
 * standard_conforming_strings and client_encoding decide how the server reads a text. It reports them after a pipeline and not in
 * it: a text that would be another one under the setting before must not pass as that one.
 */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, flush, message, parse, query, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE p (id int PRIMARY KEY, a text);
  CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE NOT ENFORCED);
  CREATE FUNCTION strings() RETURNS text LANGUAGE sql AS $$SELECT set_config('standard_conforming_strings', 'off', false)$$;
  CREATE FUNCTION letters() RETURNS text LANGUAGE sql AS $$SELECT set_config('client_encoding', 'SJIS', false)$$;
  CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM strings(); RETURN NULL; END$$;
  CREATE TABLE watched (id int); CREATE TRIGGER t AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION fired();
  CREATE TABLE late (id int); CREATE CONSTRAINT TRIGGER t AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fired();`);
const proxy = useProxy();

async function connect(): Promise<RawClient> {
  const client = await RawClient.login(proxy, { database: database.name });
  await client.ask(
    query(
      'TRUNCATE p, c; INSERT INTO p SELECT i, i FROM generate_series(1, 9) i; INSERT INTO c SELECT i, i FROM generate_series(1, 9) i',
    ),
  );
  return client;
}

/** Children whose parent is gone; and how many parents are left. */
async function left(client: RawClient): Promise<string | undefined> {
  await client.ask(query('ROLLBACK'));
  const sql =
    'SELECT (SELECT count(*) FROM c WHERE NOT EXISTS (SELECT FROM p WHERE p.id = c.p_id)), (SELECT count(*) FROM p)';
  return (await client.told(query(sql)))[1];
}

const step = (sql: string) => Buffer.concat([parse(sql), bind(), execute()]);
/** A SELECT where a backslash is one, and a DELETE of all where it is an escape. */
const TWO_WAYS = String.raw`WITH a AS (SELECT '\' AS x), b AS (SELECT 1 -- ' AS x), b AS (DELETE FROM p RETURNING 1
) SELECT 1`;
const SAME = String.raw`DELETE FROM p WHERE a = '\d'`;
const OFF = 'SET standard_conforming_strings = off';

describe('a DELETE that only shows where strings have escapes leaves no orphans', () => {
  test('after a SET in the same pipeline', async () => {
    const client = await connect();
    expect((await client.told(step(OFF), step(TWO_WAYS), sync)).join()).toContain('PGC_STRINGS');
    expect(await left(client)).toBe('D 0|9');
  });

  test('also where the SET is answered, and not reported', async () => {
    const client = await connect();
    client.send(step(OFF), flush);
    await client.until('C');
    expect((await client.told(step(TWO_WAYS), sync)).join()).toContain('PGC_STRINGS');
    expect(await left(client)).toBe('D 0|9');
  });

  test('after a query that is not answered', async () => {
    const client = await connect();
    client.send(query(OFF), query(TWO_WAYS));
    await client.until('Z');
    expect((await client.told()).join()).toContain('PGC_STRINGS');
    expect(await left(client)).toBe('D 0|9');
  });

  test('after a prepared SET, and a ROLLBACK that takes the other setting back', async () => {
    const client = await connect();
    await client.ask(parse(OFF, 'off'), sync);
    await client.ask(query('BEGIN'));
    const prepared = Buffer.concat([bind({ statement: 'off' }), execute()]);
    expect((await client.told(prepared, step(TWO_WAYS), sync)).join()).toContain('PGC_STRINGS');
    await client.ask(query(`ROLLBACK`));
    await client.ask(query(OFF));
    await client.ask(query('BEGIN; SET LOCAL standard_conforming_strings = on'));
    client.send(query('ROLLBACK'), query(TWO_WAYS));
    await client.until('Z');
    expect((await client.told()).join()).toContain('PGC_STRINGS');
    expect(await left(client)).toBe('D 0|9');
  });
});

describe('nor does it where a function sets, which no text shows', () => {
  test.each([
    ['after a call in the same pipeline', [step('SELECT strings()'), step(TWO_WAYS), sync]],
    ['that is not waited for', [step('SELECT strings()'), sync, step(TWO_WAYS), sync]],
    ['after a query that is not waited for', [query('SELECT strings()'), query(TWO_WAYS)]],
    ['after a trigger', [step('INSERT INTO watched VALUES (1)'), step(TWO_WAYS), sync]],
    ['after a trigger that waits for the Sync', [step('INSERT INTO late VALUES (1)'), sync, query(TWO_WAYS)]],
    [
      'where it was asked for before',
      [step(OFF), step(OFF.replace('off', 'on')), step(SAME), step('SELECT strings()'), step(TWO_WAYS), sync],
    ],
    ['in a block', [query('BEGIN'), query('SELECT strings()'), query(TWO_WAYS), query('COMMIT')]],
    [
      'in a string that is sent in pieces',
      [query(`SET search_path = public; SELECT strings(); DELETE FROM p WHERE id = 1; ${TWO_WAYS}`)],
    ],
  ])('%s', async (_, messages) => {
    const client = await connect();
    client.send(...messages);
    const ends = messages.filter((each) => 'QS'.includes(String.fromCharCode(each[0] ?? 0)) || each === sync);
    expect(readable(await client.untilReady(ends.length)).join()).toContain('PGC_STRINGS');
    expect(await left(client)).toBe('D 0|9');
  });

  test('the encoding, in which the same bytes are other letters', async () => {
    const client = await connect();
    // In UTF-8 the quote is escaped; in SJIS the backslash is half of a letter.
    const text = String.raw`WITH a AS (SELECT E'あ\' AS x), b AS (DELETE FROM p RETURNING 1) SELECT 1 --'`;
    expect((await client.told(step('SELECT letters()'), step(text), sync)).join()).toContain('PGC_ENCODING');
    expect(await left(client)).toBe('D 0|9');
  });
});

test('a DELETE with a backslash cascades after a SET in the same pipeline that says what the client said before', async () => {
  const client = await connect();
  const text = String.raw`DELETE FROM p WHERE a <> 'C:\temp' AND id = 1`;
  const told = await client.told(step('SET LOCAL statement_timeout = 0'), step(text), sync);
  expect(told).toContain('C DELETE 1');
  expect(await left(client)).toBe('D 0|8');
});

test('a text after a change of the encoding in the same pipeline is not read in the one before', async () => {
  const client = await connect();
  // In UTF-8 this is no text, which the server would refuse.
  const text = Buffer.concat([
    Buffer.from("DELETE FROM p WHERE a <> '"),
    Buffer.from([0x83, 0x5c]),
    Buffer.from("'"),
  ]);
  const deletion = message('P', Buffer.alloc(1), text, Buffer.alloc(3));
  client.send(step("SET client_encoding = 'SJIS'"), flush);
  await client.until('C');
  expect((await client.told(deletion, bind(), execute(), sync)).join()).toContain('PGC_ENCODING');
  expect(await left(client)).toBe('D 0|9');
  expect(await client.told(step("SET client_encoding = 'SJIS'"), sync)).toContain('C SET');
  expect(await client.told(deletion, bind(), execute(), sync)).toContain('C DELETE 9');
  expect(await left(client)).toBe('D 0|0');
});

test('a string that changes how it would be read in pieces is refused, where that makes a difference', async () => {
  const client = await connect();
  const string = (value: string) =>
    `${OFF}; SET search_path = public; UPDATE p SET a = '${value}' WHERE id = 2; DELETE FROM p WHERE id = 1`;
  expect((await client.told(query(string(String.raw`C:\temp`)))).join()).toContain('PGC_AFTER_DDL');
  expect((await client.told(query(string('C:/temp')))).join()).toContain('C DELETE 1');
  expect(await left(client)).toBe('D 0|8');
});

test('a string that resets a setting which does not change how it is read is executed in pieces', async () => {
  const client = await connect();
  const string = (reset: string) =>
    `SET search_path = public; UPDATE p SET a = 'é' WHERE id = 2; DELETE FROM p WHERE id = 1; ${reset}`;
  for (const reset of [
    'RESET ALL',
    'RESET /* ; */ ALL',
    'RESET U&"client!005fencoding" UESCAPE \'!\'',
    'DISCARD ALL',
  ])
    expect((await client.told(query(string(reset)))).join()).toContain('PGC_AFTER_DDL');
  expect((await client.told(query(string('RESET search_path')))).join()).toContain('C DELETE 1');
  expect(await left(client)).toBe('D 0|8');
});
