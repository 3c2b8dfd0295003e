/** What a transaction has locked when one of its DELETEs fails. */
import type pg from 'pg';
import { expect, test } from 'vitest';
import { type Database, useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const schema = (cascade: string, restrict: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY, note text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ${cascade});
  CREATE TABLE badges (id int PRIMARY KEY, user_id int REFERENCES users ${restrict});
  INSERT INTO orgs VALUES (1, 'a'), (2, 'b'); INSERT INTO users VALUES (10, 1); INSERT INTO badges VALUES (1, 10)`;
const native = useDatabase(schema('ON DELETE CASCADE', 'ON DELETE RESTRICT'));
const guarded = useDatabase(schema('', ''));
const overrides = [
  { match: 'public.users.*', on_delete: 'cascade' },
  { match: 'public.badges.*', on_delete: 'restrict' },
] as const;
const proxy = useProxy({ cascade: { overrides: [...overrides] } });

const ROW_2 = 'SELECT id FROM orgs WHERE id = 2 FOR UPDATE NOWAIT';
const code = (promise: Promise<pg.QueryResult>) =>
  promise.then(
    ({ command, rowCount }) => `${command} ${rowCount}`,
    (error: pg.DatabaseError) => error.code,
  );

type Run = (client: pg.Client, id: string) => Promise<pg.QueryResult>;
const FORMS: readonly (readonly [string, Run])[] = [
  ['a simple query', (client, id) => client.query(`DELETE FROM orgs WHERE id = ${id}`)],
  [
    'a simple query with RETURNING',
    (client, id) => client.query(`DELETE FROM orgs WHERE id = ${id} RETURNING *`),
  ],
  ['parameters', (client, id) => client.query('DELETE FROM orgs WHERE id = $1', [id])],
  [
    'a prepared statement',
    (client, id) => client.query({ name: 'd', text: 'DELETE FROM orgs WHERE id = $1', values: [id] }),
  ],
];

/** What the client is answered, and whether others can lock what it had. */
async function steps(client: pg.Client, other: pg.Client, run: Run, savepoint: boolean) {
  const told: unknown[] = [];
  const ask = async (answer: Promise<pg.QueryResult>) => told.push(await code(answer));
  await ask(client.query('BEGIN'));
  if (savepoint) await ask(client.query('INSERT INTO orgs VALUES (9); SAVEPOINT s'));
  await ask(client.query(`UPDATE orgs SET note = 'c' WHERE id = 2`));
  await ask(run(client, '1'));
  // The server lets go of locks after the error, and before it is ready.
  await ask(client.query('SELECT 1'));
  await ask(other.query(ROW_2));
  await ask(client.query(savepoint ? 'ROLLBACK TO s' : 'ROLLBACK'));
  await ask(run(client, savepoint ? '9' : '1'));
  await ask(client.query('COMMIT'));
  await ask(other.query('SELECT FROM orgs'));
  return told;
}

async function on(database: Database, client: pg.Client, run: Run, savepoint: boolean) {
  const other = await database.connect();
  const told = await steps(client, other, run, savepoint);
  await Promise.all([client.end(), other.end()]);
  return told;
}

test.each(
  FORMS.flatMap(([form, run]) => [false, true].map((savepoint) => ({ form, run, savepoint }))),
)('a DELETE that breaks a rule lets go of them at once, as natively: $form, savepoint: $savepoint', async ({
  run,
  savepoint,
}) => {
  const expected = await on(native, await native.connect(), run, savepoint);
  const came = await on(guarded, await proxy.connect(guarded.name), run, savepoint);
  expect(came).toEqual(expected);
  expect(came).toContain('SELECT 1');
});
