/** docs/sessions.md: what psql shows of the same DELETE, through pgcascade, on several databases. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { DUCKDB_PACKAGE, startDuckDb } from '../engines/duckdb.js';
import { H2_LOGIN, missingH2, startH2 } from '../engines/h2.js';
import { missing } from '../engines/packages.js';
import type { Engine } from '../engines/promises.js';
import { NOT_INSTALLED, packagedServer } from '../servers/older.js';
import { startPostgres, type TcpAddress } from '../support/postgres.js';
import { describeMissing, isInstalled } from '../support/programs.js';
import { startProxy } from '../support/proxy.js';
import { createDatabaseOn } from '../support/scratch-database.js';
import { expectSection } from './documents.js';

const DOCUMENT = 'docs/sessions.md';
const TABLES = [
  'CREATE TABLE orgs (id int PRIMARY KEY, name varchar(20))',
  'CREATE TABLE users (id int PRIMARY KEY, org_id int)',
  'CREATE TABLE notes (id int PRIMARY KEY, author_id int)',
  'CREATE TABLE bills (id int PRIMARY KEY, payer_id int)',
  "INSERT INTO orgs VALUES (1, 'one'), (2, 'two')",
  'INSERT INTO users VALUES (10, 1), (11, 1), (20, 2)',
  'INSERT INTO notes VALUES (100, 10), (101, 11), (200, 20)',
  'INSERT INTO bills VALUES (1000, 20)',
];
const RELATIONS = [
  { name: 'users_org', from: 'users(org_id)', to: 'orgs(id)', on_delete: 'cascade' },
  { name: 'notes_author', from: 'notes(author_id)', to: 'users(id)', on_delete: 'set null' },
  { name: 'bills_payer', from: 'bills(payer_id)', to: 'users(id)', on_delete: 'restrict' },
] as const;
const ASKED = [
  'DELETE FROM orgs WHERE id = 1',
  'SELECT id, org_id FROM users ORDER BY id',
  'SELECT id, author_id FROM notes ORDER BY id',
  'DELETE FROM orgs WHERE id = 2',
  'SELECT id, name FROM orgs ORDER BY id',
];

test('docs/sessions.md shows the tables and the configuration of the sessions', () => {
  const inserts = [...TABLES, ''].join(';\n');
  expectSection(DOCUMENT, 'tables', `\`\`\`text\n${inserts}\`\`\``);
  const relations = RELATIONS.map(
    ({ name, from, to, on_delete }) =>
      `    - { name: ${name}, from: public.${from}, to: public.${to}, on_delete: ${on_delete} }`,
  );
  expectSection(
    DOCUMENT,
    'relations',
    ['```yaml', 'cascade:', '  relations:', ...relations, '```'].join('\n'),
  );
});

interface Recorded {
  readonly name: string;
  /** Why it is not run here; undefined: it is. */
  readonly reason: string | undefined;
  /** Starts it, with the tables in it. */
  readonly start: () => Promise<Engine>;
  readonly schema: string;
  /** The engines let in whoever comes, but H2's owner has a name. */
  readonly user: string;
}

const DEBIAN_15 = '/usr/lib/postgresql/15/bin';
const packaged15 = packagedServer(15);
const recorded: readonly Recorded[] = [
  {
    name: 'postgresql-15',
    reason: packaged15 || existsSync(`${DEBIAN_15}/postgres`) ? undefined : NOT_INSTALLED,
    start: async () => {
      const binaries = { initdb: `${DEBIAN_15}/initdb`, postgres: `${DEBIAN_15}/postgres` };
      const server = await startPostgres(packaged15 ? { packaged: packaged15 } : { binaries });
      onTestFinished(() => server.stop());
      return onServer(server);
    },
    schema: 'public',
    user: 'postgres',
  },
  {
    name: 'postgresql-18',
    reason: undefined,
    start: () => onServer(inject('postgres')),
    schema: 'public',
    user: 'postgres',
  },
  {
    name: 'h2',
    reason: missingH2(),
    start: async () => {
      const server = await startH2();
      const owner = new pg.Client({ ...H2_LOGIN, host: server.host, port: server.port });
      await owner.connect();
      for (const sql of TABLES) await owner.query(sql);
      await owner.end();
      return server;
    },
    schema: 'public',
    user: H2_LOGIN.user,
  },
  {
    name: 'duckdb',
    reason: missing(DUCKDB_PACKAGE),
    start: () => startDuckDb(TABLES),
    schema: 'main',
    user: 'anyone',
  },
];

async function onServer(server: TcpAddress): Promise<Engine> {
  const database = await createDatabaseOn(server);
  const owner = await database.connect();
  for (const sql of TABLES) await owner.query(sql);
  return { host: server.host, port: server.port, database: database.name, close: () => database.drop() };
}

for (const { name, reason, start, schema, user } of recorded) {
  const why = reason ?? (isInstalled('psql') ? undefined : 'psql is not installed');
  if (why !== undefined) describeMissing(name, why);
  else
    describe(name, () => {
      test('docs/sessions.md has what psql shows', async () => {
        const engine = await start();
        onTestFinished(() => engine.close());
        const proxy = await startProxy({
          upstream: `postgres://${engine.host}:${engine.port}`,
          cascade: {
            relations: RELATIONS.map(({ from, to, ...rest }) => ({
              ...rest,
              from: `${schema}.${from}`,
              to: `${schema}.${to}`,
            })),
          },
        });
        onTestFinished(() => proxy.stop());
        const shown = await psql(proxy, engine.database ?? 'shop', user);
        expect(shown).toContain('foreign key constraint "bills_payer"');
        expectSection(DOCUMENT, `session-${name}`, `\`\`\`text\n${shown}\n\`\`\``);
      });
    });
}

/** All that psql writes, its errors where they come. */
async function psql(
  { host, port }: Pick<TcpAddress, 'host' | 'port'>,
  database: string,
  user: string,
): Promise<string> {
  const commands = ASKED.flatMap((sql) => ['-c', `${sql};`]);
  const { stdout } = await promisify(execFile)('sh', ['-c', 'exec psql -X -e "$@" 2>&1', 'sh', ...commands], {
    env: {
      ...process.env,
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: user,
      PGPASSWORD: H2_LOGIN.password,
      PGCLIENTENCODING: 'UTF8',
    },
  }).catch((error: { readonly stdout: string }) => error);
  return stdout.replace(/[ \t]+$/gm, '').trim();
}
