/** Tables and columns of the client's own that are called as the parts of an expanded statement would be. */
import { expect, test, vi } from 'vitest';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  parse,
  query,
  sync,
} from '../support/frontend-messages.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });
const twin = useTwin();
const { inSchema: asNative, makeSchema } = asNativeOn(twin);

/** Of the table that is deleted from, of its child, and of a table that is only read. */
const schema = (parent: string, child: string, other: string) =>
  `CREATE TABLE ${parent} (id int PRIMARY KEY, pgc_c0 int, pgc_a int, h int);
   CREATE TABLE ${child} (id int PRIMARY KEY, p int REFERENCES ${parent} ON DELETE CASCADE KEYS);
   CREATE TABLE ${other} (id int, pgc_c0 int);
   INSERT INTO ${parent} VALUES (1, 10, 100, 0), (2, 20, 200, 0), (3, 30, 300, 0);
   INSERT INTO ${child} VALUES (1, 1), (2, 2), (3, 3); INSERT INTO ${other} VALUES (2, 5)`;

const OWN = ['pgc_0', 'pgc_1', 'pgc_f1', 'pgc_u0_0', 'pgc_q', 'pgc_h', 'pgc_k0', 'pgc_m0', 'pgc_r0'];

test.each([
  ...OWN,
  'PGC_1',
  'pgc1_1',
  '"pgc_1"',
  'r',
  'd',
  'g',
  'p',
  'q',
  'k',
  'l',
  'm',
  'u',
  'v',
])('a table that a DELETE reads may be called %s', (name) =>
  asNative(
    schema('t', 'c', name),
    `WITH w AS (DELETE FROM t USING ${name} AS x WHERE t.id = x.id AND x.id IN (SELECT id FROM ${name}) RETURNING t.id)
         SELECT w.id, (SELECT count(*) FROM ${name}) FROM w`,
    `DELETE FROM t WHERE id IN (SELECT id - 1 FROM ${name}) RETURNING id, (SELECT count(*) FROM ${name})`,
    `TABLE t`,
    `TABLE c`,
  ));

test.each([
  ['pgc_0', 'pgc_1'],
  ['pgc_1', 'pgc_0'],
  ['r', 'd'],
  ['d', 'r'],
])('a table called %s may be referenced by one called %s', (parent, child) =>
  asNative(
    schema(parent, child, 'x'),
    `DELETE FROM ${parent} WHERE id = 1 RETURNING *`,
    `DELETE FROM ${parent} USING x WHERE ${parent}.id = x.id RETURNING ${parent}.h`,
    `MERGE INTO ${parent} USING x ON ${parent}.id = x.id + 1 WHEN MATCHED THEN DELETE RETURNING ${parent}.pgc_c0`,
    `TABLE ${parent}`,
    `TABLE ${child}`,
  ));

test.each([
  ['all columns', 'DELETE FROM t WHERE id = 1 RETURNING *'],
  ['all columns of an alias', 'DELETE FROM t AS o WHERE id = 1 RETURNING o.*'],
  ['one', 'DELETE FROM t WHERE id = 1 RETURNING pgc_c0'],
  ['an expression that is named so', 'DELETE FROM t WHERE id = 1 RETURNING h AS pgc_c0, h AS pgc_c1'],
  ['those of a table that is joined', 'DELETE FROM t USING x WHERE t.id = x.id RETURNING *'],
  ['only those of a table that is joined', 'DELETE FROM t USING x WHERE t.id = x.id RETURNING x.*'],
  ['an escaped name', String.raw`DELETE FROM t WHERE id = 1 RETURNING h AS U&"\0070gc_c0"`],
  ['those of a MERGE', 'MERGE INTO t USING x ON t.id = x.id WHEN MATCHED THEN DELETE RETURNING *'],
])('RETURNING may give columns called like those of the statement itself: %s', (_, sql) =>
  asNative(schema('t', 'c', 'x'), sql, 'TABLE t', 'TABLE c'));

test('an escaped name of a table is not captured', () =>
  asNative(
    schema('t', 'c', 'pgc_0'),
    `WITH w AS (DELETE FROM t WHERE id = 1 RETURNING id) SELECT count(*) FROM U&"!0070gc_0" UESCAPE '!', w`,
    'TABLE c',
  ));

test('columns of keys may have these names', () =>
  asNative(
    `CREATE TABLE t (pgc_c0 int, pgc_c1 int, PRIMARY KEY (pgc_c1, pgc_c0));
     CREATE TABLE c (pgc_w int DEFAULT 0, pgc_o0 int DEFAULT 0, pgc_d0 int PRIMARY KEY,
       FOREIGN KEY (pgc_w, pgc_o0) REFERENCES t ON DELETE SET DEFAULT KEYS);
     CREATE TABLE e (pgc_w int, pgc_o0 int, FOREIGN KEY (pgc_w, pgc_o0) REFERENCES t ON DELETE SET NULL KEYS);
     INSERT INTO t VALUES (0, 0), (1, 2), (3, 4); INSERT INTO c VALUES (2, 1, 1), (4, 3, 2); INSERT INTO e VALUES (2, 1)`,
    'DELETE FROM t WHERE pgc_c0 = 1 RETURNING *',
    'DELETE FROM t WHERE pgc_c0 = 0',
    'DELETE FROM t RETURNING *',
    'TABLE c',
    'TABLE e',
  ));

test('an error stands at the same place whatever the names are', () =>
  asNative(
    schema('t', 'c', 'pgc_0'),
    'DELETE FROM t WHERE id IN (SELECT id FROM pgc_0) AND nothing = 1',
    'DELETE FROM t WHERE id = 1 RETURNING pgc_c0, (SELECT nothing FROM pgc_0)',
    'WITH w AS (DELETE FROM t RETURNING id) SELECT nothing FROM w, pgc_0',
  ));

test('a prepared statement with such names is executed again and again', () =>
  twin.expectAsNative(async (client) => {
    await makeSchema(client, schema('t', 'c', 'pgc_0'));
    const text = String.raw`DELETE FROM t USING pgc_0 AS x WHERE t.id = x.id - $1 RETURNING t.*, 1 AS U&"\0070gc_0"`;
    const once = (value: string) =>
      client.ask(bind({ statement: 'p', values: [value] }), describePortal(), execute(), sync);
    const prepared = await client.ask(parse(text, 'p', [23]), describeStatement('p'), sync);
    const answers = [prepared, await once('1'), await once('1'), await once('0')];
    return [...answers.flat(), ...(await client.ask(query('TABLE c')))];
  }));

test('a statement without such names has the ones that it always had', async () => {
  const client = await twin.connect();
  const answer = await client.told(query('DELETE FROM orgs WHERE id = 1 RETURNING current_query()'));
  expect(answer.join()).toContain('WITH pgc_0 (pgc_c0, ');
});
