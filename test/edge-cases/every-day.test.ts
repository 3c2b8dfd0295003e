/** What happens every day: tags, transactions, strings of statements, what a WHERE sees. */
import { describe, test, vi } from 'vitest';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn } = useSides();
const ofSample = (...texts: readonly string[]) => same(SAMPLE, ...texts);

const FIFTY = `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
  CREATE TABLE c (id int, p_id int REFERENCES p ON DELETE CASCADE KEYS);
  INSERT INTO c SELECT i, 1 + i % 2 FROM generate_series(1, 100) i`;

test.each([
  ['1 the tag of a parent with fifty children is DELETE 1', FIFTY, 'DELETE FROM p WHERE id = 1'],
  [
    '7 a DELETE that matches nothing is DELETE 0, and does nothing below',
    FIFTY,
    'DELETE FROM p WHERE id = 3',
  ],
  ['17 without a WHERE the whole table cascades', FIFTY, 'DELETE FROM p'],
  [
    '16 children that are already gone, or nulled, are no error',
    SAMPLE,
    'DELETE FROM posts WHERE user_id IN (11, 12); UPDATE users SET org_id = NULL WHERE org_id = 1',
    'DELETE FROM orgs WHERE id = 1 RETURNING id',
    'DELETE FROM users WHERE id IN (11, 12)',
  ],
])('%s', (_, schema, ...texts) => same(schema, ...texts));

describe('2 a failure', () => {
  const late = `${SAMPLE} CREATE TABLE late (id int, post_id int REFERENCES posts ON DELETE CASCADE KEYS);
    INSERT INTO late VALUES (1, 111), (2, 212);
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE TRIGGER t AFTER DELETE ON late FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION fail()`;

  test.each([
    ['in autocommit undoes all', 'DELETE FROM orgs WHERE id = 1'],
    [
      'of a transaction undoes all',
      'BEGIN',
      'DELETE FROM orgs WHERE id = 2',
      'DELETE FROM orgs WHERE id = 1',
      'COMMIT',
    ],
    ['of a RETURNING undoes all', 'DELETE FROM orgs WHERE id = 2 RETURNING 1 / (id - 2)'],
    ['of a later statement of the string undoes all', 'DELETE FROM orgs WHERE id = 2; SELECT 1 / 0'],
  ])('%s', (_, ...texts) => same(late, ...texts));
});

test.each([
  [
    '3 in autocommit a DELETE leaves ReadyForQuery at I, done or failed',
    'DELETE FROM orgs WHERE id = 1',
    'DELETE FROM orgs',
  ],
  [
    '4 in a transaction it leaves T, and ROLLBACK brings everything back',
    'BEGIN',
    'DELETE FROM orgs WHERE id = 1',
    'ROLLBACK',
  ],
  [
    '4 a failure in a transaction leaves E',
    'BEGIN',
    'DELETE FROM orgs',
    'DELETE FROM orgs WHERE id = 1',
    'COMMIT',
  ],
  [
    '4 ROLLBACK TO a savepoint brings the children back',
    'BEGIN; DELETE FROM orgs WHERE id = 1; SAVEPOINT a',
    'DELETE FROM orgs WHERE id = 2',
    'SELECT count(*) FROM posts',
    'ROLLBACK TO a',
    'SELECT count(*) FROM posts',
    'DELETE FROM orgs WHERE id = 4',
    'ROLLBACK TO a; RELEASE a; COMMIT',
  ],
])('%s', (_, ...texts) => ofSample(...texts));

