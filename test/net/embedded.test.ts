/** What applications get from the embedded database, through node-postgres, psql and pgbench. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeProgram } from '../support/programs.js';
import { EmbeddedServer, kill } from './embedded-harness.js';

const exec = promisify(execFile);
let server: EmbeddedServer;
beforeAll(async () => {
  server = await EmbeddedServer.start();
});
afterAll(() => server.stop());

async function onlyRow(sql: string): Promise<unknown[]> {
  const client = await server.client();
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  await client.end();
  return rows[0] ?? [];
}

describe('the embedded database', () => {
  test('takes any user and database, and is PostgreSQL 18', async () => {
    const client = await server.client({ user: 'nobody in particular', database: 'whatever' });
    expect((await client.query('SHOW server_version_num')).rows[0].server_version_num).toMatch(/^18/);
    await client.end();
  });

  test('answers deep recursion with an error, and goes on', async () => {
    const client = await server.client();
    const deep = (terms: number) => client.query(`SELECT ${'1+'.repeat(terms)}1 AS n WHERE $1`, [true]);
    expect((await deep(2000)).rows).toEqual([{ n: 2001 }]);
    await expect(deep(50_000)).rejects.toMatchObject({ code: '54001' });
    expect((await deep(1)).rows).toEqual([{ n: 2 }]);
    await client.end();
  });

  test('gives 100,000 rows', async () => {
    const client = await server.client();
    const { rows } = await client.query(`SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS i`);
    expect([rows.length, rows.at(-1).i]).toEqual([100_000, 100_000]);
    await client.end();
  });
});

describe('the sample schema', () => {
  test('has one key of each action, and enforces none', async () => {
    const [actions, enforced] = await onlyRow(
      `SELECT string_agg(DISTINCT confdeltype::text, ''), bool_or(conenforced) FROM pg_constraint WHERE contype = 'f'`,
    );
    expect([[...String(actions)].sort(), enforced]).toEqual([['a', 'c', 'd', 'n', 'r'], false]);
  });

  test('deletes organisation 1 natively, and refuses 2 and 3, were its keys enforced', async () => {
    const sample = readFileSync(new URL('../../src/net/embedded/sample.sql', import.meta.url), 'utf8');
    const client = await server.client();
    await client.query('CREATE SCHEMA twin; SET search_path = twin');
    await client.query(sample.replaceAll('NOT ENFORCED', ''));
    const count =
      'SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM audit_entries WHERE user_id IS NULL)';
    const deleted = await client.query('DELETE FROM orgs WHERE id = 1');
    const left = await client.query({ text: count, rowMode: 'array' });
    expect([deleted.rowCount, left.rows]).toEqual([1, [['9', '5']]]);
    await expect(client.query('DELETE FROM orgs WHERE id = 2')).rejects.toMatchObject({
      code: '23503',
      constraint: 'audit_entries_org_id_fkey',
    });
    await expect(client.query('DELETE FROM orgs WHERE id = 3')).rejects.toMatchObject({
      code: '23001',
      constraint: 'comments_pinned_by_fkey',
    });
    await client.query('DROP SCHEMA twin CASCADE');
    await client.end();
  });
});

describe('clients that share it', () => {
  test('never see into each other’s transactions', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => server.client()));
    await clients[0]?.query('CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)');
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < 10; i++) {
          await client.query('BEGIN');
          const { rows } = await client.query('SELECT n FROM counter');
          await client.query('UPDATE counter SET n = $1', [rows[0].n + 1]);
          await client.query(i % 5 === 4 ? 'ROLLBACK' : 'COMMIT');
        }
      }),
    );
    expect((await clients[0]?.query('SELECT n FROM counter'))?.rows).toEqual([{ n: 64 }]);
    await Promise.all(clients.map((client) => client.end()));
  });

  test('go on when one is killed in a transaction, which is rolled back', async () => {
    const [killed, waiting] = await Promise.all([server.client(), server.client()]);
    await killed.query('BEGIN');
    await killed.query('DELETE FROM comments');
    const answer = waiting.query('SELECT count(*) FROM comments');
    kill(killed);
    expect((await answer).rows).toEqual([{ count: '12' }]);
    await waiting.end();
  });

  test('go on when one is killed while it waits for its turn', async () => {
    const [first, killed, last] = await Promise.all([server.client(), server.client(), server.client()]);
    await first.query('BEGIN');
    killed.query('SELECT 1').catch(() => {});
    const answer = last.query('SELECT 2 AS n');
    kill(killed);
    await first.query('COMMIT');
    expect((await answer).rows).toEqual([{ n: 2 }]);
    await Promise.all([first.end(), last.end()]);
  });

  test('have prepared statements of the same name', async () => {
    const clients = await Promise.all([server.client(), server.client(), server.client()]);
    for (let round = 0; round < 3; round++) {
      const answers = clients.map((client, i) => client.query({ name: 'same', text: `SELECT ${i} AS n` }));
      expect((await Promise.all(answers)).map(({ rows }) => rows[0].n)).toEqual([0, 1, 2]);
    }
    await Promise.all(clients.map((client) => client.end()));
  });

  test('leave no statement behind', async () => {
    const stays = await server.client();
    const leaves = await server.client();
    await leaves.query({ name: 'left', text: 'SELECT 1' });
    kill(leaves);
    const { rows } = await stays.query('SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql');
    expect(rows).toEqual([{ count: '0' }]);
    await stays.end();
  });

  test('keep their prepared statements when another drops all of its own', async () => {
    const [keeps, drops] = await Promise.all([server.client(), server.client()]);
    const kept = { name: 'kept', text: 'SELECT 7 AS n' };
    await keeps.query(kept);
    for (const sql of ['DEALLOCATE ALL', 'DISCARD ALL']) {
      await drops.query(sql);
      expect((await keeps.query(kept)).rows).toEqual([{ n: 7 }]);
    }
    await Promise.all([keeps.end(), drops.end()]);
  });

  test('keep their settings apart', async () => {
    const [a, b] = await Promise.all([server.client({ application_name: 'A' }), server.client()]);
    await a.query(`CREATE ROLE auditor; SET search_path = "é", "a'b\\"`);
    await a.query(`SET app.tenant = 'seven'; SET ROLE auditor; SET work_mem = '7MB'`);
    const shown = `SELECT concat_ws(' ', current_setting('application_name'), current_setting('search_path'),
                          current_setting('app.tenant', true), current_user, current_setting('work_mem')) AS it`;
    expect((await b.query(shown)).rows).toEqual([{ it: ' "$user", public  postgres 4MB' }]);
    expect((await a.query(shown)).rows).toEqual([{ it: `A "é", "a'b\\" seven auditor 7MB` }]);
    expect((await b.query(shown)).rows).toEqual([{ it: ' "$user", public  postgres 4MB' }]);
    await b.query('DROP ROLE auditor');
    await b.query(
      `DO $$BEGIN PERFORM set_config('app.tenant', 'inner', false); END$$; SET SESSION "app" . "region" = 'west'`,
    );
    // One that another client has set is there, and empty.
    const own = `SELECT concat_ws(' ', current_setting('app.tenant', true), current_setting('app.region', true)) AS it`;
    const other = await server.client();
    expect((await other.query(own)).rows).toEqual([{ it: ' ' }]);
    expect((await b.query(own)).rows).toEqual([{ it: 'inner west' }]);
    await other.end();
    // Rather than go on as the superuser.
    await expect(a.query(shown)).rejects.toMatchObject({ severity: 'FATAL' });
    await b.end();
  });

  test('get the settings they ask for at startup', async () => {
    const client = await server.client({
      application_name: `it's`,
      options: '-c search_path="a\\ b",public --statement-timeout=7s -cTimeZone=Asia/Tokyo',
    });
    const { rows } = await client.query(`SELECT current_setting('application_name') AS name,
      current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout,
      current_setting('TimeZone') AS zone`);
    expect(rows).toEqual([{ name: `it's`, path: '"a b",public', timeout: '7s', zone: 'Asia/Tokyo' }]);
    await client.end();
  });

  test('are refused settings that there are not, or that would crash it', async () => {
    await expect(server.client({ options: '-c nonsense=1' })).rejects.toMatchObject({
      code: '42704',
      severity: 'FATAL',
    });
    await expect(server.client({ options: '--what' })).rejects.toMatchObject({
      code: '42601',
      severity: 'FATAL',
    });
    const client = await server.client();
    await expect(client.query(`SET client_encoding = 'LATIN1'`)).rejects.toMatchObject({ code: '0A000' });
    expect((await client.query(`SELECT 'é' AS it`)).rows).toEqual([{ it: 'é' }]);
    await client.end();
  });

  test('are notified, if they listen', async () => {
    const [listens, notifies] = await Promise.all([server.client(), server.client()]);
    await listens.query('LISTEN news');
    const heard = new Promise((resolve) => listens.on('notification', resolve));
    await notifies.query(`NOTIFY news, 'hello'`);
    expect(await heard).toMatchObject({ channel: 'news', payload: 'hello' });
    await Promise.all([listens.end(), notifies.end()]);
  });
});

describeProgram('psql', () => {
  test('copies in and out', async () => {
    const copy =
      'CREATE TABLE copied (a int, b text);\nCOPY copied FROM STDIN;\n1\tone\n2\ttwo\n\\.\nTABLE copied;\nCOPY copied TO STDOUT;\n';
    const psql = exec('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1'], { env: server.environment });
    psql.child.stdin?.end(copy);
    expect((await psql).stdout).toBe('1|one\n2|two\n1\tone\n2\ttwo\n');
  });
});

describeProgram('pgbench', () => {
  test('fills its tables, and four clients of each mode read them', async () => {
    const options = { env: server.environment };
    await exec('pgbench', ['-i', '-q'], options);
    for (const mode of ['simple', 'extended', 'prepared']) {
      const { stdout } = await exec('pgbench', ['-n', '-S', '-c', '4', '-t', '25', '-M', mode], options);
      expect(stdout).toContain('transactions actually processed: 100/100');
    }
    // A thread each: pgbench prepares while it blocks, and would wait for a transaction that it has open itself.
    const { stdout } = await exec(
      'pgbench',
      ['-n', '-c', '4', '-j', '4', '-t', '10', '-M', 'prepared'],
      options,
    );
    expect(stdout).toContain('transactions actually processed: 40/40');
  });
});
