/** Clients that may not do everything: what the actions need of their rights, and what row security lets them see. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { databaseUrl } from '../support/postgres.js';
import { type Kind, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });

// Roles belong to the whole server, so that this one is dropped after the databases in which it has rights.
const ROLE = `edge_${randomBytes(6).toString('hex')}`;
const command = async (sql: string) => {
  const client = new pg.Client({ connectionString: databaseUrl(inject('postgres'), 'postgres') });
  await client.connect();
  await client.query(sql);
  await client.end();
};
beforeAll(() => command(`CREATE ROLE ${ROLE} LOGIN`));
afterAll(() => command(`DROP ROLE ${ROLE}`));
const { on } = useSides();

const FAMILY = (action = 'CASCADE') => `GRANT USAGE ON SCHEMA s TO ${ROLE};
  CREATE TABLE p (id int PRIMARY KEY, what text); INSERT INTO p VALUES (1, 'a'), (2, 'a'), (3, 'b');
  CREATE TABLE c (id int, p int REFERENCES p ON DELETE ${action} KEYS, owner text); INSERT INTO c VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'x'), (4, 1, 'y');`;
const MAY = `GRANT SELECT, DELETE ON p TO ${ROLE};`;

/** What a client of the role is told, without the words of errors, and the rows of both tables that are left. */
async function asRole(kind: Kind, schema: string, sql: string): Promise<readonly string[]> {
  const { client, connect } = await on(kind, schema);
  const [told = ''] = await (await connect(ROLE)).told(query(sql));
  const left = await client.told(query(LEFT));
  return [told.replace(/ (?:M|H)=.*/, ''), left[1] ?? ''];
}
const LEFT = `SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM p), (SELECT string_agg(concat(id, '>', p), ' ' ORDER BY id) FROM c)`;
const ONE = 'DELETE FROM p WHERE id = 1';
const UNTOUCHED = 'D 1 2 3|1>1 2>2 3>3 4>1';
const REFUSED = ['E C=42501', UNTOUCHED];

type Outcome = readonly string[];
/** Natively, NOT ENFORCED where that differs, and enforced with overrides where this differs again. */
type Outcomes = readonly [native: Outcome, emulated?: Outcome, overridden?: Outcome];
type Case = readonly [what: string, schema: string, sql: string, ...outcomes: Outcomes];
async function expectOutcomes(schema: string, sql: string, ...outcomes: Outcomes): Promise<void> {
  const [native, emulated = native, overridden = emulated] = outcomes;
  expect(await asRole('native', schema, sql)).toEqual(native);
  expect(await asRole('emulated', schema, sql)).toEqual(emulated);
  expect(await asRole('overridden', schema, sql)).toEqual(overridden);
}

/** A test for each case. */
function tests(cases: readonly Case[]): void {
  for (const [what, ...given] of cases) test(what, () => expectOutcomes(...given));
}

