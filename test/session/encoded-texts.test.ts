/**
 * Texts with characters beyond ASCII under a client_encoding that is not UTF8: what the client gets, and what is left, is byte
 * for byte what PostgreSQL answers with enforced keys.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { bind, describePortal, execute, message, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, type RawMessage } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 30_000 });
const proxy = useProxy();
const SIDES = ['native', 'emulated'] as const;
type SideName = (typeof SIDES)[number];

/** In words of a language: a schema, tables, columns, keys, values. */
interface Words {
  readonly s: string;
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly n: string;
  readonly k: string;
  readonly v: string;
}

const FRENCH: Words = { s: 'schéma', a: 'größe', b: 'été', c: 'ça', n: "l'née", k: 'clé', v: 'déjà vu' };
const RUSSIAN: Words = { s: 'схема', a: 'заказ', b: 'строка', c: 'чек', n: 'имя', k: 'ключ', v: 'ёлка' };
// In SJIS and BIG5 the second byte of some is a backslash, a parenthesis, a letter, or a vertical bar.
const JAPANESE: Words = { s: '予定', a: '表ソ', b: '能力', c: 'ポ', n: '十一', k: '暴ー', v: 'ソ表能' };
// Half-width letters are one byte in SJIS and two in EUC_JP; the others have three there, and are none in SJIS.
const KANA: Words = { s: 'ｽｷｰﾏ', a: 'ﾋｮｳ', b: '能ﾘｷ', c: 'ﾎﾟ', n: 'ﾅ', k: 'ｶｷﾞ', v: 'ｱﾀｲ表' };
const RARE: Words = { ...JAPANESE, a: '丂表', b: '丨丨', n: '乀', v: '乑ｱ乑' };
const CHINESE: Words = { s: '功能', a: '許功', b: '蓋子', c: '餐', n: '名', k: '鍵', v: '功' };
const SIMPLE: Words = { s: '模式', a: '订单', b: '行', c: '功能', n: '名字', k: '键', v: '值' };
const FOUR_BYTES: Words = { ...SIMPLE, v: '𠮷㐂' };
const KOREAN: Words = { s: '스키마', a: '주문', b: '항목', c: '표', n: '이름', k: '열쇠', v: '값' };

const schema = ({ s, a, b, c, n, k, v }: Words, enforced: string) => `
  CREATE SCHEMA "${s}"; SET search_path = "${s}";
  CREATE TABLE "${a}" (id int PRIMARY KEY, "${n}" text UNIQUE);
  CREATE TABLE "${b}" (id int PRIMARY KEY, "${n}" int CONSTRAINT "${k}" REFERENCES "${a}" ON DELETE CASCADE ${enforced});
  CREATE TABLE "${c}" (id int PRIMARY KEY, t text CONSTRAINT "${k}2" REFERENCES "${a}" ("${n}") ${enforced});
  INSERT INTO "${a}" SELECT i, '${v}' || i FROM generate_series(1, 9) i;
  INSERT INTO "${b}" SELECT i + 10, i FROM generate_series(1, 9) i; INSERT INTO "${c}" VALUES (1, '${v}9')`;

