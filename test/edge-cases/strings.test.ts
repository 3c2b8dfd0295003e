/**
 * Strings in which a DELETE stands after a statement that may change what it means: they are executed one by one, and
 * answered as one.
 */

import { describe, test, vi } from 'vitest';
import { bind, describePortal, execute, parse, query, sync } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn } = useSides();

const del = (id: number) => `DELETE FROM orgs WHERE id = ${id}`;
const MAKE = 'CREATE TABLE x (i int)';
const strings: Readonly<Record<string, readonly string[]>> = {
  '27 with answers of every kind': [
    `${MAKE}; SELECT 1 AS a, 'x' AS b; SELECT WHERE false; ${del(1)} RETURNING *; TABLE alone; INSERT INTO x VALUES (2); ${del(2)}; TABLE x`,
  ],
  '27 with empty statements': [`;;${MAKE};; ${del(1)};;`],
  '27 with notices': [
    `${MAKE}; DO $$ BEGIN RAISE NOTICE 'one'; END $$; ${del(1)}; DROP TABLE IF EXISTS zzz; ${del(2)}`,
  ],
  '27 with a rule that stops it': [`${MAKE}; SELECT 1; ${del(4)}; SELECT 2`],
  '27 with an error at its end': [`${MAKE}; SELECT 'é🐘'; ${del(1)}; SELECT '🐘', nonsense`],
  '27 with an error in its DELETE': [`${MAKE}; SELECT 'é🐘'; DELETE FROM orgs WHERE '🐘' = nonsense`],
  '27 with an error before its DELETE': [`${MAKE}; SELECT 'é🐘' FROM nowhere; ${del(1)}`],
  '27 that is no SQL': [`${MAKE}; ${del(1)}; SELEC 1`],
  '27 with COPY': [`${MAKE}; COPY orgs TO STDOUT; ${del(1)}; COPY (${del(2)} RETURNING id) TO STDOUT`],
  '27 with EXPLAIN': [`${MAKE}; EXPLAIN (COSTS off) SELECT 1; ${del(1)}`],
  '27 with a cursor': [
    `DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id = 1; ${MAKE}; FETCH c; DELETE FROM orgs WHERE CURRENT OF c; CLOSE c`,
  ],
  '27 with PREPARE': [
    `${MAKE}; PREPARE d (int) AS DELETE FROM orgs WHERE id = $1; EXECUTE d (1); EXECUTE d (4)`,
    'EXECUTE d (2)',
  ],
  '27 with DEALLOCATE': [
    `${MAKE}; PREPARE d (int) AS DELETE FROM orgs WHERE id = $1; EXECUTE d (1); DEALLOCATE d; EXECUTE d (2)`,
  ],
  '27 with LOCK at its start': [`LOCK TABLE orgs; ${MAKE}; ${del(1)}`],
  '27 with SET LOCAL at its start': [
    `SET LOCAL work_mem = '1MB'; ${MAKE}; ${del(1)}; SHOW work_mem`,
    'SHOW work_mem',
  ],
  '27 with SET CONSTRAINTS at its start': [`SET CONSTRAINTS ALL IMMEDIATE; ${MAKE}; ${del(1)}`],
  '27 with SET TRANSACTION at its start': [
    `SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ${MAKE}; ${del(1)}; SHOW transaction_isolation`,
  ],
  '27 with VACUUM at its start': [`VACUUM; ${MAKE}; ${del(1)}`],
  '27 with VACUUM at its end': [`${MAKE}; ${del(1)}; VACUUM`],
  '27 with CREATE DATABASE': [`${MAKE}; ${del(1)}; CREATE DATABASE nope`],
  '27 with DISCARD ALL': [`${MAKE}; ${del(1)}; DISCARD ALL`],
  '27 with RESET ALL': [`RESET ALL; SET search_path = s; ${del(1)}`],
  '27 with CALL': [`CREATE PROCEDURE pr() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'; ${del(1)}; CALL pr()`],
  '28 with COMMIT in it': [`${MAKE}; ${del(1)}; COMMIT; ${del(2)}; SELECT 1/0`],
  '28 with LOCK after COMMIT': [`${MAKE}; COMMIT; LOCK TABLE orgs; ${del(1)}`],
  '28 with BEGIN in it, and no end': [`${MAKE}; BEGIN; ${del(1)}`, 'ROLLBACK'],
  '28 with BEGIN after its DELETE': [`${MAKE}; ${del(1)}; BEGIN; ${del(2)}; ROLLBACK`],
  '28 that is a transaction, and more': [`BEGIN; ${MAKE}; COMMIT; ${del(1)}; ROLLBACK`],
  '28 with ROLLBACK before its DELETE': [`${MAKE}; ROLLBACK; ${del(1)}`],
  '28 with ROLLBACK after its DELETE': [`${MAKE}; ${del(1)}; ROLLBACK`],
  '28 with SAVEPOINT outside of a block': [`${MAKE}; ${del(1)}; SAVEPOINT a`],
  '28 with SAVEPOINT at its start': [`SAVEPOINT a; ${MAKE}; ${del(1)}`],
  '28 with COMMIT at its start': [`COMMIT; ${MAKE}; ${del(1)}`],
  '28 with chains': [
    `BEGIN; ${MAKE}; ${del(1)}; COMMIT AND CHAIN; ${del(2)}; ROLLBACK AND NO CHAIN; ${del(3)}`,
  ],
  '28 with another isolation': [
    `BEGIN ISOLATION LEVEL REPEATABLE READ; ${MAKE}; ${del(1)}; COMMIT; SHOW transaction_isolation`,
  ],
  '28 in a transaction': ['BEGIN', `${MAKE}; ${del(1)}; SAVEPOINT a; ${del(2)}`, 'ROLLBACK TO a', 'COMMIT'],
  '28 in a failed transaction': [
    'BEGIN',
    'SELECT 1/0',
    `${MAKE}; ${del(1)}`,
    `ROLLBACK; ${del(1)}; ${MAKE}; ${del(2)}`,
  ],
  '28 that ends a failed transaction, and fails': [
    'BEGIN',
    'SELECT 1/0',
    `ROLLBACK; ${MAKE}; ${del(2)}; SELECT 1/0; SELECT 2`,
  ],
};

describe.each(Object.entries(strings))('%s', (_, texts) => {
  test('is answered as one query', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => {
      const answers = await askAll(client, texts);
      return answers.filter(({ type }) => type !== 'S');
    }));
});

describe('27 a string drops', () => {
  const string = query(`${MAKE}; ${del(1)}`);

  test('the unnamed statement', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await client.ask(parse('SELECT 5'), sync)),
      ...(await client.ask(string)),
      ...(await client.ask(bind(), describePortal(), execute(), sync)),
    ]));

  test('the unnamed portal', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await client.ask(query('BEGIN'))),
      ...(await client.ask(parse('SELECT 5'), bind(), sync)),
      ...(await client.ask(string)),
      ...(await client.ask(execute(), sync)),
    ]));
});
