/** Letters in names that the proxy writes into errors: their bytes are those that PostgreSQL itself sends. */
import { expect, test } from 'vitest';
import { bytesIn } from '../../src/sql/encoding/letters.js';
import { useDatabase } from '../support/database.js';

// What the encoding does not have is no letter.
const database = useDatabase(`
  CREATE FUNCTION letter(bytes bytea, encoding name) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN RETURN convert_from(bytes, encoding); EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$;
  CREATE FUNCTION letters(encoding name, leads text[]) RETURNS TABLE (letter text, bytes text) LANGUAGE sql AS $$
    SELECT l, encode(convert_to(l, encoding), 'escape') FROM (
      SELECT letter(decode(lead || to_hex(byte), 'hex'), encoding) AS l
      FROM unnest(leads) AS lead, generate_series(64, 255) AS byte) AS q
    WHERE l > U&'\\007f' AND l !~ U&'[\\0080-\\009f]' AND length(l) = 1 $$`);

const SINGLE =
  'LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 WIN866 WIN874 WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258 KOI8R KOI8U';
// Rows of letters that are there twice, and others.
const LEADS: Readonly<Record<string, string>> = {
  SJIS: '81 83 87 88 97 ed ee fa fb',
  EUC_JP: 'a1 a4 b0 8e',
  GBK: '81 b0 d6',
  EUC_KR: 'b0 c8',
};

test.each([
  ...SINGLE.split(' ').map((encoding) => [encoding, ''] as const),
  ...Object.entries(LEADS),
])('letters of %s %s have the bytes that the server gives them', async (encoding, leads) => {
  const client = await database.connect();
  const { rows } = await client.query<{ letter: string; bytes: string }>('SELECT * FROM letters($1, $2)', [
    encoding,
    leads.split(' '),
  ]);
  await client.end();
  expect(rows.length).toBeGreaterThan(50);
  const escaped = (bytes: string) =>
    bytes.replace(/\\/g, '\\\\').replace(/[\x80-\xff]/g, (byte) => `\\${byte.charCodeAt(0).toString(8)}`);
  const wrong = rows.filter(({ letter, bytes }) => escaped(bytesIn(encoding, letter)) !== bytes);
  expect(wrong).toEqual([]);
});
