/** A series: many DELETEs in one go, as drivers send a batch. What reaches the server does not grow with it, nor does anybody wait. */

import { describe, expect, test, vi } from 'vitest';
import {
  bind,
  closeStatement,
  describeStatement,
  execute,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { useTap } from '../support/tap.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 30_000 });
const tap = useTap();
const twin = useTwin({
  get upstream() {
    return tap.url;
  },
});

const MANY = 300;
/** Orgs 101 and on, each with two users, and what hangs below them. */
const MORE = `INSERT INTO orgs SELECT i FROM generate_series(101, ${100 + MANY}) AS i;
  INSERT INTO users SELECT 1000 + 2 * id + j, id FROM orgs, generate_series(0, 1) AS j WHERE id > 100;
  INSERT INTO posts SELECT 9000 + 2 * id + j, id FROM users, generate_series(0, 1) AS j WHERE org_id > 100`;
const IDS = Array.from({ length: MANY }, (_, i) => 101 + i);
/** Org 4 has an invoice (NO ACTION), org 5 a user with a badge (RESTRICT). */
const withInTheMiddle = (id: number) => [...IDS.slice(0, 150), id, ...IDS.slice(150)];

const SQL = 'DELETE FROM orgs WHERE id = $1';
/** A text of its own for the number of rows: the word comes once in what is sent for one statement. */
const RETURNING = 'DELETE FROM orgs WHERE id = $1 RETURNING id, name';

const FORMS: readonly (readonly [string, (ids: readonly number[]) => readonly Buffer[]])[] = [
  [
    'Parse, Bind and Execute each',
    (ids) => [...ids.flatMap((id) => [parse(SQL), bind({ values: [`${id}`] }), execute()]), sync],
  ],
  ['a Describe each', (ids) => [...ids.map((id) => run(SQL, [`${id}`])), sync]],
  ['rows that are returned', (ids) => [...ids.map((id) => run(RETURNING, [`${id}`])), sync]],
  ['a prepared statement', (ids) => [parse(SQL, 's'), ...ids.map((id) => runPrepared('s', [`${id}`])), sync]],
];

/** How often the server was sent such a statement, and how often it was to answer at once. */
const sent = () => ({ texts: tap.count('DELETE FROM orgs'), flushes: tap.count('H\0\0\0\x04') });

describe.each(FORMS)('78 a series with %s', (_, form) => {
  test('is answered as natively', () =>
    twin.expectAsNative(async (client) => {
      await askAll(client, [MORE]);
      return client.ask(...form(IDS));
    }));

  test('reaches the server as a few texts, and waits a few times', async () => {
    const client = await twin.connect();
    await askAll(client, [MORE]);
    // Whatever has to be asked about the database is known then.
    await askAll(client, ['DELETE FROM orgs WHERE id = 0']);
    tap.reset();
    const told = await client.told(...form(IDS));
    expect(told.filter((each) => each === 'C DELETE 1')).toHaveLength(MANY);
    expect(sent().texts).toBeLessThanOrEqual(4);
    expect(sent().flushes).toBeLessThanOrEqual(10);
  });

  test('so it is in a transaction block, a Sync after each', async () => {
    const client = await twin.connect();
    await askAll(client, [MORE, 'BEGIN', 'DELETE FROM orgs WHERE id = 0']);
    tap.reset();
    for (const id of IDS.slice(0, 20)) await client.ask(...form([id]));
    // The Parse of a name that there is already is an error.
    if (!form([1]).some((each) => each.includes('s\0DELETE'))) expect(sent().texts).toBeLessThanOrEqual(4);
    await client.ask(query('ROLLBACK'));
  });

  test.each([4, 5])('ends at the error of org %i: what comes after is skipped, and all of it undone', (id) =>
    twin.expectAsNative(async (client) => {
      await askAll(client, [MORE]);
      return [...(await client.ask(...form(withInTheMiddle(id)))), ...(await askAll(client, ['SELECT 1']))];
    }));
});

describe('78 a string of DELETEs', () => {
  const string = (ids: readonly number[], sql = SQL) =>
    query(ids.map((id) => sql.replace('$1', `${id}`)).join('; '));

  test('is answered as natively', () =>
    twin.expectAsNative(async (client) => {
      await askAll(client, [MORE]);
      return client.ask(string(IDS));
    }));

  test('does not look for the order of rows where no rule may be broken', async () => {
    const client = await twin.connect();
    await askAll(client, [MORE, 'DELETE FROM orgs WHERE id = 0']);
    tap.reset();
    await client.ask(string(IDS));
    expect(tap.count('pgc_q')).toBe(0);
    await client.ask(string([1, 4]));
    expect(tap.count('pgc_q')).toBeGreaterThan(0);
  });

  test.each([4, 5])('ends at the error of org %i, and all of it is undone', (id) =>
    twin.expectAsNative(async (client) => {
      await askAll(client, [MORE]);
      return [...(await client.ask(string(withInTheMiddle(id)))), ...(await askAll(client, ['SELECT 1']))];
    }));

  test('reaches the server as one that is prepared, whatever its constants are', async () => {
    const client = await twin.connect();
    await askAll(client, [MORE, 'DELETE FROM orgs WHERE id = 0']);
    tap.reset();
    const conditions = ['id = 0', "id = 7 AND name = 'it''s'", "name = 'é' AND big = 5", 'id > 9 AND id < 3'];
    for (const condition of conditions)
      await client.ask(query(`${`DELETE FROM orgs WHERE ${condition} ; `.repeat(50)}`));
    expect(tap.count('DELETE FROM orgs')).toBe(conditions.length);
  });

  const repeated = (...conditions: readonly string[]) => {
    const all = [...Array<string>(5).fill('id = 1'), ...conditions, ...Array<string>(9).fill('id = 2')];
    return [all.map((condition) => `DELETE FROM orgs WHERE ${condition}`).join('; ')];
  };
  test.each([
    ['a number that is out of range', repeated('id = 1', 'id = 99999999999')],
    ['a string', repeated("id = '1'")],
    ['strings', [`${"DELETE FROM orgs WHERE id = '1' AND name = 'org 1'; ".repeat(20)}`]],
    [
      'a string that is no number',
      [`${"DELETE FROM orgs WHERE id = '1'; ".repeat(9)} DELETE FROM orgs WHERE id = 'é'`],
    ],
    ['no such column', [`/* é */${'DELETE FROM orgs WHERE idd = 1; '.repeat(20)}`]],
    [
      'another encoding',
      ["SET client_encoding = 'LATIN1'", `${"DELETE FROM orgs WHERE name = 'é'; ".repeat(20)}`],
    ],
    ['no such operator', [`${'DELETE FROM orgs WHERE name = 1; '.repeat(20)}`]],
    ['a negative number', repeated('id = -1')],
    [
      'a row that must not go',
      [`${[1, 1, 1, 1, 1, 1, 1, 2, 4, 3].map((id) => `DELETE FROM orgs WHERE id = ${id}`).join(';')}`],
    ],
    ['a column of another type', [`${"DELETE FROM orgs WHERE big = 7 AND name = 'org 1'; ".repeat(20)}`]],
    ['a syntax error at its end', [`${'DELETE FROM orgs WHERE id = 1; '.repeat(20)} oh`]],
    ['a column twice', [`${'DELETE FROM orgs WHERE id = 2 AND orgs.id = 2 AND big = 7; '.repeat(20)}`]],
    [
      'an alias',
      [`${'DELETE FROM ONLY orgs AS "O" WHERE "O".id = 1 AND EXISTS (SELECT 5 ORDER BY 1); '.repeat(20)}`],
    ],
  ])('is answered as natively with %s, and leaves nothing behind', (_, texts) =>
    twin.expectAsNative((client) =>
      askAll(client, [...texts, 'SELECT count(*) FROM pg_prepared_statements', ...texts]),
    ));

  test.each([
    ['in a transaction block', ['BEGIN', 'DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 4']],
    ['with rows', ['DELETE FROM orgs WHERE id = 1 RETURNING id; DELETE FROM orgs WHERE id = 4']],
    ['beside other statements', ['SELECT 7; DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 4']],
    [
      'of other tables',
      ['DELETE FROM alone; DELETE FROM users WHERE id = 10; DELETE FROM orgs WHERE id = 4'],
    ],
    ['whose last has a WITH', ['DELETE FROM users; WITH n AS (SELECT 4 AS id) DELETE FROM orgs USING n']],
    ['with an error of its own', ['DELETE FROM orgs WHERE id = 1; DELETE FROM users WHERE id = 1/0']],
    ['of which the first is wrong', ['DELETE FROM orgs WHERE id = 5; DELETE FROM orgs WHERE id = 4']],
  ])('is carried out as natively %s', (_, texts) =>
    twin.expectAsNative((client) => askAll(client, [...texts, 'SELECT 1', 'ROLLBACK'])));

  test('is heard once, and goes well, where a rule only might have been broken', () =>
    asNativeOn(twin).inSchema(
      `CREATE TABLE p (id int PRIMARY KEY);
       CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
       CREATE TABLE z (p int REFERENCES p ON DELETE CASCADE KEYS, a int REFERENCES a KEYS);
       INSERT INTO p VALUES (1), (2), (3); INSERT INTO a SELECT id, id FROM p; INSERT INTO z SELECT id, id FROM p;
       CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', OLD.id; RETURN OLD; END';
       CREATE TRIGGER says BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION says()`,
      'DELETE FROM p WHERE id = 1; DELETE FROM p WHERE id = 2; DELETE FROM p WHERE id = 7',
      'TABLE p',
      'TABLE z',
    ));
});

describe('the statement that a series repeats', () => {
  const half = (form: readonly Buffer[], middle: Buffer) => [...form, middle, ...form, sync];
  const some = (ids: readonly number[]) => ids.map((id) => run(SQL, [`${id}`]));
  const shadow = 'CREATE TEMP TABLE orgs AS SELECT * FROM public.orgs';

  test.each([
    ['a temporary table', run(shadow)],
    ['a search_path', run('SET LOCAL search_path = pg_catalog')],
    ['a column', run('ALTER TABLE orgs ADD COLUMN more int DEFAULT 7')],
    ['a type', run('ALTER TABLE orgs ALTER COLUMN name TYPE varchar(7)')],
    ['a function', run("SELECT set_config('search_path', 'pg_catalog', true)")],
    ['another statement', run('DELETE FROM users WHERE org_id = 3')],
    ['an end of the transaction', run('COMMIT')],
  ])('is another one after %s', (_, middle) =>
    twin.expectAsNative((client) => {
      const all = [1, 2, 3].map((id) => run('DELETE FROM orgs WHERE id = $1 RETURNING *', [`${id}`]));
      return client.ask(...half(all, middle));
    }));

  test('is prepared again in each transaction: others may have changed the table between them', () =>
    twin.expectAsNative(async (client) => {
      const first = await client.ask(...some([1, 2, 3]), sync);
      const other = await (twin.isNative(client) ? twin.native : twin.emulated).connect();
      await other.query('ALTER TABLE orgs ALTER COLUMN id TYPE bigint');
      const second = await client.ask(...some([1, 2, 5_000_000_000]), sync);
      await other.query('ALTER TABLE orgs ALTER COLUMN id TYPE int');
      await other.end();
      return [...first, ...second];
    }));

  test('is no longer there where it was closed, or a query came', () =>
    twin.expectAsNative(async (client) => {
      const answers = [...(await client.ask(query('BEGIN')))];
      answers.push(...(await client.ask(...some([1, 2]), closeStatement(''), bind({ values: ['3'] }), sync)));
      answers.push(...(await client.ask(query('ROLLBACK'))));
      return answers;
    }));

  test('is refused in a failed transaction', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(query('BEGIN'))),
      ...(await client.ask(...some([1, 2, 4]), sync)),
      ...(await client.ask(...some([3]), sync)),
      ...(await client.ask(query('ROLLBACK'))),
    ]));

  test('is told apart by the types of its parameters', () =>
    twin.expectAsNative((client) => {
      const typed = (type: number) => [
        parse('DELETE FROM orgs WHERE id = $1', '', [type]),
        describeStatement(),
      ];
      return client.ask(...[23, 23, 20, 20, 23].flatMap(typed), bind({ values: ['1'] }), execute(), sync);
    }));
});
