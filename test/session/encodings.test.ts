/** Clients whose encoding is not UTF8: what they are told, and what is put into their texts. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, message, parse, query, sync } from '../support/frontend-messages.js';
import { connectTo } from '../support/made-connections.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, type RawMessage } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 20_000 });
const native = useDatabase();
const emulated = useDatabase();
const proxy = useProxy();

const schema = (enforced: string) => `
  DROP SCHEMA IF EXISTS "schéma" CASCADE; CREATE SCHEMA "schéma"; SET search_path = "schéma";
  CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE);
  CREATE TABLE "größe" ("née" int PRIMARY KEY, "t\\é" int CONSTRAINT "clé" REFERENCES t ON DELETE CASCADE ${enforced});
  CREATE TABLE "été" (id int PRIMARY KEY, name text CONSTRAINT "clé2" REFERENCES t (name) ${enforced});
  CREATE TABLE "я🐘" (id int PRIMARY KEY, "g'é" int REFERENCES "größe" ON DELETE SET NULL ${enforced});
  CREATE FUNCTION fail() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'déjà: %', 'é'; END $$;
  INSERT INTO t VALUES (1, 'a'), (2, 'é'), (3, 'c'); INSERT INTO "größe" VALUES (10, 1), (20, 2);
  INSERT INTO "été" VALUES (1, 'é'), (2, 'c'); INSERT INTO "я🐘" VALUES (1, 10), (2, 20)`;

async function connect(side: 'native' | 'emulated', encoding: string): Promise<RawClient> {
  const database = side === 'native' ? native.name : emulated.name;
  const client = await RawClient.login(proxy, { database });
  await client.told(query('SET search_path = "schéma"'));
  await client.told(query(`SET client_encoding = '${encoding}'`));
  return client;
}

/** All bytes of the answers, but for an error's place in the server's source and its context. */
function bytes(answers: readonly RawMessage[]): readonly string[] {
  return answers.map(({ type, body }) => {
    const text = body.toString('latin1');
    // The rest of a column's 18 bytes has the table's object id.
    if (type === 'T') return `T ${text.slice(2).replace(/\0.{18}/gs, ' ')}`;
    const fields = text.split('\0').filter((field) => !/^[FLRW]/.test(field));
    return `${type} ${type === 'E' ? fields.join('|') : text}`;
  });
}

beforeEach(async () => {
  const clients = await Promise.all([proxy.connect(native.name), proxy.connect(emulated.name)]);
  await clients[0].query(schema(''));
  await clients[1].query(schema('NOT ENFORCED'));
  await Promise.all(clients.map((client) => client.end()));
});

async function isAsNative(
  encoding: string,
  ...steps: readonly (readonly Buffer[])[]
): Promise<readonly string[]> {
  const told = async (side: 'native' | 'emulated') => {
    const client = await connect(side, encoding);
    const answers: RawMessage[] = [];
    for (const step of steps) answers.push(...(await client.ask(...step)));
    const rows = await client.ask(query('TABLE t'), query(`SELECT * FROM U&"gr\\00f6\\00dfe"`));
    return bytes([...answers, ...rows]);
  };
  const expected = await told('native');
  expect(await told('emulated')).toEqual(expected);
  return expected;
}

const ENCODINGS = ['LATIN1', 'LATIN9', 'WIN1252', 'UTF8', 'SQL_ASCII'];
const all = (sql: string) => [
  [query(sql)],
  [parse(sql), bind(), execute(), sync],
  [parse(sql, 'p'), sync],
  [bind({ statement: 'p' }), execute(), sync],
];

describe.each(ENCODINGS)('under %s', (encoding) => {
  test('a DELETE in ASCII takes children whose names are not', async () => {
    const expected = await isAsNative(encoding, ...all('DELETE FROM t WHERE id = 1'));
    expect(expected.join()).toContain('C DELETE 1\0');
  });

  test("a server's own error comes as the server says it", () =>
    isAsNative(
      encoding,
      ...all('DELETE FROM t WHERE id = fail()'),
      ...all('DELETE FROM t WHERE nothing = 1'),
      ...all('DELETE FROM t WHERE id = (SELECT name FROM t WHERE id = 2)::int'),
    ));

  test('one in ASCII through a name that is spelled by escapes', () =>
    isAsNative(
      encoding,
      ...all(String.raw`DELETE FROM U&"gr\00f6\00dfe" WHERE U&"n\00e9e" = 10 RETURNING *`),
    ));

  test('a PREPARE in ASCII is executed', () =>
    isAsNative(encoding, [query('PREPARE p AS DELETE FROM t WHERE id = 1')], [query('EXECUTE p')]));
});

describe.each(ENCODINGS)('under %s, which has all of these letters', (encoding) => {
  test('a broken rule is reported in it', async () => {
    const expected = await isAsNative(encoding, ...all('DELETE FROM t WHERE id = 2'));
    expect(expected.join()).toContain('C23503');
  });
});

