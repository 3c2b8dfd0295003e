/** No value of a client's is in the log, at any level, nor in the record of cascades. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { terminate } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { message, RawClient, startupPacket } from '../support/raw-client.js';
import { UNLOGGED } from '../support/unlogged.js';

const database = useDatabase(`
  CREATE TABLE orgs (name text PRIMARY KEY, code text UNIQUE);
  CREATE TABLE users (name text PRIMARY KEY, org text DEFAULT '${UNLOGGED}'
    REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int PRIMARY KEY, author text DEFAULT '${UNLOGGED}'
    REFERENCES users ON DELETE SET DEFAULT NOT ENFORCED);
  CREATE TABLE bills (id int PRIMARY KEY, org text REFERENCES orgs ON DELETE RESTRICT NOT ENFORCED);
  CREATE VIEW oddly AS SELECT name, count(*) FROM orgs WHERE code <> '${UNLOGGED}' GROUP BY name;
  INSERT INTO orgs VALUES ('${UNLOGGED} 1', 'a'), ('${UNLOGGED} 2', 'b'), ('${UNLOGGED} 3', 'c');
  INSERT INTO users VALUES ('${UNLOGGED} 1', '${UNLOGGED} 1'), ('${UNLOGGED} 3', '${UNLOGGED} 3');
  INSERT INTO notes VALUES (1, '${UNLOGGED} 1');
  INSERT INTO bills VALUES (1, '${UNLOGGED} 2');
`);
const folder = mkdtempSync(join(tmpdir(), 'pgcascade-unlogged-'));
const record = join(folder, 'audit.json');
afterAll(() => rmSync(folder, { recursive: true }));

const TEXTS = [
  `DELETE FROM orgs WHERE name = '${UNLOGGED} 2'`,
  `DELETE FROM orgs WHERE name = '${UNLOGGED} 1' RETURNING *`,
  `DELETE FROM users WHERE name = '${UNLOGGED} 3'`,
  `DELETE FROM orgs WHERE nme = '${UNLOGGED}'`,
  `DELETE FROM orgs WHERE name = '${UNLOGGED}' AND`,
  `DELETE FROM orgs WHERE length(name) = '${UNLOGGED}'`,
  `DELETE FROM oddly WHERE name = '${UNLOGGED}'`,
  `WITH gone AS (DELETE FROM orgs WHERE name = '${UNLOGGED}' RETURNING *) DELETE FROM gone`,
  `PREPARE ${UNLOGGED} AS DELETE FROM orgs WHERE name = '${UNLOGGED}'`,
  `EXPLAIN ANALYZE DELETE FROM orgs WHERE name = '${UNLOGGED}'`,
  `DO $$ BEGIN DELETE FROM orgs WHERE name = '${UNLOGGED}'; END $$`,
  `INSERT INTO orgs VALUES ('${UNLOGGED} 3')`,
  `COPY orgs FROM '${UNLOGGED}'`,
  `SET pgcascade.mode = '${UNLOGGED}'`,
  `SET pgcascade.guard = '${UNLOGGED}'`,
  `SET pgcascade.${UNLOGGED} = '${UNLOGGED}'`,
  `TRUNCATE orgs; SELECT '${UNLOGGED}'`,
  `BEGIN; DELETE FROM orgs WHERE name = '${UNLOGGED} 3'; ROLLBACK; SELECT '${UNLOGGED}'::int`,
];

test('no literal, parameter, COPY data, message of an error or password', async () => {
  const proxy = await startProxy({
    log: { level: 'trace' },
    cascade: { code: 'reject' },
    audit: { path: record },
    limits: { message_bytes: '100KiB' },
  });
  onTestFinished(() => proxy.stop());
  const client = await proxy.connect(database.name);
  for (const text of TEXTS) await client.query(text).catch(() => {});
  for (const text of ['DELETE FROM orgs WHERE name = $1', 'DELETE FROM orgs WHERE code = $1::int::text'])
    await client.query(text, [`${UNLOGGED} 2`]).catch(() => {});
  await client.query(`SELECT '${UNLOGGED.repeat(20_000)}'`).catch(() => {});
  const wrong = new pg.Client({
    connectionString: proxy.url(database.name),
    user: 'nobody',
    password: UNLOGGED,
  });
  wrong.on('error', () => {});
  await wrong.connect().catch(() => {});
  for (const bytes of [message('!', Buffer.from(UNLOGGED)), message('B', Buffer.from(UNLOGGED))]) {
    const raw = await RawClient.open({ host: proxy.host, port: proxy.port });
    raw.send(startupPacket({ database: database.name }));
    await raw.until('Z');
    raw.send(bytes, terminate);
    await raw.rest();
  }
  await proxy.stop();
  expect(proxy.log.length).toBeGreaterThan(10);
  expect(proxy.log.filter((line) => line.includes(UNLOGGED))).toEqual([]);
  const lines = readFileSync(record, 'utf8').split('\n');
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => line.includes(UNLOGGED))).toEqual([]);
});

test('of every program that a test starts, what it says on standard error is looked at', () => {
  const tests = new URL('../', import.meta.url);
  // The folders in which tests stand; below that of the clients are their packages.
  const folders = readdirSync(tests, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = ['.', ...folders.map(({ name }) => name)].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, tests)).flatMap((file) =>
      file.endsWith('.ts') ? [`${folder}/${file}`] : [],
    ),
  );
  const starting = files.filter((file) =>
    /dist\/cli\.js', import\.meta\.url|cli\/main\.js/.test(readFileSync(new URL(file, tests), 'utf8')),
  );
  expect(starting).toContain('cli/start.test.ts');
  const looksAtIt = /\b(?:watched|failWhereLogged)\(/;
  expect(starting.filter((file) => !looksAtIt.test(readFileSync(new URL(file, tests), 'utf8')))).toEqual([]);
});