const CASCADED = ['C DELETE 1', 'D 2 3|2>2 3>3'];
const NULLED = ['C DELETE 1', 'D 2 3|1> 2>2 3>3 4>'];
const RESTRICTED = ['E C=23001 D=Key (id)=(1) is referenced from table "c".', UNTOUCHED];
const STOPPED = ['E C=23503 D=Key (id)=(1) is still referenced from table "c".', UNTOUCHED];
describe('58 a role', () => {
  tests([
    [
      'with the rights on the child cascades',
      `${FAMILY()} ${MAY} GRANT DELETE, SELECT (p) ON c TO ${ROLE}`,
      ONE,
      CASCADED,
    ],
    [
      'with the rights on the child nulls',
      `${FAMILY('SET NULL')} ${MAY} GRANT UPDATE (p), SELECT (p) ON c TO ${ROLE}`,
      ONE,
      NULLED,
    ],
    [
      'with the rights on the child is stopped',
      `${FAMILY('RESTRICT')} ${MAY} GRANT SELECT ON c TO ${ROLE}`,
      ONE,
      RESTRICTED,
    ],
    ['without rights on the child cascades natively alone', FAMILY() + MAY, ONE, CASCADED, REFUSED],
    [
      'without SELECT on the child cascades natively alone',
      `${FAMILY()} ${MAY} GRANT DELETE ON c TO ${ROLE}`,
      ONE,
      CASCADED,
      REFUSED,
    ],
    ['without rights on the child nulls natively alone', FAMILY('SET NULL') + MAY, ONE, NULLED, REFUSED],
    [
      'without rights on the child is stopped natively alone',
      FAMILY('RESTRICT') + MAY,
      ONE,
      RESTRICTED,
      REFUSED,
    ],
    [
      'without rights on the child may delete nothing natively alone',
      FAMILY() + MAY,
      'DELETE FROM p WHERE id = 9',
      ['C DELETE 0', UNTOUCHED],
      REFUSED,
    ],
    [
      'needs SELECT on the whole child where a rule is checked',
      `${FAMILY('RESTRICT')} ${MAY} GRANT SELECT (p) ON c TO ${ROLE}`,
      ONE,
      RESTRICTED,
      REFUSED,
    ],
    [
      'without DELETE on the parent is refused',
      `${FAMILY()} GRANT SELECT ON p TO ${ROLE}; GRANT ALL ON c TO ${ROLE}`,
      ONE,
      REFUSED,
    ],
    [
      'without USAGE of the schema is refused',
      `${FAMILY()} ${MAY} GRANT ALL ON c TO ${ROLE}; REVOKE USAGE ON SCHEMA s FROM ${ROLE}`,
      'DELETE FROM s.p',
      REFUSED,
    ],
  ]);

  const secured = (
    action: string,
    owner: string,
  ) => `${FAMILY(action)} ${MAY} GRANT SELECT, DELETE ON c TO ${ROLE};
    ALTER TABLE c ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON c USING (owner = '${owner}')`;
  tests([
    [
      'leaves rows that row security hides, and natively does not; the server does not where it enforces',
      secured('CASCADE', 'x'),
      ONE,
      CASCADED,
      ['C DELETE 1', 'D 2 3|2>2 3>3 4>1'],
      STOPPED,
    ],
    [
      'is not stopped by rows that row security hides, and natively is; the server is where it enforces',
      secured('RESTRICT', 'z'),
      ONE,
      RESTRICTED,
      ['C DELETE 1', 'D 2 3|1>1 2>2 3>3 4>1'],
      STOPPED,
    ],
  ]);
});

describe('66 a role that may delete from the parent', () => {
  const all = `GRANT SELECT, DELETE ON c TO ${ROLE};`;
  const policies = (
    select: string,
    del: string,
  ) => `${FAMILY()} ${MAY} ${all} ALTER TABLE p ENABLE ROW LEVEL SECURITY;
    CREATE POLICY x ON p FOR SELECT USING (${select}); CREATE POLICY y ON p FOR DELETE USING (${del})`;
  const B = ['C DELETE 1', 'D 1 2|1>1 2>2 4>1'];
  const EVERYTHING = ['C DELETE 3', 'D NULL|NULL'];
  tests([
    [
      'and not read it at all does natively alone',
      `${FAMILY()} ${all} GRANT DELETE ON p TO ${ROLE}`,
      'DELETE FROM p',
      EVERYTHING,
      REFUSED,
    ],
    [
      'and not read its key does natively alone',
      `${FAMILY()} ${all} GRANT DELETE, SELECT (what) ON p TO ${ROLE}`,
      `DELETE FROM p WHERE what = 'b'`,
      B,
      REFUSED,
    ],
    [
      'and read its key does',
      `${FAMILY()} ${all} GRANT DELETE, SELECT (id) ON p TO ${ROLE}`,
      'DELETE FROM p WHERE id = 3',
      B,
    ],
    ['is held by policies for DELETE', policies('true', `what = 'b'`), 'DELETE FROM p', B],
    [
      'is held by policies for SELECT where the statement reads',
      policies(`what = 'b'`, 'true'),
      'DELETE FROM p WHERE id > 0',
      B,
    ],
    [
      'is held by policies for SELECT where it reads nothing, and natively not',
      policies(`what = 'b'`, 'true'),
      'DELETE FROM p',
      EVERYTHING,
      B,
    ],
    [
      'is held by one policy for all',
      `${FAMILY()} ${MAY} ${all} ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY x ON p USING (what = 'b')`,
      'DELETE FROM p',
      B,
    ],
  ]);
});