/** In the order in which they are sent. Each is a query of its own, and then one in the extended protocol. */
const texts = ({ s, a, b, n, k, v }: Words): readonly string[] => [
  `DELETE FROM "${a}" WHERE "${n}" = '${v}1'`,
  `DELETE FROM ${a} WHERE "${n}" IN ('${v}2', E'\\\\${v}', $$${v}$$) RETURNING *, '${v}' AS "${n}"`,
  `DELETE FROM "${s}".${a} AS ${k} USING "${b}" AS ${v.slice(0, 2)} WHERE ${k}.id = ${v.slice(0, 2)}."${n}" AND ${k}.id = 3 RETURNING ${k}.*`,
  `/* ${v} */ WITH ${k} AS (DELETE FROM ${a} WHERE id = 4 RETURNING *), ${v.slice(0, 2)} AS (DELETE FROM ${a} WHERE id = 5 RETURNING "${n}", id + 1 AS ${k}) SELECT * FROM ${k}, ${v.slice(0, 2)} -- ${v}`,
  `WITH ${k} AS (DELETE FROM ${a} USING "${b}" AS q WHERE ${a}.id = q."${n}" AND ${a}.id = 8 RETURNING *) SELECT * FROM ${k}`,
  `-- ${v}\nDELETE FROM "${a}" WHERE "${n}" = '${v}9'`,
  `/* ${v} */ DELETE FROM "${a}" WHERE "${n}" = '${v}' AND ${k} = 1 RETURNING *`,
  `/* ${v} */ DELETE FROM "${v}" WHERE "${n}" = '${v}'`,
  `DELETE FROM "${a}" WHERE "${n}" = '${v}' AND id = '${v}'`,
  `MERGE INTO ${a} AS ${k} USING (VALUES ('${v}6')) AS q (${v.slice(0, 2)}) ON ${k}."${n}" = q.${v.slice(0, 2)} WHEN MATCHED THEN DELETE`,
  `COPY (DELETE FROM ${a} WHERE "${n}" = '${v}7' RETURNING *) TO STDOUT`,
];

/** What is a simple query only. */
const strings = ({ s, a, n, k, v }: Words): readonly string[] => [
  `SELECT '${v}' AS ${k}; DELETE FROM ${a} WHERE "${n}" = '${v}8'; SELECT 1 AS "${n}"`,
  `SET search_path = "${s}", public; DELETE FROM ${a} WHERE "${n}" = '${v}1' RETURNING "${n}"; SELECT '${v}' FROM ${k}`,
  `PREPARE "${k}" AS DELETE FROM ${a} WHERE "${n}" = '${v}2' RETURNING *`,
  `EXECUTE ${k}`,
  `DEALLOCATE "${k}"`,
  `EXECUTE ${k}`,
  `TRUNCATE "${a}"`,
];

/** All bytes of the answers, but for object ids, an error's place in the server's source and its context. */
function bytes(answers: readonly RawMessage[]): readonly string[] {
  return answers.map(({ type, body }) => {
    const text = body.toString('latin1');
    if (type === 'T') return `T ${text.slice(2).replace(/\0.{18}/gs, ' ')}`;
    const fields = text.split('\0').filter((field) => !/^[FLRW]/.test(field));
    return `${type} ${type === 'E' ? fields.join('|') : text}`;
  });
}

/** Databases of an encoding, one a side, and what turns texts into a client's bytes. */
function useEncoded(encoding: string) {
  const name = (side: SideName) => `enc_${encoding.toLowerCase()}_${side}`;
  let admin: pg.Client | undefined;
  const command = (sql: string) => admin?.query(sql);
  beforeAll(async () => {
    admin = new pg.Client({ ...inject('postgres'), database: 'postgres' });
    await admin.connect();
    for (const side of SIDES) {
      await command(`DROP DATABASE IF EXISTS ${name(side)} WITH (FORCE)`);
      await command(`CREATE DATABASE ${name(side)} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`);
    }
  });
  afterAll(async () => {
    for (const side of SIDES) await command(`DROP DATABASE ${name(side)} WITH (FORCE)`);
    await admin?.end();
  });
  const encoded = async (all: readonly string[], client: string): Promise<readonly Buffer[]> => {
    const sql =
      'SELECT convert_to(t, $2) AS bytes FROM unnest($1::text[]) WITH ORDINALITY AS u (t, i) ORDER BY i';
    const found = await admin?.query<{ readonly bytes: Buffer }>(sql, [[...all], client]);
    return found?.rows.map(({ bytes }) => bytes) ?? [];
  };
  return { name, encoded };
}

type Encoded = ReturnType<typeof useEncoded>;

