/** The README's cascade in front of a PostgreSQL that takes nothing but TLS and SCRAM, by each client, who makes sure of the proxy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { describeMissing } from '../support/programs.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { connectionString } from './connection-strings.js';
import { isThere, logIns } from './programs.js';
import { CLIENTS } from './rows.js';

const ORG = 'CREATE TABLE orgs  (id int PRIMARY KEY)';
const USERS =
  'CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED)';
const PASSWORD = 'Correct-Horse';

let folder: TlsFolder;
let server: Server;
let proxy: RunningProxy;
let owner: pg.Client;
const home = mkdtempSync(join(tmpdir(), 'pgcascade-home-'));

beforeAll(async () => {
  folder = await createTlsFolder();
  server = await startPostgres({
    auth: 'scram',
    config: { ssl: 'on' },
    files: {
      'server.crt': folder.read('server.crt'),
      'server.key': folder.read('server.key'),
      'pg_hba.conf': 'hostssl all all all scram-sha-256\n',
    },
  });
  owner = new pg.Client({ connectionString: server.url('postgres'), ssl: { ca: folder.authority.cert } });
  await owner.connect();
  await owner.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'; ${ORG}; ${USERS};
    GRANT ALL ON orgs, users TO app;
    INSERT INTO orgs SELECT generate_series(1, 9); INSERT INTO users SELECT n, n % 9 + 1 FROM generate_series(1, 90) AS n`);
  const { rows } = await owner.query(`SELECT rolpassword FROM pg_authid WHERE rolname = 'app'`);
  proxy = await startProxy({
    upstream: `postgres://localhost:${server.port}?sslmode=verify-full&sslrootcert=${folder.rootPath}`,
    tls: { mode: 'require', ...folder.files },
    auth: { mode: 'proxy', users: folder.put('users', `"app" "${rows[0]?.rolpassword}"\n`) },
  });
});
afterAll(async () => {
  await proxy?.stop();
  await owner?.end();
  await server?.stop('immediate');
  folder?.remove();
  rmSync(home, { recursive: true });
});

describe.each(CLIENTS.map((client, i) => [client, i + 1] as const))('%s', (client, org) => {
  if (!isThere(client)) return describeMissing(client, 'it is not installed');

  test('deletes an org and its users, with sslmode=verify-full', async () => {
    const connection = connectionString(
      client,
      {
        ...{ port: proxy.port, user: 'app', database: 'postgres', password: PASSWORD },
        ...{ sslmode: 'verify-full', root: folder.rootPath, certificate: undefined },
      },
      true,
    );
    const statement = `DELETE FROM orgs WHERE id = ${org} RETURNING id`;
    const [answer] = await logIns(client, [{ connection, wantsBinding: true }], home, statement);
    expect(answer).toMatch(new RegExp(`^connects ${org} [t?]$`));
    const { rows } = await owner.query(
      `SELECT count(*)::int AS all, count(*) FILTER (WHERE org_id = ${org})::int AS left FROM users`,
    );
    expect(rows).toEqual([{ all: 90 - 10 * org, left: 0 }]);
  });
});
