/**
 * A prepared DELETE whose RETURNING has other columns by the time it is executed. PostgreSQL refuses it (0A000, "cached
 * plan must not change result type"), and drivers prepare it again when they see that: nobody may read one type as another.
 */
import { describe, expect, test } from 'vitest';
import { ALL, type Side, type Steps, useSides } from '../edge-cases/sides.js';
import {
  bind,
  describeStatement,
  execute,
  parse,
  query,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import type { RawMessage } from '../support/raw-client.js';

const { sameOn, on } = useSides({ graph: { refresh: '1h' } });

const SCHEMA = `
  SET search_path = s;
  CREATE TABLE s.p (id int PRIMARY KEY, a int, b text);
  CREATE TABLE s.c (id int PRIMARY KEY, p_id int CONSTRAINT c_cascade REFERENCES s.p ON DELETE CASCADE KEYS);
  CREATE TABLE s.other (id int PRIMARY KEY, p_id int);
  INSERT INTO s.p SELECT i, i, i FROM generate_series(1, 5) i;
  INSERT INTO s.c SELECT i, i FROM generate_series(1, 5) i;
  INSERT INTO s.other SELECT i, i FROM generate_series(2, 5) i;`;
const ADD_KEY = `ALTER TABLE s.other ADD CONSTRAINT other_cascade FOREIGN KEY (p_id) REFERENCES s.p ON DELETE CASCADE KEYS`;
const DELETE = 'DELETE FROM s.p WHERE id = $1 RETURNING *';
/** The change itself, and one more key: another text has to be sent then. */
const changes = (...ddl: readonly string[]) => `${ddl.join('; ')}; ${ADD_KEY}`;

/** Prepares, executes once, has the schema changed, and executes twice more. */
const changedBetween =
  (text: string, ddl: string, by: 'itself' | 'another' = 'itself'): Steps =>
  async ({ client, connect, ddl: keys }: Side) => {
    const before = await client.ask(parse(text, 'd', [23]), runPrepared('d', ['1']), sync);
    const changer = by === 'itself' ? client : await connect();
    const changed = await changer.ask(query(keys(ddl)));
    const after = await client.ask(runPrepared('d', ['2']), sync);
    const again = await client.ask(runPrepared('d', ['2']), sync);
    return [...before, ...changed, ...after, ...again];
  };

describe('70 a prepared DELETE whose result has changed is refused as natively', () => {
  test.each([
    ['a column that is new', 'ALTER TABLE s.p ADD COLUMN d float8 DEFAULT 1.5'],
    ['a column that is gone', 'ALTER TABLE s.p DROP COLUMN b'],
    ['one that is gone and one that is new', 'ALTER TABLE s.p DROP COLUMN a, ADD COLUMN a float8 DEFAULT 2'],
    ['another type', 'ALTER TABLE s.p ALTER COLUMN a TYPE float8'],
    ['another length', 'ALTER TABLE s.p ALTER COLUMN b TYPE varchar(7)'],
    ['another name', 'ALTER TABLE s.p RENAME COLUMN b TO bb'],
  ])('%s', async (_, ddl) => {
    await sameOn(ALL, SCHEMA, changedBetween(DELETE, changes(ddl)));
    await sameOn(ALL, SCHEMA, changedBetween(DELETE, changes(ddl), 'another'));
    // Without a key that is new the text that was prepared is still the right one.
    await sameOn(ALL, SCHEMA, changedBetween(DELETE, ddl));
  });

  test('and can be prepared anew', () =>
    sameOn(ALL, SCHEMA, async ({ client, ddl }) => {
      await client.ask(parse(DELETE, 'd', [23]), sync);
      await client.ask(query(ddl(changes('ALTER TABLE s.p DROP COLUMN b'))));
      const refused = await client.ask(runPrepared('d', ['2']), sync);
      await client.ask(query('DEALLOCATE d'));
      return [...refused, ...(await client.ask(parse(DELETE, 'd', [23]), runPrepared('d', ['2']), sync))];
    }));

  test('also where it is described first, or was never executed, and in a transaction', () =>
    sameOn(ALL, SCHEMA, async ({ client, ddl }) => {
      const answers: RawMessage[] = [];
      const ask = async (...bytes: readonly Buffer[]) => {
        answers.push(...(await client.ask(...bytes)));
      };
      await ask(parse(DELETE, 'd', [23]), sync);
      await ask(query(ddl(changes('ALTER TABLE s.p DROP COLUMN b'))));
      await ask(describeStatement('d'), sync);
      await ask(query('BEGIN'));
      await ask(query('DELETE FROM s.c WHERE id = 5'));
      await ask(bind({ statement: 'd', values: ['2'] }), execute(), sync);
      await ask(query('SELECT 1 AS one'));
      await ask(query('ROLLBACK'));
      return answers;
    }));

  test('also the unnamed one', () =>
    sameOn(ALL, SCHEMA, async ({ client, connect, ddl }) => {
      await client.ask(parse(DELETE, '', [23]), sync);
      const other = await connect();
      await other.ask(query(ddl(changes('ALTER TABLE s.p DROP COLUMN b'))));
      return client.ask(bind({ values: ['2'] }), execute(), sync);
    }));

  test('also where the text did not need to be expanded before', async () => {
    const schema = SCHEMA.replace(
      /CREATE TABLE s.c .*?;/,
      'CREATE TABLE s.c (id int PRIMARY KEY, p_id int);',
    );
    await sameOn(ALL, schema, changedBetween(DELETE, changes('ALTER TABLE s.p DROP COLUMN b')));
  });

  test('also where it was prepared in SQL', () =>
    sameOn(ALL, SCHEMA, async ({ client, ddl }) => {
      await client.ask(query('PREPARE d(int) AS DELETE FROM s.p WHERE id = $1 RETURNING *'));
      await client.ask(query(ddl(changes('ALTER TABLE s.p DROP COLUMN b'))));
      const answers = await client.ask(query('EXECUTE d(2)'));
      answers.push(...(await client.ask(query('BEGIN; EXECUTE d(2)'))));
      return [...answers, ...(await client.ask(query('ROLLBACK')))];
    }));

  test('with the routine by which drivers know it', async () => {
    const errors = [];
    for (const kind of ALL) {
      const { client, ddl } = await on(kind, SCHEMA);
      await client.ask(parse(DELETE, 'd', [23]), sync);
      await client.ask(query(ddl(changes('ALTER TABLE s.p DROP COLUMN b'))));
      const [error] = await client.ask(runPrepared('d', ['2']), sync);
      const fields = error?.body.toString('utf8').split('\0') ?? [];
      errors.push(fields.filter((field) => /^[SVCMFRDH]/.test(field)).sort());
    }
    expect(errors[1]).toEqual(errors[0]);
    expect(errors[2]).toEqual(errors[0]);
    expect(errors[0]).toContain('RRevalidateCachedQuery');
  });
});

describe('a prepared DELETE whose result is the same is executed as natively', () => {
  test.each([
    ['another key', DELETE, ADD_KEY],
    ['a key that is gone', DELETE, 'ALTER TABLE s.c DROP CONSTRAINT c_cascade'],
    ['a referencing table that is gone', DELETE, 'DROP TABLE s.c'],
    [
      'another type of a column that it does not return',
      'DELETE FROM s.p WHERE id = $1 RETURNING a',
      changes('ALTER TABLE s.p ALTER COLUMN b TYPE varchar(7)'),
    ],
    [
      'another column, and none is returned',
      'DELETE FROM s.p WHERE id = $1',
      changes('ALTER TABLE s.p DROP COLUMN b'),
    ],
    [
      'a constant',
      'DELETE FROM s.p WHERE id = $1 RETURNING 1 AS one',
      changes('ALTER TABLE s.p DROP COLUMN b'),
    ],
    [
      'another type of the key',
      'DELETE FROM s.p WHERE id = $1 RETURNING a',
      changes('ALTER TABLE s.p ALTER COLUMN id TYPE int8'),
    ],
    [
      'another type of the key, and nothing else',
      'DELETE FROM s.p WHERE id = $1 RETURNING a',
      'ALTER TABLE s.p ALTER COLUMN id TYPE int8',
    ],
    [
      'another type of a key that is a WITH its only use',
      'WITH w AS (DELETE FROM s.p WHERE id = $1 RETURNING a) SELECT * FROM w',
      'ALTER TABLE s.p ALTER COLUMN id TYPE int8',
    ],
    [
      'what is no column of it',
      'DELETE FROM s.p WHERE id = $1 RETURNING a, b',
      'ALTER TABLE s.c ADD COLUMN x int; ALTER TABLE s.p ALTER COLUMN b SET DEFAULT 7',
    ],
  ])('%s', async (_, text, ddl) => {
    await sameOn(ALL, SCHEMA, changedBetween(text, ddl));
    await sameOn(ALL, SCHEMA, changedBetween(text, ddl, 'another'));
  });

  test('also where it was prepared in SQL', () =>
    sameOn(ALL, SCHEMA, async ({ client, ddl }) => {
      await client.ask(query('PREPARE d(int) AS DELETE FROM s.p WHERE id = $1 RETURNING *'));
      const answers = await client.ask(query('EXECUTE d(1)'));
      await client.ask(query(ddl(ADD_KEY)));
      return [...answers, ...(await client.ask(query('EXECUTE d(2)')))];
    }));
});

test('what SQL has prepared is still there when it cannot be prepared anew', () =>
  sameOn(ALL, SCHEMA, async ({ client, ddl }) => {
    const answers: RawMessage[] = [];
    for (const text of [
      'PREPARE d (int) AS DELETE FROM s.p WHERE a = $1',
      'EXECUTE d (1)',
      ddl(changes('ALTER TABLE s.p RENAME a TO aa')),
      'EXECUTE d (2)',
      'BEGIN; EXECUTE d (2)',
      'ROLLBACK',
      ddl('ALTER TABLE s.p RENAME aa TO a'),
      'EXECUTE d (2)',
      'EXECUTE d (3)',
    ])
      answers.push(...(await client.ask(query(text))));
    return answers;
  }));
