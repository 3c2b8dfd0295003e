/** Changes of the schema between two DELETEs, by the session itself, by another one, in an open transaction: never a stale graph. */
import { describe, test, vi } from 'vitest';
import { parse, query, runPrepared, sync } from '../support/frontend-messages.js';
import type { RawMessage } from '../support/raw-client.js';
import { ALL, type Side, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
// Only what goes through the proxy may tell it of a change: nothing is noticed by waiting.
const { sameOn } = useSides({ graph: { refresh: '1h' } });

const SCHEMA = `CREATE TABLE p (id int PRIMARY KEY, k int UNIQUE); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
  CREATE TABLE bare (id int, p int); INSERT INTO p SELECT i, i FROM generate_series(1, 6) i; INSERT INTO c SELECT id, id FROM p; INSERT INTO bare SELECT id, id FROM p`;
const ADD =
  'DELETE FROM bare WHERE p = 1; ALTER TABLE bare ADD CONSTRAINT late_cascade FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS';
const del = (id: number) => `DELETE FROM p WHERE id = ${id}`;

/** Texts of the session, and after `other:` those of another one. */
async function steps({ client, connect, ddl }: Side, texts: readonly string[]) {
  const other = await connect();
  const answers: RawMessage[] = [];
  for (const text of texts) {
    const [, who, sql = ''] = /^(other: )?([\s\S]*)$/.exec(text) ?? [];
    answers.push(...(await (who ? other : client).ask(query(ddl(sql)))));
  }
  return answers.filter(({ type }) => type !== 'S');
}

const DDL: readonly (readonly [string, string])[] = [
  ['61 a key added', ADD],
  ['61 a key dropped', 'ALTER TABLE c DROP CONSTRAINT k1_cascade'],
  [
    '61 a key made anew with another action',
    'ALTER TABLE c DROP CONSTRAINT k1_cascade, ADD CONSTRAINT k2_set_null FOREIGN KEY (p) REFERENCES p ON DELETE SET NULL KEYS',
  ],
  ['61 a child dropped', 'DROP TABLE c'],
  [
    '61 a child made',
    'CREATE TABLE more (id int, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO more SELECT id, id FROM p',
  ],
  [
    '61 a grandchild made',
    'CREATE TABLE g (c int REFERENCES c ON DELETE RESTRICT KEYS); INSERT INTO g VALUES (2), (3)',
  ],
  [
    '61 a column added to the key',
    'ALTER TABLE p ADD UNIQUE (id, k); ALTER TABLE c ADD k int; UPDATE c SET k = 2 WHERE id = 2; ALTER TABLE c DROP CONSTRAINT k1_cascade, ADD CONSTRAINT k2_cascade FOREIGN KEY (p, k) REFERENCES p (id, k) ON DELETE CASCADE KEYS',
  ],
  ['61 a column of the key of another type', 'ALTER TABLE c ALTER p TYPE bigint'],
  ['61 an index made and dropped', 'CREATE INDEX i ON c (p); DROP INDEX i'],
  [
    '61 a trigger that keeps rows',
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER t BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION f()`,
  ],
  ['62 a child renamed', 'ALTER TABLE c RENAME TO d'],
  ['62 a column of a child renamed', 'ALTER TABLE c RENAME p TO parent'],
  ['62 a column of the parent renamed', 'ALTER TABLE p RENAME id TO n; ALTER TABLE p RENAME k TO id'],
  ['62 the key renamed', 'ALTER TABLE c RENAME CONSTRAINT k1_cascade TO other_cascade'],
  [
    '62 the parent renamed, and another one in its place',
    'ALTER TABLE p RENAME TO q; CREATE TABLE p AS TABLE q',
  ],
  [
    '62 the parent and the child exchanged',
    'ALTER TABLE p RENAME TO x; ALTER TABLE c RENAME TO p; ALTER TABLE x RENAME TO c',
  ],
  [
    '62 the tables dropped and made again',
    `DROP TABLE p, c; ${SCHEMA.replace(/CREATE TABLE bare [^;]*; /, '').replace(/; INSERT INTO bare.*/, '')}`,
  ],
  [
    '62 their schema renamed, and another one in its place',
    `ALTER SCHEMA s RENAME TO a; CREATE SCHEMA s; ${SCHEMA}`,
  ],
  ['62 a table moved to another schema', 'CREATE SCHEMA b; ALTER TABLE c SET SCHEMA b'],
];

const others = (text: string) => `other: ${text}`;
describe.each(DDL)('%s', (_, change) => {
  test.each([
    ['by the session itself', del(1), change, del(2), del(3)],
    ['by another session', del(1), others(change), del(2), del(3)],
    ['in the string of the DELETE', del(1), `${change}; ${del(2)}; ${del(3)}`],
    ['in a transaction', del(1), 'BEGIN', change, del(2), 'COMMIT', del(3)],
    ['in a transaction that is rolled back', del(1), 'BEGIN', change, del(2), 'ROLLBACK', del(3)],
  ])('%s', (_, ...texts) => sameOn(ALL, SCHEMA, (side) => steps(side, texts)));

  test('between two executions of what was prepared', () =>
    sameOn(ALL, SCHEMA, async (side) => {
      const { client } = side;
      const prepared = parse('DELETE FROM p WHERE id = $1', 'd');
      const answers = await client.ask(prepared, runPrepared('d', ['1']), sync);
      await steps(side, ['PREPARE e (int) AS DELETE FROM p WHERE id = $1', others(change)]);
      answers.push(...(await client.ask(runPrepared('d', ['2']), sync)));
      return [...answers, ...(await steps(side, ['EXECUTE e (3)']))];
    }));
});

// Ways that a change takes, for a few of them.
const FEW = DDL.filter(([what]) => /added$|column of a child renamed|exchanged/.test(what));
describe.each(FEW)('%s', (_, change) => {
  test.each([
    ['after a savepoint', del(1), 'BEGIN; SAVEPOINT a', change, del(2), 'ROLLBACK TO a', del(3), 'COMMIT'],
    [
      'in a transaction of another session',
      ...[del(1), others('BEGIN'), others(change), others(del(2)), others('COMMIT'), del(3)],
    ],
    ['in a DO block', del(1), `DO $do$ BEGIN ${change}; END $do$`, del(2)],
  ])('%s', (_, ...texts) => sameOn(ALL, SCHEMA, (side) => steps(side, texts)));
});
