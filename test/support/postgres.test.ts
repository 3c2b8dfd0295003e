import { existsSync, statSync } from 'node:fs';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, useDatabase } from './database.js';
import { type ServerOptions, startPostgres } from './postgres.js';

async function startServer(options?: ServerOptions) {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop('immediate'));
  return server;
}

async function ask(config: string | pg.ClientConfig, sql: string): Promise<unknown> {
  const client = new pg.Client(config);
  try {
    await client.connect();
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

describe('the shared server', () => {
  const database = useDatabase('CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1)');

  test('is PostgreSQL 18, in UTF8 and the C locale', async () => {
    expect(await ask(database.url, 'SHOW server_version')).toMatch(/^18\./);
    expect(await ask(database.url, 'SHOW server_encoding')).toBe('UTF8');
    const locale = 'SELECT datcollate FROM pg_database WHERE datname = current_database()';
    expect(await ask(database.url, locale)).toBe('C');
  });

  test('does not run as root', async () => {
    // The server itself makes sure that it runs as the owner of its data directory.
    const data = await ask(database.url, 'SHOW data_directory');
    expect(statSync(String(data)).uid).not.toBe(0);
  });

  test('accepts foreign keys that are NOT ENFORCED', async () => {
    const client = await database.connect();
    await client.query('CREATE TABLE child (parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED)');
    await client.query('INSERT INTO child VALUES (1), (2)');
    await client.query('DELETE FROM parent');
    expect(await ask(database.url, 'SELECT count(*)::int FROM child')).toBe(2);
  });

  test('answers on a unix socket too', async () => {
    const { socketDir, port, user } = inject('postgres');
    const sql = 'SELECT inet_server_addr() IS NULL';
    expect(await ask({ host: socketDir, port, user, database: database.name }, sql)).toBe(true);
  });

  test('gives every caller a database of its own, and takes it back while it is in use', async () => {
    const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
    await one.connect();
    expect(one.name).not.toBe(two.name);
    await Promise.all([one.drop(), two.drop()]);
    await expect(ask(one.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});

describe('a server of its own', () => {
  test('asks for the password when it is told to', async () => {
    const server = await startServer({ auth: 'scram', config: { work_mem: '7MB' } });
    expect(await ask(server.url('postgres'), 'SHOW work_mem')).toBe('7MB');
    const wrong = server.url('postgres').replace('correct', 'wrong');
    await expect(ask(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('leaves nothing behind when it is stopped', async () => {
    const server = await startServer();
    expect(existsSync(server.socketDir)).toBe(true);
    await server.stop();
    expect(existsSync(server.socketDir)).toBe(false);
    await expect(ask(server.url('postgres'), 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('says what it logged when it does not start', async () => {
    await expect(startServer({ config: { work_mem: 'many' } })).rejects.toThrow(/invalid value.*work_mem/);
  });
});
