import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { databaseOfVariables, parseGraphUrl } from '../../src/config/graph-url.js';
import { loadConfig } from '../../src/config/load.js';
import { workspace } from './workspace.js';

describe('a URL of one database', () => {
  test.each([
    ['postgres://me@db/shop', 'me', undefined, 'shop', 'shop on db:5432'],
    ['postgresql://me:p%40ss@db:6000/a%20b', 'me', 'p@ss', 'a b', 'a b on db:6000'],
    ['postgres://me:@[::1]/shop?sslmode=disable', 'me', '', 'shop', 'shop on [::1]:5432'],
    ['postgres://?host=/run&user=me&dbname=shop', 'me', undefined, 'shop', 'shop on /run/.s.PGSQL.5432'],
    ['postgres://me@a:1,[::1]:2/shop', 'me', undefined, 'shop', 'shop on a:1,[::1]:2'],
    ['postgres://me@%2Ftmp:7/shop?password=x', 'me', 'x', 'shop', 'shop on /tmp/.s.PGSQL.7'],
  ])('%s is read as an address, a user and a database', (url, user, password, database, name) => {
    expect(parseGraphUrl(url)).toMatchObject({ user, password, database, name });
  });
});

test('a URL says of TLS what libpq knows', () => {
  const url = 'postgres://me@db/shop?sslmode=verify-full&sslrootcert=/ca.crt';
  expect(parseGraphUrl(url).servers.hosts[0]).toMatchObject({
    sslmode: 'verify-full',
    sslrootcert: '/ca.crt',
  });
});

test.each([
  ['postgres://db/shop', 'has no user in its URL'],
  ['postgres://me@db', 'has no database in its URL'],
  ['postgres://me@/shop', 'has no host in its URL'],
  ['postgres://me@a,/shop', 'has no host in its URL'],
  ['postgres://me@a,b/shop?port=1,2,3', 'has 3 ports'],
  ['postgres://me@db/%zz', 'has a broken percent-encoding'],
  ['postgres://me@db/shop?sslmode=on', 'has sslmode "on", which is not one of'],
  ['postgres://me@db/shop?timeout=5', 'is not one of'],
  ['embedded', 'is not a URL such as'],
  ['mysql://me@db/shop', 'is not a URL such as'],
])('%s is refused in words', (url, message) => {
  expect(() => parseGraphUrl(url)).toThrow(message);
});

test('a message never repeats the URL: it may have a password', () => {
  for (const url of [
    'postgres://me:se/cret@db/x',
    'mysql://me:secret@db/x',
    'postgres://me:secret@db:x/y',
    'postgres://me:secret@db',
    'postgres://:secret@db/x',
    'postgres://db?password=secret',
    'secret',
  ]) {
    expect(() => parseGraphUrl(url)).toThrow(/^(?!.*cret)/);
  }
});

test('graph.url can stand in a file of its own', () => {
  const cwd = workspace({ secret: 'postgres://me:x@db/shop\n' });
  const env = { PGCASCADE_GRAPH_URL: `file:${join(cwd, 'secret')}` };
  expect(loadConfig({ flags: {}, env, cwd }).graph.url).toMatchObject({ password: 'x', database: 'shop' });
});

describe("libpq's variables", () => {
  test('say what the parameters of a URL say', () => {
    const env = {
      PGHOST: 'a,b',
      PGPORT: '1,2',
      PGUSER: 'me',
      PGDATABASE: 'shop',
      PGREQUIREAUTH: 'scram-sha-256',
      PGCHANNELBINDING: 'require',
      PGSSLMODE: 'verify-full',
      PGSSLNEGOTIATION: 'direct',
      PGSSLROOTCERT: '/ca.crt',
      PGSSLCERT: '/me.crt',
      PGSSLKEY: '/me.key',
      PGSSLCRL: '/revoked.crl',
      PGSSLSNI: '0',
      PGSSLMINPROTOCOLVERSION: 'TLSv1.2',
      PGSSLMAXPROTOCOLVERSION: 'TLSv1.3',
      PGTARGETSESSIONATTRS: 'read-write',
      PGCONNECT_TIMEOUT: '7',
      PGLOADBALANCEHOSTS: 'random',
    };
    expect(databaseOfVariables(env)).toEqual(
      parseGraphUrl(
        'postgres://me@a:1,b:2/shop?require_auth=scram-sha-256&channel_binding=require&sslmode=verify-full&sslnegotiation=direct&sslrootcert=/ca.crt&sslcert=/me.crt&sslkey=/me.key&sslcrl=/revoked.crl&sslsni=0&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3&target_session_attrs=read-write&connect_timeout=7&load_balance_hosts=random',
      ),
    );
  });

  test('that are empty say nothing', () => {
    expect(databaseOfVariables({ PGUSER: 'me', PGHOST: '', PGPORT: '', PGDATABASE: 'shop' })).toEqual(
      parseGraphUrl('postgres://me@localhost/shop'),
    );
    expect(databaseOfVariables({ PGUSER: 'me', PGHOST: 'db', PGDATABASE: '' })?.name).toBe('me on db:5432');
    expect(databaseOfVariables({ PGUSER: '', PGHOST: 'db', PGDATABASE: 'shop' })).toBeUndefined();
  });

  test('are refused as a URL is', () => {
    expect(() => databaseOfVariables({ PGUSER: 'me', PGHOST: 'db', PGREQUIREAUTH: 'scram' })).toThrow(
      'has require_auth "scram"',
    );
  });
});
