import { describe, expect, test } from 'vitest';
import { parseUpstream } from '../../src/config/upstream.js';

function onlyHost(url: string) {
  const upstream = parseUpstream(url);
  return upstream.kind === 'servers' && upstream.hosts.length === 1 ? upstream.hosts[0] : undefined;
}

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
    const keepAlive = { enabled: true, idle: 0 };
    expect(parseUpstream(url)).toEqual({
      kind: 'servers',
      name,
      hosts: [{ kind: 'tcp', host, port, sslmode, keepAlive, name }],
      target: 'any',
      isShuffled: false,
    });
  });
});

describe('a URL with several hosts has their names', () => {
  test.each([
    ['postgres://a,b', 'a:5432,b:5432'],
    ['postgres://a:1,b,[::1]:3,%2Ftmp:4', 'a:1,b:5432,[::1]:3,/tmp/.s.PGSQL.4'],
    ['postgres://a,b:7?sslmode=require', 'a:5432,b:7'],
    ['postgres://?host=a,/tmp,::1&port=6000', 'a:6000,/tmp/.s.PGSQL.6000,[::1]:6000'],
    ['postgres://?host=a,b&port=1,2', 'a:1,b:2'],
    ['postgres://?host=a%2Cb&port=1,', 'a:1,b:5432'],
    ['postgres://a:1,b:2?port=3', 'a:3,b:3'],
  ])('%s', (url, name) => {
    const upstream = parseUpstream(url);
    expect(upstream).toMatchObject({ name });
    expect(upstream.kind === 'servers' && upstream.hosts.map((host) => host.name).join(',')).toBe(name);
  });
});

test.each([
  ['', { target: 'any', connectTimeout: undefined, isShuffled: false }],
  [
    'target_session_attrs=prefer-standby&connect_timeout=5',
    { target: 'prefer-standby', connectTimeout: 5000 },
  ],
  ['connect_timeout=1&load_balance_hosts=random', { connectTimeout: 1000, isShuffled: true }],
  ['connect_timeout=0', { connectTimeout: undefined }],
  ['connect_timeout=-1', { connectTimeout: undefined }],
  ['keepalives=0', { hosts: [{ keepAlive: { enabled: false, idle: 0 } }, {}] }],
  ['keepalives_idle=30', { hosts: [{}, { keepAlive: { enabled: true, idle: 30 } }] }],
])('a URL says how a server is chosen and kept: %s', (query, expected) => {
  expect(parseUpstream(`postgres://a,b?${query}`)).toMatchObject(expected);
});

test('a URL says of TLS what libpq knows', () => {
  const url =
    'postgres://db?sslmode=verify-full&sslrootcert=%2Fca.crt&sslcert=/me.crt&sslkey=/me.key&sslcrl=/crl&sslsni=0' +
    '&sslnegotiation=direct&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3';
  expect(onlyHost(url)).toMatchObject({
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
  expect(onlyHost('postgres://db?sslrootcert=system')).toMatchObject({ sslmode: 'verify-full' });
});

describe('a URL with a directory is a unix socket', () => {
  test.each([
    ['postgres://?host=/run/postgresql', '/run/postgresql/.s.PGSQL.5432'],
    ['postgres:///?host=/tmp/&port=5433', '/tmp/.s.PGSQL.5433'],
    ['postgres://:5433?host=%2Ftmp', '/tmp/.s.PGSQL.5433'],
    ['postgres://%2Frun%2Fpostgresql:6000', '/run/postgresql/.s.PGSQL.6000'],
  ])('%s is read as a path', (url, path) => {
    expect(onlyHost(url)).toEqual({ kind: 'unix', path, name: path });
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
  ['postgres://a,,b', 'has no host in its URL'],
  ['postgres://a:1,b:2,c?port=1,2', 'has 2 ports in its URL for 3 hosts'],
  ['postgres://a?host=a,b&port=1,2,3', 'has 3 ports in its URL for 2 hosts'],
  ['postgres://a,b:x', 'is neither "embedded" nor a URL'],
  [
    'postgres://a?target_session_attrs=master',
    'has target_session_attrs "master", which is not one of any, read-write',
  ],
  [
    'postgres://a?load_balance_hosts=yes',
    'has load_balance_hosts "yes", which is not one of disable, random',
  ],
  ['postgres://a?connect_timeout=5s', 'has connect_timeout "5s", which is not a number of seconds'],
  ['postgres://a?keepalives=yes', 'has keepalives "yes", which is not one of 0, 1'],
  ['postgres://a?tcp_user_timeout=1', 'has tcp_user_timeout in its URL, which Node.js leaves to the system'],
  ['postgres://a?keepalives_count=1', 'has keepalives_count in its URL, which Node.js leaves to the system'],
  [
    'postgres://a?keepalives_interval=1',
    'has keepalives_interval in its URL, which Node.js leaves to the system',
  ],
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
