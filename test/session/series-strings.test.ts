/** DELETEs of a few shapes in one string, wherever the string stands: each shape is planned once. */

import { describe, expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
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

const MORE = `INSERT INTO orgs SELECT i FROM generate_series(101, 160) AS i;
  INSERT INTO users SELECT 1000 + 2 * id + j, id FROM orgs, generate_series(0, 1) AS j WHERE id > 100`;
/** Of orgs from this id on. */
const many = (from: number, count = 10, sql = 'DELETE FROM orgs WHERE id = $1') =>
  Array.from({ length: count }, (_, i) => sql.replace('$1', `${from + i}`));
const OTHER = 'DELETE FROM orgs AS o WHERE o.id = $1';
/** Of two shapes, one after the other. */
const alternating = (from: number) =>
  many(from).flatMap((sql, i) => [sql, OTHER.replace('$1', `${from + 20 + i}`)]);
const string = (...statements: readonly string[]) => statements.join('; ');

/** Org 4 has an invoice (NO ACTION), org 5 a user with a badge (RESTRICT). */
const STRINGS: readonly (readonly [string, readonly string[], number])[] = [
  ['in a transaction block', ['BEGIN', string(...many(101, 20)), 'COMMIT'], 1],
  ['with its own transaction block', [string('BEGIN', ...many(101), 'COMMIT')], 1],
  ['with a transaction that is rolled back', [string('BEGIN', ...many(101), 'ROLLBACK', ...many(105))], 2],
  ['over the end of a transaction', [string(...many(101), 'COMMIT', ...many(121))], 2],
  ['of two shapes in turn', [string(...alternating(101))], 2],
  ['of two shapes in turn, in a block', ['BEGIN', string(...alternating(101)), 'COMMIT'], 2],
  [
    'with other statements between',
    [string('SELECT 7', ...many(101), "INSERT INTO orgs VALUES (7, 'é')", ...many(121))],
    2,
  ],
  [
    'with a table in turn that nothing hangs on',
    [string(...many(101).flatMap((sql) => [sql, 'DELETE FROM alone WHERE id = 2']))],
    1,
  ],
];

describe('a string', () => {
  test.each(STRINGS)('%s is answered as natively', (_, texts) =>
    twin.expectAsNative((client) => askAll(client, [MORE, ...texts])));

  test.each(STRINGS)('%s has each shape planned once', async (_, texts, shapes) => {
    const client = await twin.connect();
    await askAll(client, [MORE, 'DELETE FROM orgs WHERE id = 0']);
    tap.reset();
    await askAll(client, texts);
    expect(tap.count('DELETE FROM orgs')).toBe(shapes);
  });

  test.each([
    ['of org 4 in a block', ['BEGIN', string(...many(101), ...many(4), 'SELECT 8')]],
    ['of org 5 in a block', ['BEGIN', string(...many(101), ...many(5, 1), ...many(121)), 'ROLLBACK']],
    ['in its own block', [string('BEGIN', ...many(101), ...many(4, 1), 'COMMIT'), 'ROLLBACK']],
    ['among shapes', [string(...alternating(101), ...alternating(4))]],
    [
      'of a value',
      ['BEGIN', string(...many(101), 'DELETE FROM orgs WHERE id = 99999999999999999999'), 'ROLLBACK'],
    ],
    ['of another statement', ['BEGIN', string(...many(101), 'SELECT 1/0', ...many(121)), 'ROLLBACK']],
    [
      'after a savepoint',
      ['BEGIN', 'SAVEPOINT s', string(...many(1)), 'ROLLBACK TO s', string(...many(101)), 'COMMIT'],
    ],
    ['in a failed block', ['BEGIN', 'SELECT 1/0', string(...many(101)), 'ROLLBACK']],
    ['of a statement that is read only', ['BEGIN READ ONLY', string(...many(101)), 'ROLLBACK']],
    ['of a column', ['BEGIN', string(...many(101, 10, 'DELETE FROM orgs WHERE idd = $1')), 'ROLLBACK']],
  ])('ends at an error %s as natively, and leaves nothing behind', (_, texts) =>
    twin.expectAsNative((client) =>
      askAll(client, [
        MORE,
        ...texts.flatMap((text) => [text, 'SELECT 9']),
        'ROLLBACK',
        'SELECT count(*) FROM pg_prepared_statements',
      ]),
    ));

  test('is closed after its error while its transaction is still open', () =>
    twin.expectAsNative((client) =>
      askAll(client, [
        'BEGIN; SAVEPOINT s',
        string(...many(1)),
        'ROLLBACK TO s',
        'SELECT count(*) FROM pg_prepared_statements',
      ]),
    ));

  test('that fails at the end of its transaction does not say that its last DELETE went well', () =>
    asNativeOn(twin).inSchema(
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE KEYS);
       INSERT INTO p SELECT generate_series(1, 20); INSERT INTO c SELECT id FROM p;
       CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''too late''; END';
       CREATE CONSTRAINT TRIGGER late AFTER DELETE ON c DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (OLD.p = 9) EXECUTE FUNCTION late()`,
      string(...many(1, 10, 'DELETE FROM p WHERE id = $1')),
      'SELECT count(*) FROM p',
    ));

  test('that comes while others wait for their answers is answered as natively', () =>
    twin.expectAsNative(async (client) => {
      await askAll(client, [MORE]);
      const texts = ['BEGIN', string(...many(101)), string(...many(1)), string(...many(121)), 'ROLLBACK'];
      client.send(...texts.map(query));
      const answers = [];
      for (const _ of texts) answers.push(...(await client.untilReady()));
      return [...answers, ...(await askAll(client, ['SELECT count(*) FROM pg_prepared_statements']))];
    }));
});
