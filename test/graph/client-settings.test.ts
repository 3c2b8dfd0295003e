/** What is read of the catalog serves all sessions: it is the same whatever the session that reads it has set. */

import { expect, test } from 'vitest';
import { readAnswer } from '../../src/graph/catalog/answer.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import { postgres } from '../../src/profiles/profile.js';
import { questionSettings } from '../../src/rewrite/own-settings.js';
import { useDatabase } from '../support/database.js';

// What a view compares with is printed in the session's way too, but never read.
const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY, name text UNIQUE, size float8);
  CREATE TABLE child (id int,
    name text DEFAULT 'x\\y' REFERENCES parent (name) ON DELETE SET DEFAULT NOT ENFORCED,
    parent_id int DEFAULT -1 REFERENCES parent ON DELETE SET DEFAULT NOT ENFORCED);
  CREATE VIEW "Shown" AS SELECT * FROM parent WHERE size > 0.1 AND size <> '1e300'::float8;`);

async function read(settings: string) {
  const client = await database.connect();
  const { apply, restore } = questionSettings(postgres(18), 0);
  const question = catalogQuestion({ names: [], fingerprint: true, catalog: true, server: true }, []);
  await client.query(settings);
  const answers = [await client.query<{ answer: string }>(`${apply}; ${question}; ${restore}`)].flat();
  await client.end();
  const { bytes: _, catalog, ...told } = await readAnswer(answers[1]?.rows[0]?.answer ?? '');
  const inOrder = <T>(items: readonly T[] = []) =>
    [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return { ...told, relations: inOrder(catalog?.relations), keys: inOrder(catalog?.keys) };
}

test('the catalog reads the same under any settings of the client', async () => {
  const known = await read('');
  const settings = [
    ...['quote_all_identifiers = on', 'extra_float_digits = -15', "DateStyle = 'German, DMY'"],
    ...['IntervalStyle = iso_8601', "TimeZone = 'Asia/Tokyo'", 'bytea_output = escape', 'xmlbinary = hex'],
    ...['search_path = nowhere', 'standard_conforming_strings = off', 'transform_null_equals = on'],
    ...['array_nulls = off', 'row_security = off', 'default_transaction_read_only = on'],
    ...['debug_parallel_query = on', 'plan_cache_mode = force_generic_plan', 'work_mem = 64'],
    ...['enable_seqscan = off', 'enable_hashagg = off', 'enable_sort = off', 'jit_above_cost = 0'],
    ...['client_min_messages = debug1', 'default_text_search_config = simple', "client_encoding = 'LATIN1'"],
  ];
  for (const setting of settings) expect(await read(`SET ${setting}`), setting).toEqual(known);
});
