/** What Prometheus gets at /metrics, and what /sessions, /graph and /config say, of a proxy that is used. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE RESTRICT NOT ENFORCED);
  CREATE TABLE ruled (id int PRIMARY KEY);
  CREATE TABLE below (id int PRIMARY KEY, ruled_id int REFERENCES ruled ON DELETE CASCADE NOT ENFORCED);
  CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING;
  INSERT INTO orgs SELECT generate_series(1, 9); INSERT INTO users VALUES (90, 9); INSERT INTO posts VALUES (900, 90);`);

/** A proxy whose reports nobody has asked for: they are made once a second. */
async function watched(options: ProxyOptions = {}): Promise<RunningProxy> {
  const proxy = await startProxy({ admin: { listen: '127.0.0.1:0' }, ...options });
  onTestFinished(() => proxy.stop());
  return proxy;
}

function report(proxy: RunningProxy, path: string): Promise<Response> {
  return fetch(`http://${proxy.app.admin}${path}`);
}

/** The value of each line but for the process's own, by its name and labels. */
async function samples(proxy: RunningProxy): Promise<Readonly<Record<string, number>>> {
  const text = await (await report(proxy, '/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith('pgcascade_'));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice('pgcascade_'.length, end), Number(line.slice(end))];
    }),
  );
}

const login = (proxy: RunningProxy) => RawClient.login(proxy, { database: database.name });
const kinds = (passed: number, cascaded: number, refused: number, error: number) => ({
  'statements_total{kind="passed"}': passed,
  'statements_total{kind="cascaded"}': cascaded,
  'statements_total{kind="refused"}': refused,
  'statements_total{kind="error"}': error,
});

