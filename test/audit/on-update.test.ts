/** What ON UPDATE changes, with cascade.guard: check, is in the record of cascades and among the rows that are counted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org int UNIQUE REFERENCES orgs ON UPDATE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, org int REFERENCES users (org) ON UPDATE SET NULL NOT ENFORCED);
  CREATE TABLE notes (id int PRIMARY KEY, org int DEFAULT 0 REFERENCES orgs ON UPDATE SET DEFAULT NOT ENFORCED);
  CREATE TABLE strict (org int REFERENCES orgs ON UPDATE RESTRICT NOT ENFORCED);
  CREATE TABLE tree (tenant int, id int, parent int, PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, parent) REFERENCES tree ON UPDATE CASCADE NOT ENFORCED);
  INSERT INTO orgs SELECT i, 'my secret' FROM generate_series(0, 9) i;
  INSERT INTO users SELECT i, i FROM generate_series(1, 8) i;
  INSERT INTO posts SELECT 10 * u + i, u FROM generate_series(1, 8) u, generate_series(1, 3) i;
  INSERT INTO notes SELECT 10 * o + i, o FROM generate_series(1, 8) o, generate_series(1, 2) i;
  INSERT INTO strict VALUES (9);
  INSERT INTO tree VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2), (1, 4, 2);`);

const rows = (users: number, posts: number, notes: number) => [
  { table: 'public.users', action: 'on update cascade', rows: users },
  { table: 'public.notes', action: 'on update set default', rows: notes },
  { table: 'public.posts', action: 'on update set null', rows: posts },
];

/** The lines of the record, and the rows at /metrics, of what is asked in turn. */
async function told(asked: readonly Buffer[], readies = asked.length) {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const proxy = await startProxy({
    cascade: { guard: 'check' },
    audit: { path },
    admin: { listen: '127.0.0.1:0' },
  });
  const client = await RawClient.login(proxy, { database: database.name });
  client.send(query('BEGIN'), ...asked, query('ROLLBACK'));
  await client.untilReady(readies + 2);
  const metrics = await (await fetch(`http://${proxy.app.admin}/metrics`)).text();
  await proxy.stop();
  const text = readFileSync(path, 'utf8');
  const counted = metrics.matchAll(
    /^pgcascade_cascade_rows_total\{table="public\.(\w+)",action="([\w ]+)"\} (\d+)$/gm,
  );
  return {
    text,
    lines: text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
    counted: Object.fromEntries(
      [...counted].map(([, table, action, count]) => [`${table}: ${action}`, Number(count)]),
    ),
  };
}

const FIRST = {
  'users: on update cascade': 1,
  'notes: on update set default': 2,
  'posts: on update set null': 3,
};
const SECOND = {
  'users: on update cascade': 2,
  'notes: on update set default': 4,
  'posts: on update set null': 6,
};

test.each([
  ['a query', [query("UPDATE orgs SET id = 11 WHERE id = 1 AND name = 'my secret'")], [rows(1, 3, 2)], FIRST],
  ['RETURNING', [query('UPDATE orgs SET id = 11 WHERE id = 1 RETURNING name')], [rows(1, 3, 2)], FIRST],
  [
    'a string of several',
    [query('UPDATE orgs SET id = 11 WHERE id = 1; SELECT 1; UPDATE orgs SET id = 12 WHERE id = 2')],
    [rows(1, 3, 2), rows(1, 3, 2)],
    SECOND,
  ],
  [
    'a pipeline',
    [
      Buffer.concat([
        parse('UPDATE orgs SET id = $1 WHERE id = $2', 'u'),
        runPrepared('u', ['11', '1']),
        run('SELECT 1'),
        runPrepared('u', ['12', '2']),
        sync,
      ]),
    ],
    [rows(1, 3, 2), rows(1, 3, 2)],
    SECOND,
  ],
  [
    'what SQL prepares',
    [
      query('PREPARE p AS UPDATE orgs SET id = $1 WHERE id = $2'),
      query('EXECUTE p (11, 1)'),
      query('EXECUTE p (12, 2)'),
    ],
    [rows(1, 3, 2), rows(1, 3, 2)],
    SECOND,
  ],
  [
    'a portal in portions',
    [
      Buffer.concat([
        parse('UPDATE orgs SET id = id + 10 WHERE id IN (1, 2) RETURNING id'),
        bind(),
        execute('', 1),
        execute('', 1),
        execute('', 1),
        sync,
      ]),
    ],
    [rows(2, 6, 4)],
    SECOND,
  ],
  [
    'keys that lead in a circle',
    [query('UPDATE tree SET tenant = 2 WHERE tenant = 1 AND id = 1')],
    [[{ table: 'public.tree', action: 'on update cascade', rows: 3 }]],
    { 'tree: on update cascade': 3 },
  ],
])('%s', async (_, asked, expected, counted) => {
  const { text, lines, ...metrics } = await told(asked);
  expect(lines.map((line) => line.rows)).toEqual(expected);
  expect(metrics.counted).toEqual(counted);
  expect(lines[0]).toMatchObject({
    statement: expect.stringMatching(/^[0-9a-f]{16}$/),
    tables: [expect.stringMatching(/^public\.(orgs|tree)$/)],
    outcome: 'done',
    milliseconds: expect.any(Number),
  });
  expect(text).not.toContain('secret');
});

test.each([
  ['leaves the keys as they are', 'UPDATE orgs SET id = id'],
  ['leaves a key that nothing references', 'UPDATE orgs SET id = 10 WHERE id = 0'],
])('a statement that %s is not told', async (_, text) => {
  const { lines, counted } = await told([query(text)]);
  expect(lines).toEqual([]);
  expect(counted).toEqual({});
});