/** @param spelled the encoding that the bytes are in, where the client does not say it */
async function isAsNative({ name, encoded }: Encoded, client: string, words: Words, spelled = client) {
  const { s, a, b } = words;
  const simple = async (all: readonly string[]) =>
    (await encoded(all, spelled)).map((text) => message('Q', text, Buffer.alloc(1)));
  const extended = async (all: readonly string[]) =>
    (await encoded(all, spelled)).map((text) =>
      Buffer.concat([
        message('P', Buffer.alloc(1), text, Buffer.alloc(3)),
        bind(),
        describePortal(),
        execute(),
        sync,
      ]),
    );
  const drop = `DROP SCHEMA IF EXISTS "${s}" CASCADE`;
  const left = await simple([`TABLE "${s}"."${a}"`, `TABLE "${s}"."${b}"`]);
  const rounds = [
    [...(await simple(texts(words))), ...left],
    [...(await extended(texts(words))), ...left],
    [...(await simple(strings(words))), ...left],
  ];
  const outcome = async (side: SideName) => {
    const address = side === 'native' ? inject('postgres') : proxy;
    const asker = await RawClient.login(address, {
      database: name(side),
      parameters: { client_encoding: client },
    });
    const made = await simple([`${drop}; ${schema(words, side === 'native' ? '' : 'NOT ENFORCED')}`, drop]);
    const answers: RawMessage[] = [];
    for (const round of rounds) {
      expect((await asker.told(...made.slice(0, 1))).filter((each) => each.startsWith('E'))).toEqual([]);
      for (const each of round) answers.push(...(await asker.ask(each)));
    }
    await asker.ask(...made.slice(1));
    return bytes(answers);
  };
  const [expected, told] = await Promise.all(SIDES.map(outcome));
  expect(told).toEqual(expected);
  expect(expected?.filter((each) => each.startsWith('C DELETE 1')).length).toBeGreaterThan(5);
  expect(expected?.join()).toContain('C23503');
}

describe('on a server in UTF8', () => {
  const server = useEncoded('UTF8');

  test.each<readonly [string, Words]>([
    ['LATIN1', FRENCH],
    ['LATIN9', FRENCH],
    ['WIN1252', FRENCH],
    ['WIN1251', RUSSIAN],
    ['KOI8R', RUSSIAN],
    ['EUC_JP', JAPANESE],
    ['EUC_JP', RARE],
    ['SJIS', JAPANESE],
    ['SJIS', KANA],
    ['BIG5', CHINESE],
    ['GB18030', FOUR_BYTES],
    ['UHC', KOREAN],
    ['UTF8', RUSSIAN],
  ])('a client in %s', (client, words) => isAsNative(server, client, words));

  test('a client in SQL_ASCII says what the server has', () =>
    isAsNative(server, 'SQL_ASCII', RUSSIAN, 'UTF8'));
});

describe('on a server in LATIN1', () => {
  const server = useEncoded('LATIN1');

  test.each(['LATIN1', 'UTF8'])('a client in %s', (client) => isAsNative(server, client, FRENCH));

  test('a client in SQL_ASCII', () => isAsNative(server, 'SQL_ASCII', FRENCH, 'LATIN1'));
});

describe('on a server in EUC_JP', () => {
  const server = useEncoded('EUC_JP');

  test.each(['EUC_JP', 'SJIS', 'UTF8'])('a client in %s', (client) => isAsNative(server, client, JAPANESE));
});

describe('on a server in SQL_ASCII, which keeps bytes of any kind', () => {
  const server = useEncoded('SQL_ASCII');

  test.each<readonly [string, Words, string]>([
    ['SQL_ASCII', FRENCH, 'LATIN1'],
    ['SQL_ASCII', RUSSIAN, 'UTF8'],
    ['LATIN1', FRENCH, 'LATIN1'],
    ['UTF8', RUSSIAN, 'UTF8'],
    ['WIN1251', RUSSIAN, 'WIN1251'],
  ])('a client in %s', (client, words, spelled) => isAsNative(server, client, words, spelled));
});
