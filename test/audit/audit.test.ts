/** The record of cascades, written by a proxy in front of a real server. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { until } from '../support/until.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE SET NULL NOT ENFORCED,
    org_id int DEFAULT 0 REFERENCES orgs ON DELETE SET DEFAULT NOT ENFORCED);
  CREATE TABLE held (id int PRIMARY KEY);
  CREATE TABLE holds (id int PRIMARY KEY, held_id int REFERENCES held NOT ENFORCED);
  INSERT INTO orgs SELECT i, 'my secret' FROM generate_series(0, 9) i;
  INSERT INTO users SELECT 10 * o + i, o FROM generate_series(1, 9) o, generate_series(1, 2) i;
  INSERT INTO posts SELECT 100 * o + i, 10 * o + 1, NULL FROM generate_series(1, 9) o, generate_series(1, 3) i;
  INSERT INTO posts SELECT 1000 + o, NULL, o FROM generate_series(1, 9) o;
  INSERT INTO held VALUES (1); INSERT INTO holds VALUES (2, 1);`);

interface Line {
  readonly statement: string | null;
  readonly rows: readonly { readonly table: string; readonly action: string; readonly rows: number }[] | null;
}

/** What the record has when the proxy has ended, of what is done meanwhile. */
async function recorded(act: (client: RawClient) => Promise<unknown>, options: ProxyOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const proxy = await startProxy({ audit: { path }, ...options });
  const client = await RawClient.login(proxy, { database: database.name });
  await act(client);
  await proxy.stop();
  const text = readFileSync(path, 'utf8');
  return {
    text,
    lines: text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line),
  };
}

const rows = (orgs: number, users: number, nulled: number, defaulted: number) =>
  expect.arrayContaining([
    { table: 'public.orgs', action: 'delete', rows: orgs },
    { table: 'public.users', action: 'cascade', rows: users },
    { table: 'public.posts', action: 'set null', rows: nulled },
    { table: 'public.posts', action: 'set default', rows: defaulted },
  ]);

describe('a line says who deleted how many rows of which tables', () => {
  test.each([
    ['a query', [query("DELETE FROM orgs WHERE id = 1 AND name = 'my secret'")], 1, [rows(1, 2, 3, 1)]],
    ['no row', [query('DELETE FROM orgs WHERE id = -1')], 1, [rows(0, 0, 0, 0)]],
    ['RETURNING', [query('DELETE FROM orgs WHERE id = 2 RETURNING name')], 1, [rows(1, 2, 3, 1)]],
    ['RETURNING of no row', [query('DELETE FROM orgs WHERE id = -2 RETURNING name')], 1, [rows(0, 0, 0, 0)]],
    [
      'a WITH',
      [query('WITH w AS (SELECT 3 AS id) DELETE FROM orgs USING w WHERE orgs.id = w.id')],
      1,
      [rows(1, 2, 3, 1)],
    ],
    [
      'a pipeline',
      [Buffer.concat([run('DELETE FROM orgs WHERE id = $1', ['4']), sync])],
      1,
      [rows(1, 2, 3, 1)],
    ],
    [
      'what was prepared',
      [
        Buffer.concat([parse('DELETE FROM orgs WHERE id = $1 RETURNING *', 'd'), sync]),
        Buffer.concat([runPrepared('d', ['5']), runPrepared('d', ['6']), sync]),
      ],
      2,
      [rows(1, 2, 3, 1), rows(1, 2, 3, 1)],
    ],
    [
      'a string of several',
      [query('DELETE FROM orgs WHERE id = 7; SELECT 1; DELETE FROM orgs WHERE id = 8')],
      1,
      [rows(1, 2, 3, 1), rows(1, 2, 3, 1)],
    ],
  ])('%s', async (_, messages, readies, expected) => {
    const { text, lines } = await recorded((client) => {
      client.send(...messages);
      return client.untilReady(readies);
    });
    expect(lines.map((line) => line.rows)).toEqual(expected);
    expect(lines[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      user: 'postgres',
      database: database.name,
      application: '',
      statement: expect.stringMatching(/^[0-9a-f]{16}$/),
      tables: ['public.orgs'],
      outcome: 'done',
      milliseconds: expect.any(Number),
      rows: expect.any(Array),
    });
    expect(text).not.toContain('secret');
  });

  test('a portal that is fetched in portions has one, when it has done all', async () => {
    const portions = Buffer.concat([
      parse('DELETE FROM orgs WHERE id IN (10, 11, 12) RETURNING id'),
      bind(),
      execute('', 1),
      execute('', 2),
      // Nothing is left for this one.
      execute('', 1),
      sync,
    ]);
    const { lines } = await recorded(async (client) => {
      await client.ask(
        query(
          'INSERT INTO orgs SELECT generate_series(10, 12); INSERT INTO users VALUES (201, 10), (202, 11)',
        ),
      );
      await client.ask(portions);
    });
    expect(lines.map((line) => line.rows)).toEqual([rows(3, 2, 0, 0)]);
  });

  test('a string that is sent again has a line for each of its statements, and none of the attempt that was given up', async () => {
    const { lines } = await recorded((client) =>
      client.ask(query('DELETE FROM orgs WHERE id = -1; DELETE FROM held WHERE id = 1')),
    );
    expect(lines).toMatchObject([
      { tables: ['public.orgs'], outcome: 'done' },
      { tables: ['public.held'], outcome: 'failed', sqlstate: '23503' },
    ]);
  });

  test('where nobody can count, that it happened', async () => {
    const { lines } = await recorded((client) =>
      client.ask(query('WITH gone AS (DELETE FROM orgs WHERE id = -1 RETURNING id) SELECT * FROM gone')),
    );
    expect(lines).toMatchObject([{ tables: ['public.orgs'], outcome: 'done', rows: null }]);
  });
});

