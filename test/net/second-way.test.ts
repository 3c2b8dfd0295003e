/** What libpq tries a second time where the server refuses a login: prefer in clear, and allow over TLS. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { createAuthority } from '../support/certificates.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { isInstalled } from '../support/programs.js';
import { startProxy } from '../support/proxy.js';

const HBA = `
hostssl all only_tls all trust
hostnossl all only_clear all trust
host all either all trust
`;
let server: Server;
beforeAll(async () => {
  const authority = await createAuthority('tests');
  const certificate = await authority.server([{ type: 'dns', value: 'localhost' }]);
  server = await startPostgres({
    config: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    files: {
      'server.crt': certificate.cert,
      'server.key': certificate.key,
      'pg_hba.conf': `local all all trust\n${HBA}`,
    },
  });
  const owner = new pg.Client({
    host: server.socketDir,
    port: server.port,
    user: server.user,
    database: 'postgres',
  });
  await owner.connect();
  for (const role of ['only_tls', 'only_clear', 'either', 'neither'])
    await owner.query(`CREATE ROLE ${role} LOGIN SUPERUSER`);
  await owner.end();
});
afterAll(() => server?.stop('immediate'));

const WHETHER = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
type Refusal = Pick<pg.DatabaseError, 'code' | 'message' | 'hint'>;

/** How a login of this user ends behind a proxy. */
async function behind(sslmode: string, user: string): Promise<string | Refusal> {
  const proxy = await startProxy({ upstream: `postgres://localhost:${server.port}?sslmode=${sslmode}` });
  onTestFinished(() => proxy.stop());
  const client = new pg.Client({ host: proxy.host, port: proxy.port, user, database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(WHETHER);
    return rows[0].ssl ? 'encrypted' : 'in clear';
  } catch (error) {
    const { code, message, hint } = error as pg.DatabaseError;
    return { code, message, hint };
  } finally {
    await client.end().catch(() => {});
  }
}

/** The same of libpq. */
async function byPsql(sslmode: string, user: string): Promise<string> {
  const target = `host=localhost port=${server.port} dbname=postgres user=${user} sslmode=${sslmode}`;
  return promisify(execFile)('psql', ['-XAtc', WHETHER, target]).then(
    ({ stdout }) => (stdout.trim() === 't' ? 'encrypted' : 'in clear'),
    ({ stderr }) => String(stderr).trim().split('\n').at(-1) ?? '',
  );
}

describe.each([
  ['disable', 'only_tls', 'no encryption'],
  ['disable', 'only_clear', 'in clear'],
  ['allow', 'only_tls', 'encrypted'],
  ['allow', 'only_clear', 'in clear'],
  ['allow', 'either', 'in clear'],
  ['allow', 'neither', 'SSL encryption'],
  ['prefer', 'only_tls', 'encrypted'],
  ['prefer', 'only_clear', 'in clear'],
  ['prefer', 'either', 'encrypted'],
  ['prefer', 'neither', 'no encryption'],
  ['require', 'only_tls', 'encrypted'],
  ['require', 'only_clear', 'SSL encryption'],
])('with sslmode=%s a user of %s', (sslmode, user, expected) => {
  const isRefused = /encryption$/.test(expected);

  test('is logged in as libpq would be, or refused in the server’s words', async () => {
    const answer = await behind(sslmode, user);
    const refusal = {
      code: '28000',
      message: expect.stringMatching(new RegExp(`^no pg_hba.conf entry .* ${expected}$`)),
    };
    expect(answer).toEqual(isRefused ? expect.objectContaining(refusal) : expected);
  });

  test.runIf(isInstalled('psql'))('is the same to psql', async () => {
    expect(await byPsql(sslmode, user)).toMatch(new RegExp(`${expected}$`));
  });
});

test.each([
  ['disable', 'only_tls', /sslmode=disable.*sslmode=require/],
  ['allow', 'neither', undefined],
  ['require', 'only_clear', undefined],
])('a refusal has a hint where sslmode is what forbids TLS: %s', async (sslmode, user, hint) => {
  const refusal = await behind(sslmode, user);
  expect(refusal).toMatchObject({ hint: hint ? expect.stringMatching(hint) : undefined });
});

test.each([
  ['allow', 'only_tls'],
  ['prefer', 'only_clear'],
  ['prefer', 'either'],
])('graph.url goes the same way: %s, %s', async (sslmode, user) => {
  const url = parseGraphUrl(`postgres://${user}@localhost:${server.port}/postgres?sslmode=${sslmode}`);
  await expect(install(url)).resolves.toHaveProperty('changed');
});
