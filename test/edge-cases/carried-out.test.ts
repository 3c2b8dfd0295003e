/** In which order PostgreSQL carries out the DELETEs of one statement, which decides whether a NO ACTION key is broken. */
import { expect, test, vi } from 'vitest';
import { query } from '../session/frontend-messages.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn } = useSides();

/** What is deleted from a takes the row of x along that holds b. */
const HELD = `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
  CREATE TABLE x (id int, a int REFERENCES a ON DELETE CASCADE KEYS, b int REFERENCES b KEYS);
  INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO x VALUES (1, 1, 1)`;

test.each<readonly [string, 'a' | 'b', string]>([
  ['the last that nobody reads first', 'b', 'WITH d AS (DELETE FROM a), e AS (DELETE FROM b) SELECT 1'],
  ['the last that nobody reads first', 'a', 'WITH d AS (DELETE FROM b), e AS (DELETE FROM a) SELECT 1'],
  [
    'what is read before what is not',
    'a',
    'WITH d AS (DELETE FROM a RETURNING id), e AS (DELETE FROM b RETURNING id) TABLE d',
  ],
  [
    'what is read before what is not',
    'b',
    'WITH d AS (DELETE FROM b RETURNING id), e AS (DELETE FROM a RETURNING id) TABLE d',
  ],
  ['the statement itself before what it does not read', 'a', 'WITH d AS (DELETE FROM b) DELETE FROM a'],
  ['the statement itself before what it does not read', 'b', 'WITH d AS (DELETE FROM a) DELETE FROM b'],
  [
    'what the statement itself reads before it',
    'b',
    'WITH d AS (DELETE FROM b RETURNING id) DELETE FROM a WHERE id = (SELECT max(id) FROM d)',
  ],
  [
    'what is read by one that is read',
    'b',
    `WITH d AS (DELETE FROM b RETURNING id), e AS (DELETE FROM a WHERE id = (SELECT max(id) FROM d) RETURNING id),
     f AS (SELECT * FROM e) SELECT count(*) FROM f`,
  ],
  [
    'what is read by one that nobody reads',
    'b',
    'WITH d AS (DELETE FROM b RETURNING id), e AS (DELETE FROM a WHERE id = (SELECT max(id) FROM d)) SELECT 1',
  ],
])('40 %s: %s', async (_, first, text) => {
  const answers: string[] = [];
  await sameOn(ALL, HELD, async ({ client }) => {
    const given = await client.ask(query(text));
    answers.push(given.some(({ type }) => type === 'E') ? 'b' : 'a');
    return given;
  });
  expect(answers).toEqual([first, first, first]);
});
