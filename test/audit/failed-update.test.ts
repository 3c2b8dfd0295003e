/** An UPDATE that may leave referenced keys, and fails, has a line in the record of cascades, as a DELETE that fails has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org int UNIQUE REFERENCES orgs ON UPDATE CASCADE NOT ENFORCED);
  CREATE TABLE strict (org int REFERENCES orgs ON UPDATE RESTRICT NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, org int CHECK (org < 90) REFERENCES users (org) ON UPDATE CASCADE NOT ENFORCED);
  CREATE TABLE names (name text PRIMARY KEY);
  CREATE TABLE named (name text REFERENCES names NOT ENFORCED);
  CREATE TABLE tree (tenant int, id int, parent int, PRIMARY KEY (tenant, id), CHECK (tenant < 9),
    FOREIGN KEY (tenant, parent) REFERENCES tree ON UPDATE CASCADE NOT ENFORCED);
  CREATE TABLE first (id int PRIMARY KEY);
  CREATE TABLE pairs (a int REFERENCES first ON UPDATE CASCADE NOT ENFORCED, b int);
  ALTER TABLE pairs ADD FOREIGN KEY (a) REFERENCES first ON UPDATE SET NULL NOT ENFORCED;
  INSERT INTO orgs SELECT i, 'my secret' FROM generate_series(1, 9) i;
  INSERT INTO users SELECT i, i FROM generate_series(1, 4) i;
  INSERT INTO strict VALUES (9); INSERT INTO posts VALUES (1, 1);
  INSERT INTO names VALUES ('a'), ('b'); INSERT INTO named VALUES ('a');
  INSERT INTO tree VALUES (1, 1, NULL), (1, 2, 1);
  INSERT INTO first VALUES (1), (2); INSERT INTO pairs VALUES (1, 1), (2, 2);`);

/** The lines of the record, and what `/metrics` counts, of what is asked in turn; none of it stays. */
async function recorded(
  asked: readonly Buffer[],
  cascade: NonNullable<ProxyOptions['cascade']> = {},
  begin = 'BEGIN',
) {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const proxy = await startProxy({
    cascade: { guard: 'check', ...cascade },
    audit: { path },
    admin: { listen: '127.0.0.1:0' },
  });
  const client = await RawClient.login(proxy, { database: database.name });
  client.send(query(begin), ...asked, query('ROLLBACK'));
  await client.untilReady(asked.length + 2);
  const metrics = await (await fetch(`http://${proxy.app.admin}/metrics`)).text();
  await proxy.stop();
  const text = readFileSync(path, 'utf8');
  expect(text).not.toContain('secret');
  const lines = text.split('\n').slice(0, -1);
  return { lines: lines.map((line) => JSON.parse(line)), metrics };
}

const failed = (sqlstate: string, table = 'orgs') => ({
  ...{ time: expect.any(String), client: expect.any(String), user: expect.any(String) },
  ...{ database: expect.any(String), application: expect.any(String) },
  statement: expect.stringMatching(/^[0-9a-f]{16}$/),
  tables: [`public.${table}`],
  outcome: 'failed',
  sqlstate,
});
const BELOW = 'UPDATE orgs SET id = 91 WHERE id = 1';
const RESTRICTED = "UPDATE orgs SET id = 19 WHERE id = 9 AND name = 'my secret'";

test.each([
  ['what ON UPDATE changes breaks a rule of its table', [query(BELOW)], [failed('23514')]],
  ['RESTRICT', [query(RESTRICTED)], [failed('23001')]],
  ['NO ACTION', [query("UPDATE names SET name = 'c' WHERE name = 'a'")], [failed('23503', 'names')]],
  ['the statement itself', [query('UPDATE orgs SET id = 1 / (id - id)')], [failed('22012')]],
  ['in a string of several', [query(`SELECT 1; ${RESTRICTED}; SELECT 2`)], [failed('23001')]],
  [
    'in a pipeline, where what comes after it is skipped',
    [
      Buffer.concat([
        parse('UPDATE orgs SET id = $1 WHERE id = $2', 'u'),
        ...['19', '91'].map((to) => runPrepared('u', [to, to === '19' ? '9' : '1'])),
        sync,
      ]),
    ],
    [failed('23001')],
  ],
  [
    'in a statement after it, in a pipeline',
    [Buffer.concat([run('UPDATE orgs SET id = $1 WHERE id = $2', ['91', '1']), run('SELECT 1'), sync])],
    [failed('23514')],
  ],
  [
    'what SQL has prepared',
    [query('PREPARE p AS UPDATE orgs SET id = $1 WHERE id = $2'), query('EXECUTE p (19, 9)')],
    [failed('23001')],
  ],
  [
    'keys that lead in a circle',
    [query('UPDATE tree SET tenant = 9 WHERE id = 2')],
    [failed('23514', 'tree')],
  ],
  [
    'below, where keys lead in a circle',
    [
      query(
        `SAVEPOINT s; ALTER TABLE tree DROP CONSTRAINT tree_tenant_check; ALTER TABLE tree ADD CHECK (tenant < 9 OR id <> 2)`,
      ),
      query('UPDATE tree SET tenant = 9 WHERE id = 1'),
    ],
    [failed('23514', 'tree')],
  ],
  ['in a WITH', [query(`WITH u AS (${RESTRICTED} RETURNING *) SELECT * FROM u`)], [failed('23001')]],
  [
    'MERGE',
    [query('MERGE INTO orgs o USING (SELECT 9) n (id) ON o.id = n.id WHEN MATCHED THEN UPDATE SET id = 19')],
    [failed('23001')],
  ],
  [
    'ON CONFLICT',
    [query("INSERT INTO orgs VALUES (9, 'x') ON CONFLICT (id) DO UPDATE SET id = 19")],
    [failed('23001')],
  ],
  ['a key that cannot be followed', [query('UPDATE first SET id = id + 10')], [failed('0A000', 'first')]],
])('%s', async (_, asked, expected) => {
  const { lines, metrics } = await recorded(asked);
  expect(lines).toEqual(expected);
  expect(metrics).toMatch(/^pgcascade_statements_total\{kind="(error|refused)"\} 1$/m);
  expect(metrics).not.toMatch(/^pgcascade_cascade_rows_total\{[^}]*\} [1-9]/m);
});

test.each(['ordered', 'single'] as const)('with cascade.strategy: %s', async (strategy) => {
  const { lines } = await recorded([query(BELOW)], { strategy });
  expect(lines).toEqual([failed('23514')]);
});

test('in a snapshot that stays', async () => {
  const asked = [query('UPDATE orgs SET id = 11 WHERE id = 1')];
  const { lines } = await recorded(asked, {}, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
  expect(lines).toEqual([failed('0A000')]);
});

test.each([
  ['an INSERT whose key references nothing', 'INSERT INTO users VALUES (9, 99)'],
  ['an UPDATE of no key that is referenced', 'UPDATE posts SET org = 99'],
  [
    'what is refused before it is sent',
    'WITH a AS (UPDATE orgs SET id = 11 WHERE id = 1) UPDATE orgs SET id = 12 WHERE id = 2',
  ],
])('%s has no line', async (_, text) => {
  const { lines } = await recorded([query(text)]);
  expect(lines).toEqual([]);
});