test('statements that differ in their values alone have one fingerprint', async () => {
  const { lines } = await recorded(async (client) => {
    for (const where of ['id = -1', 'id = -2', "name = 'x'", 'id NOT /* a */ IN (SELECT id FROM orgs)'])
      await client.ask(query(`DELETE FROM orgs WHERE ${where}`));
  });
  const [one, same, other, commented] = lines.map(({ statement }) => statement);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
  expect(commented).toMatch(/^[0-9a-f]{16}$/);
});

test('a cascade that fails has a line with its SQLSTATE, one for all its attempts', async () => {
  const { lines } = await recorded(async (client) => {
    await client.ask(query('DELETE FROM held WHERE id = 1'));
    await client.ask(query('DELETE FROM orgs WHERE 1/0 = 1'));
  });
  expect(lines).toMatchObject([
    { tables: ['public.held'], outcome: 'failed', sqlstate: '23503' },
    { tables: ['public.orgs'], outcome: 'failed', sqlstate: '22012' },
  ]);
});

test('what does not cascade has no line', async () => {
  const { lines } = await recorded((client) =>
    client.ask(query('SELECT 1; DELETE FROM posts WHERE id = -1')),
  );
  expect(lines).toEqual([]);
});

describe('on a full disk', () => {
  const full = async (required: boolean, before: readonly Buffer[] = []) => {
    const proxy = await startProxy({
      audit: { path: '/dev/full', required },
      admin: { listen: '127.0.0.1:0' },
    });
    onTestFinished(() => proxy.stop());
    const client = await RawClient.login(proxy, { database: database.name });
    if (before.length > 0) await client.ask(Buffer.concat(before));
    const first = readable(await client.ask(query('DELETE FROM orgs WHERE id = -1')));
    const metrics = async () => (await fetch(`http://${proxy.app.admin}/metrics`)).text();
    return { proxy, client, first, metrics };
  };

  test('cascades go on, the log says it once, and the metrics have it', async () => {
    const { proxy, client, first, metrics } = await full(false);
    await until('the failure is known', () => proxy.log.length > 0);
    const second = readable(await client.ask(query('DELETE FROM orgs WHERE id = -1')));
    expect([first, second].flat().filter((line) => line.includes('DELETE 0'))).toHaveLength(2);
    expect(proxy.log.filter((line) => line.includes('audit.path cannot be written'))).toHaveLength(1);
    expect(await metrics()).toContain('pgcascade_audit_failures_total 1');
  });

  test.each([
    [
      'prepared by name',
      [parse('DELETE FROM orgs WHERE id = $1', 'd'), sync],
      [runPrepared('d', ['9']), sync],
    ],
    ['prepared in SQL', [query('PREPARE d AS DELETE FROM orgs WHERE id = $1')], [query('EXECUTE d(9)')]],
    ['in a string', [], [query('SELECT 1; DELETE FROM orgs WHERE id = 9')]],
    [
      'in a batch',
      [],
      [run('DELETE FROM orgs WHERE id = $1', ['9']), run('DELETE FROM orgs WHERE id = $1', ['-1']), sync],
    ],
  ])('with audit.required what was %s is refused too', async (_, before, executed) => {
    const { client, proxy } = await full(true, before);
    await until('the failure is known', () => proxy.log.some((line) => line.includes('cannot be written')));
    const answers = readable(await client.ask(Buffer.concat(executed)));
    expect(answers.join()).toContain('PGC_AUDIT');
    expect(readable(await client.ask(query('SELECT count(*) FROM orgs WHERE id = 9'))).join()).toContain('1');
  });

  test('with audit.required a cascade is refused before it is sent, and all else goes on', async () => {
    const { client, proxy } = await full(true);
    await until('the failure is known', () => proxy.log.some((line) => line.includes('cannot be written')));
    const [refused, passed, left] = [
      readable(await client.ask(query('DELETE FROM orgs WHERE id = 9'))),
      readable(await client.ask(query('SELECT 1'))),
      readable(await client.ask(query('SELECT count(*) FROM orgs WHERE id = 9'))),
    ];
    expect(refused.join()).toContain('58030');
    expect(refused.join()).toContain('PGC_AUDIT');
    expect(passed.join()).toContain('SELECT 1');
    expect(left.join()).toContain('1');
  });
});
