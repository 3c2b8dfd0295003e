/** A server that is no PostgreSQL, or too old, is recognised before its catalog is asked for. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { parse, query, run, sync } from '../support/frontend-messages.js';
import { type OtherServerOptions, startOtherServer } from '../support/other-server.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const VERSION = 'SELECT pg_catalog.version()';
const relations = [
  { name: 'fk', from: 'shop.items(order_id)', to: 'shop.orders(id)', on_delete: 'cascade' as const },
];

async function start(
  options: OtherServerOptions,
  cascade: ProxyOptions['cascade'] = { relations, strategy: 'single' },
) {
  const server = await startOtherServer(options);
  const proxy = await startProxy({ upstream: server.url, cascade });
  onTestFinished(() => proxy.stop());
  return { server, proxy, connect: () => RawClient.login(proxy, { database: 'shop' }) };
}

const PLAIN: OtherServerOptions = { parameters: { server_version: '14.0', client_encoding: 'UTF8' } };
const reporting = (parameters: Record<string, string>): OtherServerOptions => ({
  parameters: { client_encoding: 'UTF8', ...parameters },
});
const saying = (version: string): OtherServerOptions => ({ ...PLAIN, knows: { [VERSION]: version } });

describe('a server is recognised', () => {
  test.each<readonly [string, OtherServerOptions, string]>([
    ['by a syntax error', PLAIN, 'pg_catalog.version()'],
    [
      'by what it calls itself',
      saying('CockroachDB CCL v23.1.2 (x86_64-pc-linux-gnu)'),
      'CockroachDB CCL v23.1.2',
    ],
    [
      'by a version() in the middle of which it is named',
      saying('PostgreSQL 13.14.0-RisingWave-2.0.1'),
      'RisingWave',
    ],
    ['by an old version()', saying('PostgreSQL 9.4.26 (Greenplum Database 6.25.3)'), 'Greenplum'],
    [
      'by a version() that only mentions PostgreSQL',
      saying('FooDB 3.1, compatible with PostgreSQL 15.2'),
      'FooDB 3.1',
    ],
    ['by an old server_version', reporting({ server_version: '8.0.2' }), 'version 8.0.2'],
    ['by no server_version', reporting({}), 'no server_version'],
    ['by a marked server_version', reporting({ server_version: '15.0 (Duckgres)' }), 'Duckgres'],
    ['by crate_version', reporting({ server_version: '14.0', crate_version: '5.9.1' }), 'CrateDB 5.9.1'],
    [
      'by crdb_version',
      reporting({ server_version: '13.0.0', crdb_version: 'CockroachDB v23' }),
      'CockroachDB v23',
    ],
  ])('%s: one error says so, and nothing is deleted', async (_, options, name) => {
    const { server, proxy, connect } = await start(options);
    for (const client of [await connect(), await connect()]) {
      const [error, ready, ...more] = await client.told(query('DELETE FROM shop.orders WHERE id = 1'));
      expect([error, ready, more]).toEqual([expect.stringContaining(name), 'Z I', []]);
      expect(error).toMatch(/C=0A000 D=pgcascade reports PGC_SERVER/);
    }
    expect(server.came.filter((text) => /^delete|pg_constraint|regclass/i.test(text))).toEqual([]);
    expect(server.came.filter((text) => text === VERSION).length).toBeLessThan(2);
    expect(proxy.log).toEqual([expect.stringContaining(name)]);
  });
});

test('a server of another version is asked again', async () => {
  const parameters = { server_version: '14.0', client_encoding: 'UTF8' };
  const knows = { [VERSION]: 'CockroachDB CCL v23.1.2' };
  const { server, connect } = await start({ parameters, knows });
  await (await connect()).told(query('DELETE FROM users'));
  parameters.server_version = '15.0';
  knows[VERSION] = 'PostgreSQL 15.0 (Materialize v0.68)';
  const client = await connect();
  expect((await client.told(query('DELETE FROM orders'))).at(0)).toContain('Materialize');
  expect(server.came.filter((text) => text === VERSION).length).toBe(2);
});

describe('on such a server', () => {
  test.each([
    'orders',
    'ORDERS',
    'shop.orders',
    '"Shop"."Orders"',
    'only shop.orders',
  ])('a DELETE from %s, which a relation may mean, is refused', async (table) => {
    const client = await (await start(PLAIN)).connect();
    expect((await client.told(query(`DELETE FROM ${table}`))).at(0)).toContain('PGC_SERVER');
  });

  test.each([
    'items',
    'other.orders',
    'users',
  ])('a DELETE from %s, which none means, passes untouched', async (table) => {
    const { server, proxy, connect } = await start(PLAIN);
    const client = await connect();
    const text = `DELETE FROM ${table} WHERE id = 1`;
    for (let i = 0; i < 3; i++) expect(await client.told(query(text))).toEqual(['C DELETE 1', 'Z I']);
    expect(server.came).toEqual([VERSION, text, text, text]);
    expect(proxy.log.length).toBe(1);
  });

  test('a DELETE in its own grammar passes where it names no table of a relation', async () => {
    const client = await (await start(PLAIN)).connect();
    expect(await client.told(query('DELETE FROM users ??? LIMIT 1'))).toEqual(['C DELETE 1', 'Z I']);
    expect((await client.told(query('DELETE FROM Orders ??? LIMIT 1'))).at(0)).toContain('PGC_SERVER');
    // Its escapes may spell the name of any table.
    const spelled = String.raw`DELETE FROM U&"\006frders" ??? LIMIT 1`;
    expect((await client.told(query(spelled))).at(0)).toContain('PGC_SERVER');
  });

  test('with overrides, which may concern any table, every DELETE is refused', async () => {
    const overrides = [{ match: 'shop.*.*', on_delete: 'cascade' as const }];
    const client = await (await start(PLAIN, { overrides })).connect();
    expect((await client.told(query('DELETE FROM users'))).at(0)).toContain('PGC_SERVER');
  });

  test('nothing passes in the extended protocol that is refused elsewhere', async () => {
    const { server, connect } = await start(PLAIN);
    const client = await connect();
    // The first question fails in the client's own pipeline: the client gets no error of a text that it has not sent.
    expect((await client.told(run('DELETE FROM orders'), sync)).at(-2)).toContain('PGC_SERVER');
    expect((await client.told(run('DELETE FROM orders'), sync)).at(-2)).toContain('PGC_SERVER');
    expect((await client.told(parse('DELETE FROM users'), sync)).at(0)).toBe('1');
    expect(server.came.filter((text) => /^delete/i.test(text))).toEqual(['DELETE FROM users']);
  });
});

describe('on PostgreSQL', () => {
  const database = useDatabase(`
    CREATE TABLE orgs (id int PRIMARY KEY);
    CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
    INSERT INTO orgs VALUES (1); INSERT INTO users VALUES (1, 1);`);

  test.each([
    [
      'a lost right',
      'REVOKE EXECUTE ON FUNCTION pg_catalog.version() FROM PUBLIC',
      'SET ROLE nobody_here',
      'C=42501',
    ],
    [
      'a lost right to the catalog',
      'REVOKE SELECT ON pg_constraint FROM PUBLIC',
      'SET ROLE nobody_here',
      'C=42501',
    ],
  ])('%s is the error of the client, and nothing is deleted', async (_, change, setting, code) => {
    const direct = await database.connect();
    await direct.query(
      `DROP ROLE IF EXISTS nobody_here; CREATE ROLE nobody_here; GRANT ALL ON orgs, users TO nobody_here; ${change}`,
    );
    const proxy = await startProxy();
    onTestFinished(() => proxy.stop());
    const client = await RawClient.login(proxy, { database: database.name });
    await client.ask(query(setting));
    expect((await client.told(query('DELETE FROM orgs'))).at(0)).toContain(code);
    expect((await direct.query('SELECT FROM orgs')).rowCount).toBe(1);
    expect(proxy.log).toEqual([]);
    await direct.query(
      `${change.replace('REVOKE', 'GRANT').replace('FROM', 'TO')}; DROP OWNED BY nobody_here; DROP ROLE nobody_here`,
    );
  });
});