describe('/metrics', () => {
  test.each([
    ['what is passed on', [query('SELECT 1'), query('SELECT 1; SELECT 2')], 2, kinds(3, 0, 0, 0)],
    [
      'a pipeline that is passed on',
      [Buffer.concat([run('SELECT 1'), run('SELECT 2'), sync])],
      1,
      kinds(2, 0, 0, 0),
    ],
    [
      'a cascade, and statements around it in one string',
      [query('SELECT 1; DELETE FROM orgs WHERE id = 1; SELECT 2')],
      1,
      {
        ...kinds(2, 1, 0, 0),
        cascade_seconds_count: 1,
        plan_seconds_count: 1,
        catalog_read_seconds_count: 1,
      },
    ],
    [
      'what is prepared once and executed twice',
      [
        Buffer.concat([parse('DELETE FROM orgs WHERE id = $1', 'd'), sync]),
        Buffer.concat([runPrepared('d', ['2']), sync]),
        Buffer.concat([runPrepared('d', ['3']), sync]),
      ],
      3,
      { ...kinds(0, 2, 0, 0), 'cache_misses_total{cache="parsed"}': 1 },
    ],
    [
      'a broken rule: an error, found by another attempt',
      [query('DELETE FROM orgs WHERE id = 9')],
      1,
      {
        ...kinds(0, 0, 0, 1),
        'upstream_errors_total{class="23"}': 1,
        'retries_total{reason="ruleSuspected"}': 1,
      },
    ],
    [
      "an error of the server's",
      [query('SELECT 1/0'), query('DELETE FROM orgs WHERE 1/0 = 1')],
      2,
      { ...kinds(0, 0, 0, 2), 'upstream_errors_total{class="22"}': 2 },
    ],
    [
      'a statement that is refused',
      [query('DELETE FROM ruled')],
      1,
      { ...kinds(0, 0, 1, 0), 'refusals_total{error="PGC_RELATION"}': 1 },
    ],
  ])('counts %s', async (_, messages, readies, expected) => {
    const proxy = await watched();
    const client = await login(proxy);
    client.send(...messages);
    await client.untilReady(readies);
    expect(await samples(proxy)).toMatchObject(expected);
  });

  test('counts what goes on unexpanded under cascade.unsupported: pass', async () => {
    const proxy = await watched({ cascade: { unsupported: 'pass' } });
    await (await login(proxy)).ask(query('DELETE FROM ruled'));
    expect(await samples(proxy)).toMatchObject({
      ...kinds(1, 0, 0, 0),
      'unexpanded_total{error="PGC_RELATION"}': 1,
    });
  });

  test('tells how many clients are doing what, how many came, and why some got no session', async () => {
    const proxy = await watched({ limits: { connections: 3 } });
    const [, open, asking] = [await login(proxy), await login(proxy), await login(proxy)];
    await open.ask(query('BEGIN'));
    asking.send(query('SELECT pg_sleep(60)'));
    await expect(login(proxy)).rejects.toThrow();
    expect(await samples(proxy)).toMatchObject({
      'sessions{state="idle"}': 1,
      'sessions{state="transaction"}': 1,
      'sessions{state="active"}': 1,
      'sessions{state="login"}': 0,
      'login_failures_total{reason="PGC_CONNECTIONS"}': 1,
      connections_total: 4,
    });
  });

  test('tells that the server has refused a login', async () => {
    const proxy = await watched();
    await expect(RawClient.login(proxy, { database: 'nowhere' })).rejects.toThrow();
    expect(await samples(proxy)).toMatchObject({ 'login_failures_total{reason="server"}': 1 });
  });

  test('tells what graphs, caches and bytes there are, and which program it is', async () => {
    const proxy = await watched();
    const client = await login(proxy);
    for (const id of [4, 4]) await client.ask(query(`DELETE FROM orgs WHERE id = ${id}`));
    const found = await samples(proxy);
    const [graph] = Object.keys(found).filter((name) => name.startsWith('graph_keys'));
    expect(graph).toMatch(new RegExp(`database="127.0.0.1:\\d+/${database.name}"`));
    expect(found).toMatchObject({
      [graph ?? '']: 3,
      'cache_hits_total{cache="parsed"}': 1,
      'cache_hits_total{cache="rewritten"}': 1,
      'cache_misses_total{cache="rewritten"}': 1,
      [`build_info{version="0.1.0",node="${process.version}"}`]: 1,
    });
    expect(found['bytes_total{direction="from_client"}']).toBeGreaterThan(80);
    expect(found['bytes_total{direction="to_client"}']).toBeGreaterThan(80);
  });
});

describe('the reports', () => {
  test('of sessions says who they are and what they do, and nothing of what they say', async () => {
    const proxy = await watched();
    await (await login(proxy)).ask(query("SELECT 'my secret'"));
    const text = await (await report(proxy, '/sessions')).text();
    expect(JSON.parse(text)).toEqual({
      sessions: [
        {
          client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          user: 'postgres',
          database: database.name,
          application: '',
          since: expect.stringMatching(/^\d{4}-.*Z$/),
          state: 'idle',
        },
      ],
    });
    expect(text).not.toContain('secret');
  });

  test('of the graph says each key, and who performs it', async () => {
    const proxy = await watched();
    await (await login(proxy)).ask(query('DELETE FROM orgs WHERE id = 5'));
    const { databases } = (await (await report(proxy, '/graph')).json()) as {
      databases: { keys: object[] }[];
    };
    expect(databases).toHaveLength(1);
    expect(databases[0]?.keys[0]).toEqual({
      name: 'users_org_id_fkey',
      from: 'public.users',
      to: 'public.orgs',
      columns: [['org_id', 'id']],
      on_delete: 'cascade',
      performed_by: 'proxy',
      declared: true,
    });
  });

  test('of the configuration has no password in it', async () => {
    const url = 'postgres://me:my-secret@127.0.0.1:1/shop?sslmode=disable';
    const proxy = await watched({ graph: { url } });
    const text = await (await report(proxy, '/config')).text();
    expect(JSON.parse(text)).toMatchObject({ graph: { url: { user: 'me', password: '(set)' } } });
    expect(text).not.toContain('my-secret');
  });
});
