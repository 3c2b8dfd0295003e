import { describe, expect, test } from 'vitest';
import { parseUpstream } from '../../src/config/upstream.js';

test('"embedded" is the database inside', () => {
  expect(parseUpstream('embedded')).toEqual({ kind: 'embedded' });
});

describe('a URL with a host is TCP', () => {
  test.each([
    ['postgres://db', 'db', 5432, 'prefer', 'db:5432'],
    ['postgresql://db.example:6000/?sslmode=disable', 'db.example', 6000, 'disable', 'db.example:6000'],
    ['postgres://db:5432?sslmode=allow', 'db', 5432, 'allow', 'db:5432'],
    ['postgres://[::1]:5433', '::1', 5433, 'prefer', '[::1]:5433'],
    ['postgres://?host=db&port=7', 'db', 7, 'prefer', 'db:7'],
  ])('%s is read as an address of TCP', (url, host, port, sslmode, name) => {
    expect(parseUpstream(url)).toEqual({ kind: 'tcp', host, port, sslmode, name });
  });
});

test('a URL says of TLS what libpq knows', () => {
  const url =
    'postgres://db?sslmode=verify-full&sslrootcert=%2Fca.crt&sslcert=/me.crt&sslkey=/me.key&sslcrl=/crl&sslsni=0' +
    '&sslnegotiation=direct&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3';
  expect(parseUpstream(url)).toMatchObject({
    sslmode: 'verify-full',
    sslrootcert: '/ca.crt',
    sslcert: '/me.crt',
    sslkey: '/me.key',
    sslcrl: '/crl',
    sslsni: false,
    sslnegotiation: 'direct',
    ssl_min_protocol_version: 'TLSv1.2',
    ssl_max_protocol_version: 'TLSv1.3',
  });
  expect(parseUpstream('postgres://db?sslrootcert=system')).toMatchObject({ sslmode: 'verify-full' });
});

describe('a URL with a directory is a unix socket', () => {
  test.each([
    ['postgres://?host=/run/postgresql', '/run/postgresql/.s.PGSQL.5432'],
    ['postgres:///?host=/tmp/&port=5433', '/tmp/.s.PGSQL.5433'],
    ['postgres://:5433?host=%2Ftmp', '/tmp/.s.PGSQL.5433'],
    ['postgres://%2Frun%2Fpostgresql:6000', '/run/postgresql/.s.PGSQL.6000'],
  ])('%s is read as a path', (url, path) => {
    expect(parseUpstream(url)).toEqual({ kind: 'unix', path, name: path });
  });
});

test.each([
  'postgres://me@db',
  'postgres://me:secret@db',
  'postgres://db/shop',
  'postgres://db?user=me',
  'postgres://db?password=secret',
  'postgres://db?dbname=shop',
])('%s is refused: the client brings them', (url) => {
  expect(() => parseUpstream(url)).toThrow(/the client brings them/);
});

test.each([
  [
    'postgres://db?sslmode=on',
    'has sslmode "on", which is not one of disable, allow, prefer, require, verify-ca, verify-full',
  ],
  ['postgres://db?sslnegotiation=soon', 'has sslnegotiation "soon", which is not one of postgres, direct'],
  ['postgres://db?sslsni=yes', 'has sslsni "yes", which is not one of 0, 1'],
  ['postgres://db?ssl_min_protocol_version=SSLv3', 'which is not one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3'],
  [
    'postgres://db?sslrootcert=system&sslmode=require',
    'has sslmode=require, which is too weak for sslrootcert=system: use verify-full',
  ],
  [
    'postgres://db?sslnegotiation=direct',
    'has sslmode=prefer, which is too weak for sslnegotiation=direct: use require, verify-ca, verify-full',
  ],
  [
    'postgres://db?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2',
    'has TLSv1.3 as the least version of TLS, and TLSv1.2 as the highest',
  ],
  ['postgres://db?timeout=5', 'has "timeout" in its URL, which is not one of host, port, sslmode'],
  ['postgres://', 'has no host in its URL'],
  ['postgres://a,b', 'has several hosts in its URL: one is supported'],
  ['postgres://db:0', 'has port "0", which is not within 1 and 65535'],
  ['postgres://db:99999', 'has port "99999", which is not within 1 and 65535'],
  ['postgres://%zz', 'has a broken percent-encoding in its URL'],
])('%s is refused in words', (url, message) => {
  expect(() => parseUpstream(url)).toThrow(message);
});

test('a message never repeats the URL: it may have a password', () => {
  for (const url of [
    'postgres://me:se/cret@db',
    'mysql://me:secret@db',
    'postgres://me:secret@db:x',
    'secret',
  ]) {
    expect(() => parseUpstream(url)).toThrow(/^(?!.*cret)/);
  }
});