const children = 'SELECT org_id FROM users';
test.each([
  [
    '13 a WHERE that reads the child table',
    `DELETE FROM orgs WHERE id IN (${children} WHERE id < 30) RETURNING id`,
  ],
  [
    '13 a WHERE that counts the children of each',
    'DELETE FROM orgs o WHERE (SELECT count(*) FROM users u WHERE u.org_id = o.id) = 2 AND id < 3',
  ],
  [
    '14 DELETE … USING the child table',
    'DELETE FROM orgs USING users u WHERE u.org_id = orgs.id AND u.id = 21',
  ],
  [
    '14 a parent that a join matches twice is deleted and returned once',
    'DELETE FROM orgs o USING users u WHERE u.org_id = o.id AND o.id < 4 RETURNING o.id',
  ],
  [
    '14 DELETE … USING a join of children',
    'DELETE FROM orgs o USING users u JOIN posts p ON p.user_id = u.id WHERE u.org_id = o.id AND p.id = 111 RETURNING o.id, u.id, p.id',
  ],
  [
    '14 DELETE … USING LATERAL',
    'DELETE FROM orgs o USING LATERAL (SELECT count(*) FROM users) u (n) WHERE o.id = n - 9 RETURNING *',
  ],
  [
    '14 DELETE … USING itself',
    'DELETE FROM orgs a USING orgs b WHERE a.id = b.id + 1 AND b.id < 3 RETURNING a.id, b.id',
  ],
  [
    '13 a WHERE that locks and limits',
    'DELETE FROM orgs WHERE ctid IN (SELECT ctid FROM orgs WHERE id < 4 ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED) RETURNING id',
  ],
  [
    '15 WHERE NOT EXISTS of children does not become true by the cascade',
    `DELETE FROM orgs o WHERE NOT EXISTS (SELECT FROM users u WHERE u.org_id = o.id)`,
  ],
  [
    '15 nor does NOT IN, for those whose children go',
    `DELETE FROM orgs WHERE id = 1 OR id NOT IN (${children})`,
  ],
  [
    '41 a subquery in RETURNING still sees the children',
    'DELETE FROM orgs WHERE id = 1 RETURNING id, (SELECT count(*) FROM posts), (SELECT count(*) FROM users u WHERE u.org_id = orgs.id)',
  ],
])('%s', (_, sql) =>
  sameOn(ALL, SAMPLE, async ({ client }) => [
    ...(await client.ask(query(`BEGIN; ${sql}; ROLLBACK`))),
    ...(await client.ask(run(sql), sync)),
  ]));

test.each([
  ';; DELETE FROM orgs WHERE id = 1 ; ; DELETE FROM orgs WHERE id < 4 RETURNING id;',
  'DELETE FROM orgs WHERE id = 1; INSERT INTO users VALUES (99, 2); DELETE FROM orgs WHERE id = 2',
  'DELETE FROM orgs WHERE id = 1; SELECT 1/0; DELETE FROM orgs WHERE id = 2',
  'DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 4; DELETE FROM orgs WHERE id = 2',
  'DELETE FROM alone WHERE id = 1; DELETE FROM orgs WHERE id = 1; DELETE FROM alone WHERE id = 2',
  'SELECT 1; DELETE FROM orgs WHERE id = 1; VACUUM',
])('27 a string of statements is one transaction with a tag each: %s', (text) => ofSample(text));

test.each([
  'DELETE FROM orgs WHERE id = 1; ROLLBACK',
  'DELETE FROM orgs WHERE id = 1; COMMIT; SELECT 1/0',
  'BEGIN; DELETE FROM orgs WHERE id = 1; COMMIT',
  'BEGIN; DELETE FROM orgs WHERE id = 1; COMMIT; DELETE FROM orgs WHERE id = 5',
  'BEGIN; SAVEPOINT s; DELETE FROM orgs WHERE id = 1; ROLLBACK TO s; COMMIT',
  'BEGIN; DELETE FROM orgs WHERE id = 1; ROLLBACK AND CHAIN; DELETE FROM orgs WHERE id = 2',
])('28 a string may begin and end transactions: %s', (text) => ofSample(text, 'ROLLBACK'));

test('8 parameters have the types that they have natively, in whatever format', () =>
  sameOn(ALL, SAMPLE, ({ client }) => {
    const big = Buffer.from('0000000000000007', 'hex');
    const text =
      'DELETE FROM orgs WHERE id = ANY ($2) AND name LIKE $1 AND big = $3 RETURNING $4::numeric + big';
    return client.ask(
      parse(text, 'd', [0, 0, 20]),
      describeStatement('d'),
      bind({ statement: 'd', values: ['org%', '{1,2}', big, '1.5'], binary: true }),
      describePortal(),
      execute(),
      sync,
    );
  }));

test('18 a child whose key is NULL stays', () =>
  same(`${FIFTY}; INSERT INTO c VALUES (101, NULL)`, 'DELETE FROM p RETURNING *'));
