/** Keys that are deferred, not valid, not enforced, switched off, temporal, or given to another row. */
import { describe, expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { askAll, readable } from '../support/raw-client.js';
import { ALL, type Kind, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, on } = useSides();

const FAMILY = (
  key: string,
) => `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int REFERENCES p ${key} KEYS);
  INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1), (2, 2)`;
const LATE = 'DEFERRABLE INITIALLY DEFERRED';

describe('54 a deferred NO ACTION key', () => {
  const late = FAMILY(`ON DELETE NO ACTION ${LATE}`);
  const enforced = late.replace(' KEYS', '');
  test('fails at once in autocommit', () =>
    same(late, 'DELETE FROM p WHERE id = 1', 'DELETE FROM p WHERE id = 3'));

  test('is checked at the end of the statement; natively at COMMIT', async () => {
    const told = async (kind: Kind) => {
      const { client } = await on(kind, late);
      const answers = await askAll(client, [
        'BEGIN',
        'DELETE FROM p WHERE id = 1',
        'INSERT INTO p VALUES (1)',
        'COMMIT',
      ]);
      return readable(answers).map((each) => each.slice(0, 9));
    };
    expect(await told('native')).toEqual([
      'C BEGIN',
      'Z T',
      'C DELETE ',
      'Z T',
      'C INSERT ',
      'Z T',
      'C COMMIT',
      'Z I',
    ]);
    expect(await told('emulated')).toEqual([
      'C BEGIN',
      'Z T',
      'E C=23503',
      'Z E',
      'E C=25P02',
      'Z E',
      'C ROLLBAC',
      'Z I',
    ]);
  });

  const below = `${enforced}; CREATE TABLE top (id int PRIMARY KEY); INSERT INTO top VALUES (1), (3);
    ALTER TABLE p ADD top int; UPDATE p SET top = id WHERE id <> 2; ALTER TABLE p ADD FOREIGN KEY (top) REFERENCES top ON DELETE CASCADE KEYS`;
  test.each([
    ['fails at COMMIT', 'BEGIN', 'DELETE FROM top WHERE id = 1', 'SELECT 1', 'COMMIT'],
    [
      'fails at SET CONSTRAINTS',
      'BEGIN',
      'DELETE FROM top WHERE id = 1',
      'SET CONSTRAINTS ALL IMMEDIATE',
      'ROLLBACK',
    ],
    [
      'passes where the row is inserted again',
      'BEGIN',
      'DELETE FROM top WHERE id = 1',
      'INSERT INTO p VALUES (1)',
      'COMMIT',
    ],
    ['passes where the children go later', 'BEGIN', 'DELETE FROM top', 'DELETE FROM c WHERE p = 1', 'COMMIT'],
    [
      'is undone by a savepoint',
      'BEGIN; SAVEPOINT a',
      'DELETE FROM top WHERE id = 1',
      'ROLLBACK TO a',
      'COMMIT',
    ],
  ])('that the server enforces, below a cascade, %s', (_, ...texts) => same(below, ...texts));
});

describe('55 a deferred', () => {
  test.each(['CASCADE', 'SET NULL', 'RESTRICT'])('%s key acts at once', (action) =>
    same(
      FAMILY(`ON DELETE ${action} ${LATE}`),
      'BEGIN',
      'DELETE FROM p WHERE id = 1',
      'SELECT count(p) FROM c',
      'COMMIT',
      'DELETE FROM p WHERE id = 2',
    ));
});

test.each([
  [
    '59 under session_replication_role = replica nothing cascades',
    FAMILY('ON DELETE CASCADE'),
    'SET session_replication_role = replica',
    'DELETE FROM p WHERE id = 1',
    'RESET session_replication_role',
    'DELETE FROM p WHERE id = 2',
  ],
  [
    '59 so it is with SET LOCAL, until the transaction ends',
    FAMILY('ON DELETE RESTRICT'),
    'BEGIN; SET LOCAL session_replication_role = replica',
    'DELETE FROM p WHERE id = 1',
    'COMMIT',
    'DELETE FROM p WHERE id = 2',
  ],
  [
    '59 so it is in one string',
    FAMILY('ON DELETE CASCADE'),
    'SET session_replication_role = replica; DELETE FROM p WHERE id = 1; RESET session_replication_role; DELETE FROM p WHERE id = 2',
  ],
])('%s', (_, ...given) => same(...(given as [string, ...string[]])));

test.each([
  [
    '60 a NOT VALID key cascades',
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int); INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3);
    ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS NOT VALID`,
    'DELETE FROM p WHERE id = 1',
  ],
  [
    '60 a NOT VALID key restricts',
    `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int); INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3);
    ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p ON DELETE RESTRICT KEYS NOT VALID`,
    'DELETE FROM p WHERE id = 1',
  ],
])('%s', (_, schema, ...texts) => same(schema, ...texts));

test('60 a NOT ENFORCED key does nothing in the server, and is followed through pgcascade', async () => {
  const direct = await (await on('emulated', FAMILY('ON DELETE CASCADE'))).direct();
  await direct.query('DELETE FROM s.p WHERE id = 1');
  expect((await direct.query('SELECT id FROM s.c')).rows).toEqual([{ id: 1 }, { id: 2 }]);
  await same(FAMILY('ON DELETE CASCADE'), 'DELETE FROM p WHERE id = 1');
});

test('59 disabled triggers switch off what the server does, and not what pgcascade does', async () => {
  const left = async (kind: Kind) => {
    const { client } = await on(kind, `${FAMILY('ON DELETE CASCADE')}; ALTER TABLE p DISABLE TRIGGER ALL`);
    await client.ask(query('DELETE FROM p WHERE id = 1'));
    return (await client.told(query('SELECT count(*) FROM c')))[1];
  };
  expect(await Promise.all(ALL.map(left))).toEqual(['D 2', 'D 1', 'D 1']);
});

test('64 a key with a PERIOD is refused, unless nothing is to be done for it', async () => {
  const temporal = `CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
    CREATE TABLE p (id int, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS)); INSERT INTO p VALUES (1, '[2026-01-01,2026-02-01)');
    CREATE TABLE c (id int, valid daterange, FOREIGN KEY (id, PERIOD valid) REFERENCES p (id, PERIOD valid) KEYS)`;
  const { client } = await on('emulated', temporal);
  expect((await client.told(query('DELETE FROM p')))[0]).toMatch(/C=0A000 D=.*PGC_PERIOD.* H=\w/);
  await same(temporal.replace(' KEYS', ''), 'DELETE FROM p WHERE id = 1');
});

const REPLACED = (
  action: string,
) => `CREATE TABLE p (id int PRIMARY KEY, what text); INSERT INTO p VALUES (1, 'old'), (2, 'old');
  CREATE TABLE c (id int, p int DEFAULT 2 REFERENCES p ON DELETE ${action} KEYS); INSERT INTO c VALUES (1, 1)`;
const BY = [
  ['the statement', '', `WITH n AS (INSERT INTO p VALUES (1, 'new')) DELETE FROM p WHERE id = 1`],
  [
    'an AFTER trigger',
    `; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.p VALUES (OLD.id, 'new'); RETURN NULL; END $$;
    CREATE TRIGGER "A first" AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION f()`,
    'DELETE FROM p WHERE id = 1',
  ],
] as const;
describe.each(BY)('65 a key that another row has by then, inserted by %s', (_, more, sql) => {
  test.each(['RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT'])('does not help under %s', (action) =>
    same(REPLACED(action) + more, sql));

  test('helps under NO ACTION natively, and not here', async () => {
    const told = async (kind: Kind) =>
      (await (await on(kind, REPLACED('NO ACTION') + more)).client.told(query(sql)))[0];
    expect(await told('native')).toBe('C DELETE 1');
    expect(await told('emulated')).toMatch(/C=23503/);
  });

  test('helps under NO ACTION where the server enforces it', () =>
    same(REPLACED('NO ACTION').replace(' KEYS', '') + more, sql));
});
