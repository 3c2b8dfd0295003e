/** A server with one byte a character folds capitals beyond ASCII in names that are not quoted, where its locale says so. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { message } from '../support/frontend-messages.js';
import { startPostgres } from '../support/postgres.js';
import { startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const SCHEMA = `
  CREATE TABLE "École" (id int PRIMARY KEY);
  CREATE TABLE "école" (id int PRIMARY KEY); INSERT INTO "école" VALUES (1);
  CREATE TABLE c (id int CONSTRAINT k REFERENCES "école" ON DELETE CASCADE NOT ENFORCED); INSERT INTO c VALUES (1)`;

/** @returns the folder of the locale, or undefined where this machine cannot make it */
function frenchLocale(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-locale-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  try {
    const locale = ['-i', 'fr_FR', '-f', 'ISO-8859-1', join(folder, 'fr_FR.ISO-8859-1')];
    execFileSync('localedef', locale, { stdio: 'ignore' });
    execFileSync('chmod', ['-R', 'a+rX', folder]);
    return folder;
  } catch {
    return undefined;
  }
}

test('a DELETE whose target the server may fold is refused, and any other is not', async ({ skip }) => {
  const locales = frenchLocale();
  if (locales === undefined) return skip('localedef has no fr_FR');
  const server = await startPostgres({ locales });
  onTestFinished(() => server.stop());
  const admin = new pg.Client({ connectionString: server.url('postgres') });
  await admin.connect();
  const locale = `LC_CTYPE 'fr_FR.ISO-8859-1' LC_COLLATE 'C'`;
  await admin.query(`CREATE DATABASE fr ENCODING 'LATIN1' TEMPLATE template0 ${locale}`);
  await admin.end();
  const proxy = await startProxy({ upstream: `postgres://${server.host}:${server.port}` });
  onTestFinished(() => proxy.stop());
  for (const encoding of ['LATIN1', 'UTF8', 'SQL_ASCII']) {
    const client = await RawClient.login(proxy, {
      database: 'fr',
      parameters: { client_encoding: encoding },
    });
    const bytes = encoding === 'UTF8' ? 'utf8' : 'latin1';
    const told = async (sql: string) =>
      (await client.told(message('Q', Buffer.from(`${sql}\0`, bytes)))).slice(0, -1).join();
    expect(await told(`DROP TABLE IF EXISTS "École", "école", c`)).toContain('DROP TABLE');
    expect(await told(SCHEMA)).not.toContain('E C=');
    // It deletes from "école", and the proxy would look up "École".
    expect(await told('DELETE FROM École')).toContain('PGC_ENCODING');
    expect(await told('DELETE FROM "École x"')).toContain('C=42P01');
    expect(await told('DELETE FROM école')).toBe('C DELETE 1');
    expect(await told('SELECT count(*) FROM c')).toContain('D 0');
  }
});
