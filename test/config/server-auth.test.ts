/** require_auth and channel_binding of a URL: read as libpq 18 reads them, and refused where no login could fulfil them. */
import { describe, expect, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { loadConfig } from '../../src/config/load.js';
import { parseUpstream } from '../../src/config/upstream.js';
import { workspace } from './workspace.js';

function required(text: string): unknown {
  const upstream = parseUpstream(`postgres://db?require_auth=${text}`);
  return upstream.kind === 'servers' ? upstream.auth?.require_auth : undefined;
}

const ALL = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth'];
const without = (...methods: readonly string[]) => ALL.filter((method) => !methods.includes(method));

test.each<[string, readonly string[], boolean]>([
  ['scram-sha-256', ['scram-sha-256'], false],
  ['md5,password', ['password', 'md5'], false],
  ['none', [], true],
  ['none,gss', ['gss'], true],
  ['sspi,oauth', ['sspi', 'oauth'], false],
  ['!password', without('password'), true],
  ['!password,!md5', without('password', 'md5'), true],
  ['!none', ALL, false],
  ['!none,!password', without('password'), false],
  ['!password%2C!none', without('password'), false],
])('require_auth=%s', (text, allowed, mayAskNothing) => {
  expect(required(text)).toMatchObject({ allowed, mayAskNothing, text: decodeURIComponent(text) });
});

test('an empty one says nothing', () => {
  expect(required('')).toBeUndefined();
});

test.each([
  ['scram', 'has require_auth "scram": "scram" is not one of password, md5, gss, sspi, scram-sha-256, oauth'],
  ['md5,', 'has require_auth "md5,": "" is not one of'],
  [',md5', '"" is not one of'],
  ['md5, password', '" password" is not one of'],
  ['MD5', '"MD5" is not one of'],
  ['!', '"" is not one of'],
  ['!!md5', '"!md5" is not one of'],
  ['md5,!password', 'has require_auth "md5,!password", in which either all methods have a "!" or none'],
  ['!md5,password', 'in which either all methods have a "!" or none'],
  ['md5,password,md5', 'has require_auth "md5,password,md5", with md5 twice'],
  ['!none,!none', 'with none twice'],
])('require_auth=%s is refused, as libpq refuses it', (text, told) => {
  expect(() => required(text)).toThrow(told);
});

describe('channel_binding=require', () => {
  test.each([
    '',
    '&require_auth=scram-sha-256',
    '&require_auth=!md5',
    '&sslmode=verify-full',
  ])('is taken with %j', (rest) => {
    expect(parseUpstream(`postgres://db?channel_binding=require${rest}`)).toMatchObject({
      auth: { channel_binding: 'require' },
    });
  });

  test.each([
    ['db?require_auth=md5', 'and require_auth=md5: only scram-sha-256 can be bound'],
    ['db?require_auth=!scram-sha-256', 'and require_auth=!scram-sha-256: only scram-sha-256 can be bound'],
    ['db?require_auth=none', 'and require_auth=none: only scram-sha-256 can be bound'],
    ['db?sslmode=disable', 'and connects to db:5432 without TLS: there is nothing to bind to'],
    ['db,%2Ftmp?sslmode=require', 'and connects to /tmp/.s.PGSQL.5432 without TLS'],
  ])('is refused with %s', (rest, told) => {
    expect(() => parseUpstream(`postgres://${rest}&channel_binding=require`)).toThrow(
      `has channel_binding=require, ${told}`,
    );
  });

  test('has three values', () => {
    expect(() => parseUpstream('postgres://db?channel_binding=yes')).toThrow(
      'has channel_binding "yes", which is not one of disable, prefer, require',
    );
  });
});

test('graph.url takes what the proxy can do itself', () => {
  expect(parseGraphUrl('postgres://me@db/shop?require_auth=gss,md5')).toMatchObject({
    servers: { auth: { require_auth: { allowed: ['md5', 'gss'] } } },
  });
  expect(() => parseGraphUrl('postgres://me@db/shop?require_auth=gss,sspi')).toThrow(
    'has require_auth=gss,sspi: pgcascade can log in by none of these itself',
  );
});

describe('with auth.mode', () => {
  const FILES = { users: '"ann" "secret"\n', 's.crt': '', 's.key': '' };
  const problem = (mode: string, parameters: string) => {
    const cwd = workspace({
      ...FILES,
      'pgcascade.yaml': `upstream: postgres://db?${parameters}\nauth: { mode: ${mode} }`,
    });
    const cert = mode.startsWith('cert');
    const env = cert ? { PGCASCADE_TLS_CLIENT_AUTH: 'want' } : undefined;
    try {
      loadConfig({ flags: {}, env: env ?? {}, cwd });
      return [];
    } catch (error) {
      const lines = String(Object(error).message).split('\n');
      return lines.filter((line) => line.includes('upstream: ')).map((line) => line.split('upstream: ')[1]);
    }
  };

  test.each([
    ['relay', 'require_auth=gss'],
    ['relay', 'channel_binding=disable'],
    ['proxy, users: users', 'require_auth=gss,none'],
    ['proxy, users: users', 'require_auth=!none'],
    ['proxy, users: users', 'channel_binding=require&sslmode=require'],
    ['cert', 'require_auth=none'],
    ['cert', 'require_auth=!md5'],
    ['cert, users: users', 'require_auth=scram-sha-256'],
  ])('%s, %s is taken', (mode, parameters) => {
    expect(problem(mode, parameters)).toEqual([]);
  });

  test.each([
    ['relay', 'channel_binding=require', /^has channel_binding=require, and auth.mode is relay: /],
    [
      'proxy, users: users',
      'require_auth=gss,oauth',
      /^has require_auth=gss,oauth, and auth.mode is proxy: /,
    ],
    ['cert, users: users', 'require_auth=sspi', /^has require_auth=sspi, and auth.mode is cert: /],
    [
      'cert',
      'require_auth=md5',
      /^has a server asked for a password .* auth.mode is cert without auth.users/,
    ],
    ['cert', 'channel_binding=require&sslmode=require', /auth.mode is cert without auth.users/],
  ])('%s, %s is refused', (mode, parameters, told) => {
    expect(problem(mode, parameters)).toEqual([expect.stringMatching(told)]);
  });
});