test('an encoding without the letters of a name has question marks in their place', async () => {
  const client = await connect('emulated', 'WIN1251');
  const [error = ''] = bytes(await client.ask(query('DELETE FROM t WHERE id = 3')));
  expect(error).toContain('DKey (name)=(c) is still referenced from table "?t?".');
});

test('text that cannot be read with certainty is refused, and so is a name that is cut', async () => {
  const client = await connect('emulated', 'LATIN1');
  const text = (sql: string) => message('Q', Buffer.from(`${sql}\0`, 'latin1'));
  const told = async (sql: string) => (await client.told(text(sql))).join();
  // The parser cuts it where the server does not.
  expect(await told(`DELETE FROM ${'é'.repeat(40)}`)).toContain('a long name beyond ASCII');
  expect(await told(`DELETE FROM t WHERE name = '${'é'.repeat(40)}'`)).toContain('C DELETE 0');
  expect(await told(String.raw`DELETE FROM U&"\0645" WHERE name = 'é'`)).toContain('escapes in names');
  expect(await told(`DELETE FROM U&"t" WHERE name = 'é'`)).toContain('C=23503');
  await client.told(query("SET client_encoding = 'JOHAB'"));
  expect(await told(`DELETE FROM t WHERE name = 'é'`)).toContain(
    'a statement with characters beyond ASCII in client encoding JOHAB',
  );
});

test('what SQL has prepared under a name beyond ASCII is executed by the protocol', () => {
  const latin1 = (type: string, text: string) => message(type, Buffer.from(text, 'latin1'));
  return isAsNative(
    'LATIN1',
    [latin1('Q', 'PREPARE é AS DELETE FROM t WHERE id = 1 RETURNING *\0')],
    [latin1('B', '\0é\0\0\0\0\0\0\0'), latin1('D', 'P\0'), execute(), sync],
  );
});

test('what was prepared in another encoding is executed where it is in ASCII, and else refused', async () => {
  const client = await connect('emulated', 'UTF8');
  await client.told(
    parse("DELETE FROM t WHERE name = 'é'", 'p'),
    parse('DELETE FROM t WHERE id = 1', 'q'),
    sync,
  );
  await client.told(query("PREPARE r AS DELETE FROM t WHERE name <> 'é'"));
  await client.told(query("SET client_encoding = 'LATIN1'"));
  const told = async (statement: string) => (await client.told(bind({ statement }), execute(), sync)).join();
  expect(await told('p')).toContain('what was prepared in UTF8 in client encoding LATIN1');
  expect(await told('q')).toContain('C DELETE 1');
  expect((await client.told(query('EXECUTE r'))).join()).toContain('what was prepared in UTF8');
  expect(await client.told(query('SELECT count(*) FROM t'))).toContain('D 2');
});

test.each([
  'UTF8',
  'LATIN1',
  'SQL_ASCII',
])('on a database that is in LATIN1 itself, names are spelled so that it has them: %s', async (encoding) => {
  const admin = await proxy.connect('postgres');
  await admin.query('DROP DATABASE IF EXISTS in_latin1');
  await admin.query("CREATE DATABASE in_latin1 ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
  try {
    const owner = await connectTo(proxy.url('in_latin1'));
    await owner.query(
      schema('NOT ENFORCED')
        .replaceAll('я🐘', 'ß')
        .replace(/CREATE FUNCTION .*\n/, ''),
    );
    await owner.end();
    const client = await RawClient.login(proxy, { database: 'in_latin1' });
    await client.told(query(`SET search_path = U&"sch\\00e9ma"`));
    await client.told(query(`SET client_encoding = '${encoding}'`));
    const deleted = String.raw`DELETE FROM U&"gr\00f6\00dfe" WHERE U&"t\\\00e9" = 2`;
    expect(await client.told(query(deleted))).toEqual(['C DELETE 1', 'Z I']);
    expect(await client.told(query('DELETE FROM t WHERE id = 1'))).toEqual(['C DELETE 1', 'Z I']);
    const left = `SELECT (SELECT count(*) FROM U&"gr\\00f6\\00dfe") + count(U&"g'\\00e9") FROM U&"\\00df"`;
    expect(await client.told(query(left))).toContain('D 0');
    // In the C locale it does not fold É to é.
    await client.told(query(String.raw`ALTER TABLE U&"gr\00f6\00dfe" RENAME TO U&"\00c9cole"`));
    const bytes = encoding === 'UTF8' ? 'utf8' : 'latin1';
    const school = message('Q', Buffer.from('DELETE FROM École\0', bytes));
    expect(await client.told(school)).toEqual(['C DELETE 0', 'Z I']);
  } finally {
    await admin.query('DROP DATABASE in_latin1 WITH (FORCE)');
  }
});
