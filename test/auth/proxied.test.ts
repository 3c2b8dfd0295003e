/** A login that the proxy makes out itself, on a real server: who gets in, and what everybody else is told. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();
const UPSTREAMS = {
  clear: () => `postgres://127.0.0.1:${sample.server.port}?sslmode=disable`,
  tls: () => `postgres://127.0.0.1:${sample.server.port}?sslmode=require`,
  unix: () => `postgres://?host=${encodeURIComponent(sample.server.socketDir)}&port=${sample.server.port}`,
};
type Way = keyof typeof UPSTREAMS;
const proxies = new Map<string, RunningProxy>();

beforeAll(async () => {
  for (const [way, upstream] of Object.entries(UPSTREAMS))
    proxies.set(
      way as Way,
      await startProxy({
        upstream: upstream(),
        auth: { mode: 'proxy', users: sample.users },
        log: { level: 'debug' },
      }),
    );
});
afterAll(() => Promise.all([...proxies.values()].map((proxy) => proxy.stop())));

function through(way: string): RunningProxy {
  const proxy = proxies.get(way);
  if (!proxy) throw new Error('the proxies are started in beforeAll');
  return proxy;
}

/** Who a client is after its login, or what it is told. */
async function logIn(way: string, user: string, password: string, database = 'postgres'): Promise<string> {
  const { host, port } = through(way);
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('SELECT current_user AS name');
    return `is ${rows[0]?.name}`;
  } catch (error) {
    const { code, message } = error as pg.DatabaseError;
    return `${code} ${message}`;
  } finally {
    await client.end().catch(() => {});
  }
}

test.each([
  ['clear', 'kept'],
  ['tls', 'kept'],
  ['unix', 'kept'],
  ['clear', 'plain'],
  ['tls', 'plain'],
  ['clear', 'md5'],
  ['tls', 'md5'],
  ['tls', 'cleartext'],
  ['unix', 'cleartext'],
  ['clear', 'trusted'],
  ['clear', 'unicode'],
] as const)('over %s, %s logs in with its password, and with no other', async (way, user) => {
  expect(await logIn(way, user, passwordOf(user))).toBe(`is ${user}`);
  expect(await logIn(way, user, 'wrong')).toBe(`28P01 password authentication failed for user "${user}"`);
});

const REFUSED = (user: string, reason: RegExp) =>
  expect.stringMatching(
    new RegExp(`^08004 could not log in to the upstream server .* as user "${user}": ${reason.source}`),
  );

test.each([
  ['clear', 'resalted', REFUSED('resalted', /its SCRAM secret of this user is another/)],
  ['clear', 'stale', REFUSED('stale', /its SCRAM secret of this user is another/)],
  ['clear', 'outdated', REFUSED('outdated', /it does not take the password of auth.users/)],
  ['clear', 'cleartext', REFUSED('cleartext', /it asks for a password in clear text on a connection/)],
  ['clear', 'rejected', expect.stringMatching(/^28000 pg_hba.conf rejects connection/)],
] as const)('over %s, %s has the right password, and is told why the server does not let it in', async (...row) => {
  const [way, user, told] = row;
  expect(await logIn(way, user, passwordOf(user))).toEqual(told);
});

test('a SCRAM secret is no answer to a server that asks for an MD5 password', async () => {
  expect(await logIn('clear', 'md5_secret', 'PLAIN')).toEqual(
    REFUSED('md5_secret', /it asks for an MD5 password, and auth.users has a SCRAM secret only/),
  );
});

test.each([
  'nobody',
  'postgres',
  'Kept',
  'kept ',
])('user %j, whom the file does not have, is told what one with a wrong password is told', async (user) => {
  expect(await logIn('clear', user, 'wrong')).toBe(`28P01 password authentication failed for user "${user}"`);
});

test('what the server says after its login is said by itself: a database that is not there', async () => {
  expect(await logIn('clear', 'kept', 'KEPT', 'nowhere')).toBe('3D000 database "nowhere" does not exist');
});

test('a client that does not prove who it is costs the database no connection', async () => {
  const count = () =>
    sample.query('SELECT sum(sessions)::int AS n FROM pg_stat_database').then(({ rows }) => rows[0].n);
  const connected = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'`;
  const before = await count();
  for (const user of ['kept', 'plain', 'nobody']) await logIn('clear', user, 'wrong');
  expect(await count()).toBe(before);
  expect((await sample.query(connected)).rows[0].n).toBe(1);
});

test('a session after such a login cascades', async () => {
  await sample.query(`CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
    INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1), (2);
    GRANT ALL ON parent, child TO kept`);
  const { host, port } = through('clear');
  const client = new pg.Client({ host, port, user: 'kept', password: 'KEPT', database: 'postgres' });
  await client.connect();
  expect((await client.query('DELETE FROM parent WHERE id = $1', [1])).rowCount).toBe(1);
  expect((await client.query('SELECT id FROM child')).rows).toEqual([{ id: 2 }]);
  await client.end();
});

test('users that are read again count for the next login, and a file that cannot be used changes nothing', async () => {
  const users = join(workspace(), 'users');
  writeFileSync(users, '"plain" "PLAIN"\n', { mode: 0o600 });
  const proxy = await startProxy({ upstream: UPSTREAMS.clear(), auth: { mode: 'proxy', users } });
  onTestFinished(() => proxy.stop());
  proxies.set('other', proxy);
  expect(await logIn('other', 'plain', 'PLAIN')).toBe('is plain');
  expect(await logIn('other', 'trusted', 'TRUSTED')).toMatch(/^28P01/);
  writeFileSync(users, 'broken');
  expect(await proxy.app.reload()).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(/users:1: is not of the form/),
  });
  expect(await logIn('other', 'plain', 'PLAIN')).toBe('is plain');
  writeFileSync(users, '"trusted" "TRUSTED"');
  expect(await proxy.app.reload()).toMatchObject({ kind: 'applied' });
  expect(await logIn('other', 'plain', 'PLAIN')).toMatch(/^28P01/);
  expect(await logIn('other', 'trusted', 'TRUSTED')).toBe('is trusted');
});

test('no password, proof or secret is in the log, at any level', () => {
  const log = [...proxies.values()].flatMap((proxy) => proxy.log).join('\n');
  expect(log).toMatch(/PGC_UPSTREAM_LOGIN/);
  expect(log).toMatch(/PGC_PASSWORD/);
  expect(log).not.toMatch(/SCRAM-SHA-256\$|KEPT|PLAIN|OUTDATED|wrong/);
});
