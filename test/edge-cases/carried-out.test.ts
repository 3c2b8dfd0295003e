/** In which order PostgreSQL carries out the DELETEs of one statement, which decides whether a NO ACTION key is broken. */
import { expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn } = useSides();

/** What is deleted from a takes the row of x along that holds b: a before b passes, b before a does not. */
const HELD = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
  CREATE TABLE x (id int, a int REFERENCES a ON DELETE CASCADE KEYS, b int REFERENCES b KEYS);
  INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO x VALUES (1, 1, 1);
  CREATE TABLE free (id int PRIMARY KEY); INSERT INTO free VALUES (1); CREATE TABLE sink (id int)`;
const READS_E = 'WHERE id = (SELECT max(id) FROM e)';

/** Where `@1` is deleted from before `@2`. */
const SHAPES: readonly (readonly [string, string])[] = [
  ['the last that nobody reads first', 'WITH d AS (DELETE FROM @2), e AS (DELETE FROM @1) SELECT 1'],
  ['what is read before what is not', 'WITH d AS (@1), e AS (@2) TABLE d'],
  ['the statement before what it does not read', 'WITH d AS (DELETE FROM @2) DELETE FROM @1'],
  ['what the statement reads before it', `WITH e AS (@1) DELETE FROM @2 ${READS_E}`],
  [
    'what a MERGE reads before it',
    'WITH e AS (@1) MERGE INTO @2 AS t USING e ON t.id = e.id WHEN MATCHED THEN DELETE',
  ],
  [
    'what only a RETURNING reads after it',
    'WITH d AS (@2) DELETE FROM @1 RETURNING id, (SELECT count(*) FROM d)',
  ],
  [
    'what an INSERT reads before its RETURNING',
    'WITH e AS (@2), d AS (@1) INSERT INTO sink SELECT id FROM d RETURNING (SELECT count(*) FROM e)',
  ],
  [
    'what is read by one that is read',
    `WITH e AS (@1), d AS (DELETE FROM @2 ${READS_E} RETURNING id), f AS (SELECT * FROM d) TABLE f`,
  ],
  ['what is read by one that nobody reads', `WITH e AS (@1), d AS (DELETE FROM @2 ${READS_E}) SELECT 1`],
  ['a UNION in its order', 'WITH d AS (@2), e AS (@1) TABLE e UNION ALL TABLE d'],
  ['a UNION in a WITH in its order', 'WITH d AS (@2), e AS (@1), f AS (TABLE e UNION ALL TABLE d) TABLE f'],
  [
    'the columns in their order',
    'WITH d AS (@2), e AS (@1) SELECT (SELECT max(id) FROM e), (SELECT max(id) FROM d)',
  ],
  ['FROM before the columns', 'WITH e AS (@2), d AS (@1) SELECT d.*, (SELECT count(*) FROM e) FROM d'],
  ['FROM before WHERE', `WITH e AS (@2), d AS (@1) SELECT * FROM d ${READS_E}`],
  ['FROM before ORDER BY', 'WITH e AS (@2), d AS (@1) SELECT * FROM d ORDER BY (SELECT count(*) FROM e)'],
  ['LIMIT before FROM', 'WITH e AS (@1), d AS (@2) SELECT * FROM d LIMIT (SELECT count(*) FROM e)'],
  [
    'HAVING before FROM',
    'WITH e AS (@1), d AS (@2) SELECT count(*) FROM d HAVING (SELECT count(*) FROM e) = 1',
  ],
  ['no SELECT that nobody reads', 'WITH e AS (@2), d AS (@1), s AS (SELECT * FROM e) SELECT 1'],
  ['no name of an inner WITH', 'WITH d AS (@2), e AS (@1) SELECT * FROM (WITH d AS (SELECT 1) TABLE d) AS z'],
  [
    'no CTE after the one that names it',
    'WITH f AS (DELETE FROM @1 RETURNING id, (SELECT count(*) FROM free)), free AS (@2) TABLE f',
  ],
  [
    'WITH RECURSIVE as the server sorts it',
    `WITH RECURSIVE d AS (DELETE FROM @1 ${READS_E} RETURNING id), x AS (DELETE FROM @2), e AS (DELETE FROM free RETURNING id) SELECT 1`,
  ],
];

test.each(
  SHAPES.flatMap(([what, shape]) =>
    [['a', 'b'] as const, ['b', 'a'] as const].map((order) => [what, shape, order] as const),
  ),
)('40 %s: %s, %s', async (_, shape, [first, second]) => {
  const fill = (text: string, place: string, table: string) =>
    text.replace(`(${place})`, `(DELETE FROM ${table} RETURNING id)`).replace(place, table);
  const text = fill(fill(shape, '@1', first), '@2', second);
  const answers: string[] = [];
  await sameOn(ALL, HELD, async ({ client }) => {
    const given = await client.ask(query(text));
    answers.push(given.some(({ type }) => type === 'E') ? 'b' : 'a');
    return given;
  });
  expect(answers).toEqual([first, first, first]);
});
