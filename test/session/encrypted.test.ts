/** Sessions of clients that are connected over TLS: they are served, and their end is noticed, as in clear. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { useDatabase } from '../support/database.js';
import { bind, execute, parse, query, run, sync } from '../support/frontend-messages.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { describeProgram } from '../support/programs.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilBlockedBy, untilGone } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO users SELECT generate_series(1, 20); INSERT INTO posts SELECT n, n FROM generate_series(1, 20) AS n;`);
let folder: TlsFolder;
let proxy: RunningProxy;
beforeAll(async () => {
  folder = await createTlsFolder();
  proxy = await startProxy({ tls: { mode: 'require', ...folder.files } });
});
afterAll(async () => {
  await proxy?.stop();
  folder?.remove();
});
const login = () =>
  RawClient.login(
    { host: proxy.host, port: proxy.port, ca: folder.authority.cert },
    { database: database.name },
  );

/** A session that holds the lock of a row until the test is over, and what is seen of others. */
async function locked(id: number) {
  const [locker, watcher] = [await database.connect(), await database.connect()];
  onTestFinished(() => Promise.all([locker.end(), watcher.end()]).then(() => undefined));
  await locker.query(`BEGIN; SELECT FROM posts WHERE id = ${id} FOR UPDATE`);
  const blocker = await pidOf(locker);
  return {
    locker,
    waits: (pid: number) => untilBlockedBy(watcher, pid, blocker),
    isGone: (pid: number) => untilGone(watcher, pid),
  };
}

const ways: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['a reset', (socket) => socket.resetAndDestroy()],
  ['a close', (socket) => socket.destroy()],
  ['the end of its side, and then a close', (socket) => socket.end(() => socket.destroy())],
];

describe.each(ways)('a client that goes by %s', (_, go) => {
  test('in a cascade takes its session along, and nothing is deleted', async () => {
    const { locker, waits, isGone } = await locked(1);
    const client = await login();
    const pid = await pidOf(client);
    client.send(query('DELETE FROM users WHERE id = 1'));
    await waits(pid);
    go(client.socket);
    await isGone(pid);
    expect((await locker.query('SELECT FROM users WHERE id = 1')).rowCount).toBe(1);
  });
});

test('a client that has closed its side and still reads gets its answer', async () => {
  const { locker, waits } = await locked(2);
  const client = await login();
  client.socket.allowHalfOpen = true;
  const pid = await pidOf(client);
  client.send(query('DELETE FROM users WHERE id = 2'));
  client.socket.end();
  await waits(pid);
  await locker.query('ROLLBACK');
  const told = readable(await client.rest()).filter((each) => !each.startsWith('S client_encoding'));
  expect(told).toEqual(['C DELETE 1', 'Z I']);
});

test('a pipeline of much data there and back is answered, and a cascade after it', async () => {
  const client = await login();
  const values = [Buffer.alloc(1_000_000, 'x')];
  const echo = Buffer.concat([parse('SELECT $1::text'), bind({ values }), execute()]);
  client.send(...Array<Buffer>(20).fill(echo), run('DELETE FROM users WHERE id = 3'), sync);
  const answer = await client.untilReady();
  expect(answer.filter(({ type, body }) => type === 'D' && body.length > 1_000_000)).toHaveLength(20);
  expect(readable(answer)).toContain('C DELETE 1');
});

describeProgram('psql', () => {
  let server: Server;
  let users = '';
  beforeAll(async () => {
    const { authority } = folder;
    const certificate = await authority.server([{ type: 'ip', value: '127.0.0.1' }]);
    server = await startPostgres({
      auth: 'scram',
      config: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
      files: {
        'server.crt': certificate.cert,
        'server.key': certificate.key,
        'pg_hba.conf': 'hostssl all all all scram-sha-256\n',
      },
    });
    const owner = new pg.Client({ ...server, database: 'postgres', ssl: { ca: authority.cert } });
    await owner.connect();
    await owner.query(readFileSync(new URL('../../src/net/embedded/sample.sql', import.meta.url), 'utf8'));
    const { rows } = await owner.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [server.user]);
    await owner.end();
    users = folder.put('users', `"${server.user}" "${rows[0]?.rolpassword}"\n`);
  });
  afterAll(() => server?.stop('immediate'));

  const cascade = async (auth: 'relay' | 'proxy', channelBinding: string) => {
    const behind = await startProxy({
      upstream: `postgres://127.0.0.1:${server.port}?sslmode=verify-full&sslrootcert=${folder.rootPath}`,
      tls: { mode: 'require', ...folder.files },
      auth: auth === 'proxy' ? { mode: 'proxy', users } : { mode: 'relay' },
    });
    onTestFinished(() => behind.stop());
    const target = `host=localhost port=${behind.port} user=${server.user} dbname=postgres sslmode=verify-full sslrootcert=${folder.rootPath} channel_binding=${channelBinding}`;
    const commands = ['BEGIN', 'DELETE FROM orgs WHERE id = 1', 'SELECT count(*) FROM users', 'ROLLBACK'];
    const flags = ['-XAt', '-v', 'ON_ERROR_STOP=1', ...commands.flatMap((sql) => ['-c', sql]), target];
    const env = { ...process.env, PGPASSWORD: server.password };
    return promisify(execFile)('psql', flags, { env }).then(
      ({ stdout }) => stdout.split('\n').slice(1, 3).join(', '),
      ({ stderr }) => String(stderr),
    );
  };

  test.each([
    ['proxy', 'prefer', /^DELETE 1, 9$/],
    ['proxy', 'require', /^DELETE 1, 9$/],
    ['relay', 'disable', /^DELETE 1, 9$/],
  ] as const)('with sslmode=verify-full and SCRAM cascades on a server that takes nothing but TLS: auth.mode %s, channel_binding=%s', async (auth, channelBinding, expected) => {
    expect(await cascade(auth, channelBinding)).toMatch(expected);
  });
});
