/** A server that asks for passwords in every way, and files that know its users in every way. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { createAuthority } from '../support/certificates.js';
import { type Server, startPostgres } from '../support/postgres.js';

const HBA = `
local all cleartext password
local all all trust
host all trusted all trust
host all rejected all reject
host all md5,md5_secret all md5
host all cleartext all password
host all all all scram-sha-256
`;

/** Their password is their name in capitals, on the server. */
const USERS = [
  'kept',
  'plain',
  'trusted',
  'rejected',
  'cleartext',
  'resalted',
  'stale',
  'outdated',
  'unicode',
];
const PASSWORDS: Readonly<Record<string, string>> = { unicode: 'Ⅸ päss\u00a0wörd' };

export function passwordOf(user: string): string {
  return PASSWORDS[user] ?? user.toUpperCase();
}

export interface SampleServer {
  readonly server: Server;
  /** A file of users: SCRAM secrets of kept, resalted, stale and md5_secret, as they once were; else passwords. */
  readonly users: string;
  /** As superuser. */
  query(sql: string): Promise<pg.QueryResult>;
}

/** Gives the tests of this file one such server. */
export function useSampleServer(): SampleServer {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-auth-'));
  const users = join(folder, 'users');
  let server: Server | undefined;
  let client: pg.Client | undefined;
  const started = () => {
    if (!server || !client) throw new Error('the server is started in beforeAll');
    return { server, client };
  };
  const query = (sql: string) => started().client.query(sql);
  beforeAll(async () => {
    const authority = await createAuthority('tests');
    const certificate = await authority.server([{ type: 'dns', value: 'localhost' }]);
    server = await startPostgres({
      auth: 'scram',
      config: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
      files: { 'server.crt': certificate.cert, 'server.key': certificate.key, 'pg_hba.conf': HBA },
    });
    client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    for (const user of USERS)
      await query(`CREATE ROLE ${user} LOGIN PASSWORD ${pg.escapeLiteral(passwordOf(user))}`);
    const secrets = await scramSecrets(query, ['kept', 'resalted', 'stale', 'plain']);
    await query(`ALTER ROLE resalted PASSWORD 'RESALTED'; ALTER ROLE stale PASSWORD 'another';
      ALTER ROLE outdated PASSWORD 'another'; SET password_encryption = md5;
      CREATE ROLE md5 LOGIN PASSWORD 'MD5'; CREATE ROLE md5_secret LOGIN PASSWORD 'PLAIN'`);
    const { plain = '', ...kept } = secrets;
    const lines = {
      ...Object.fromEntries([...USERS, 'md5'].map((user) => [user, passwordOf(user)])),
      ...kept,
      md5_secret: plain,
    };
    writeFileSync(
      users,
      Object.entries(lines)
        .map(([name, secret]) => `"${name}" "${secret}"\n`)
        .join(''),
    );
    chmodSync(users, 0o600);
  });
  afterAll(async () => {
    await client?.end();
    await server?.stop('immediate');
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get server() {
      return started().server;
    },
    users,
    query,
  };
}

async function scramSecrets(
  query: SampleServer['query'],
  users: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { rows } = await query('SELECT rolname, rolpassword FROM pg_authid');
  const all = rows as readonly { readonly rolname: string; readonly rolpassword: string }[];
  return Object.fromEntries(
    all
      .filter(({ rolname }) => users.includes(rolname))
      .map(({ rolname, rolpassword }) => [rolname, rolpassword]),
  );
}
