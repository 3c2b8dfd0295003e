import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Flags, loadConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/config/problems.js';
import { workspace } from './workspace.js';

/** The lines of the ConfigError; none where the configuration is accepted. */
function problems(file: string, env: Record<string, string> = {}, flags: Flags = {}): readonly string[] {
  try {
    loadConfig({ flags, env, cwd: workspace({ 'pgcascade.yaml': file }) });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

test('every problem is told, by file and line, in the order of the lines', () => {
  const file = `profile: mysql
cascade:
  mode: of
  declared: sometimes
limits:
  connections: 0

  login_timeout: 5
graph: 5
`;
  expect(problems(file)).toEqual([
    'pgcascade.yaml:1: profile: "mysql" is not one of auto, postgres, postgres-like, dsql, redshift, greenplum, citus, duckdb, cratedb, h2, sqlite',
    'pgcascade.yaml:3: cascade.mode: "of" is not one of on, off',
    'pgcascade.yaml:4: cascade.declared: "sometimes" is not true or false',
    'pgcascade.yaml:6: limits.connections: 0 is less than 1',
    'pgcascade.yaml:8: limits.login_timeout: 5 has no unit: write 5s or 250ms',
    'pgcascade.yaml:9: graph: 5 is not a mapping of keys',
  ]);
});

test.each([
  [
    'listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2',
    'pgcascade.yaml:2: a second document begins: one is read',
  ],
  ['limits: { login_timeout: 0 }', 'pgcascade.yaml:1: limits.login_timeout: 0 is not a time above 0'],
  [
    'limits: { login_timeout: 0.1ms }',
    'pgcascade.yaml:1: limits.login_timeout: "0.1ms" is not a time above 0',
  ],
])('%j is not what can be served with', (file, message) => {
  expect(problems(file)).toEqual([message]);
});

test('a problem of a variable or a flag is told by its name', () => {
  const env = { PGCASCADE_CASCADE_MODE: 'of', PGCASCADE_CASCADE_OVERRIDES: '[{ match: a.b.c }]' };
  expect(problems('cascade: { mode: on }', env, { profile: 'x', listen: ['1', '/tmp'] })).toEqual([
    '--listen: [0]: "1" is not an address such as 127.0.0.1:6432 or [::1]:6432, nor a path such as /run/postgresql',
    '--profile: "x" is not one of auto, postgres, postgres-like, dsql, redshift, greenplum, citus, duckdb, cratedb, h2, sqlite',
    'PGCASCADE_CASCADE_MODE: "of" is not one of on, off',
    'PGCASCADE_CASCADE_OVERRIDES: [0].on_delete: is missing',
  ]);
});

test.each([
  ['PGCASCADE_UPSTREM', 'PGCASCADE_UPSTREM: unknown variable, did you mean PGCASCADE_UPSTREAM?'],
  [
    'PGCASCADE_GRAPH_REFESH',
    'PGCASCADE_GRAPH_REFESH: unknown variable, did you mean PGCASCADE_GRAPH_REFRESH?',
  ],
  ['PGCASCADE_ADMIN', 'PGCASCADE_ADMIN: unknown variable'],
  [
    'PGCASCADE_LIMITS_SHUTDOWN',
    'PGCASCADE_LIMITS_SHUTDOWN: unknown variable, did you mean PGCASCADE_LIMITS_SHUTDOWN_DELAY?',
  ],
  ['PGCASCADE_LIMITS', 'PGCASCADE_LIMITS: unknown variable'],
  ['PGCASCADE_ROLE', 'PGCASCADE_ROLE: unknown variable'],
])('%s is no variable', (variable, message) => {
  expect(problems('', { [variable]: 'x' })).toEqual([message]);
});

describe('an unknown key is refused', () => {
  test.each([
    ['listn: x', 'pgcascade.yaml:1: listn: unknown key, did you mean listen?'],
    ['cascade:\n  mdoe: on', 'pgcascade.yaml:2: cascade.mdoe: unknown key, did you mean cascade.mode?'],
    ['refresh: 5s', 'pgcascade.yaml:1: refresh: unknown key, did you mean graph.refresh?'],
    ['log: { colour: 1 }', 'pgcascade.yaml:1: log.colour: unknown key; the keys here are level, format'],
    ['__proto__: { listen: x }', /^pgcascade.yaml:1: __proto__: unknown key; the keys here are listen/],
    [
      'cascade:\n  overrides:\n    - match: a.b.c\n      on_delete: restrict\n      on_delte: x',
      'pgcascade.yaml:5: cascade.overrides[0].on_delte: unknown key, did you mean cascade.overrides[0].on_delete?',
    ],
  ])('is told with what may have been meant: %s', (file, message) => {
    expect(problems(file)).toEqual([typeof message === 'string' ? message : expect.stringMatching(message)]);
  });

  test('in the environment too', () => {
    expect(problems('', { PGCASCADE_GRAPH_REFRSH: '1s', PGCASCADE_XYZZY: '1' })).toEqual([
      'PGCASCADE_GRAPH_REFRSH: unknown variable, did you mean PGCASCADE_GRAPH_REFRESH?',
      'PGCASCADE_XYZZY: unknown variable',
    ]);
  });
});

describe('what later versions bring is refused by name', () => {
  test.each([
    ['cascade: { mode: dry-run }', 'cascade.mode: "dry-run" is not yet supported'],
    ['cascade: { max_rows: 5 }', 'cascade.max_rows: not yet supported'],
  ])('is told as what it is: %s', (file, message) => {
    expect(problems(file)).toEqual([`pgcascade.yaml:1: ${message}`]);
  });
});

describe('values that contradict each other are refused', () => {
  test.each([
    ['listen: [h:1, h:1]\nupstream: embedded', 'pgcascade.yaml:1: listen[1]: h:1 is listed twice'],
    [
      'audit: { required: true }',
      'pgcascade.yaml:1: audit.required: is set, and audit.path is not: there is no record to require',
    ],
    [
      'listen: h:1\nadmin: { listen: h:1 }\nupstream: embedded',
      'pgcascade.yaml:2: admin.listen: h:1 is taken by listen',
    ],
    ['listen: 127.0.0.1:9932', 'admin.listen: 127.0.0.1:9932 is taken by listen'],
    ['listen: ["*:9932"]\nupstream: embedded', 'admin.listen: 127.0.0.1:9932 is taken by listen (*:9932)'],
    [
      'listen: ["[::1]:1", "[::]:1"]\nupstream: embedded',
      'pgcascade.yaml:1: listen[1]: [::]:1 takes the same port as [::1]:1',
    ],
    [
      'listen: "[::]:5432"\nupstream: postgres://[::1]',
      'pgcascade.yaml:2: upstream: [::1]:5432 is where the proxy itself listens',
    ],
    [
      'listen: h:5432\nupstream: postgres://db,h',
      'pgcascade.yaml:2: upstream: h:5432 is where the proxy itself listens',
    ],
    [
      'upstream: postgres://a,b?target_session_attrs=read-write',
      'pgcascade.yaml:1: upstream: has target_session_attrs=read-write, and nobody can look at the session before the client: set graph.url, whose user then does, or auth.mode',
    ],
    ['listen: [/run/a, /run/a]', 'pgcascade.yaml:1: listen[1]: /run/a is listed twice'],
    [
      'listen: h:1\nupstream: postgres://h:1',
      'pgcascade.yaml:2: upstream: h:1 is where the proxy itself listens',
    ],
    [
      'listen: 0.0.0.0:5432\nupstream: postgres://localhost',
      'pgcascade.yaml:2: upstream: localhost:5432 is where the proxy itself listens',
    ],
    [
      'cascade:\n  relations:\n    - { name: n, from: "a.b(c, d)", to: a.e(f), on_delete: cascade }',
      'pgcascade.yaml:3: cascade.relations[0].to: has 1 columns where from has 2',
    ],
    [
      'cascade:\n  relations:\n    - &r { name: n, from: a.b(c), to: a.e(f), on_delete: cascade }\n    - *r',
      'pgcascade.yaml:3: cascade.relations[1].name: a.b has a relation of that name already',
    ],
    [
      'cascade:\n  relations:\n    - { name: n, from: "a.b(c, d)", to: "a.e(f, g)", on_delete: cascade }\n    - { name: o, from: "a.b(d, c)", to: "a.e(g, f)", on_delete: set null }',
      'pgcascade.yaml:4: cascade.relations[1].from: relates the same columns as n',
    ],
    [
      'cascade: { relations: [{ name: n, from: "a.b(c, d)", to: "a.e(f, f)", on_delete: cascade }] }',
      'pgcascade.yaml:1: cascade.relations[0].to: has the column "f" twice',
    ],
    [
      'cascade: { relations: [{ name: n, from: pg_temp.b(c), to: a.e(f), on_delete: cascade }] }',
      'pgcascade.yaml:1: cascade.relations[0].from: "pg_temp" is another schema in every session',
    ],
    [
      'cascade: { relations: [{ name: n, from: a.b(c), to: pg_temp_3.e(f), on_delete: cascade }] }',
      'pgcascade.yaml:1: cascade.relations[0].to: "pg_temp_3" is another schema in every session',
    ],
  ])('is told with its line: %s', (file, message) => {
    expect(problems(file)).toEqual([message]);
  });

  test.each([
    '0.0.0.0:6432',
    '"*:6432"',
    'db.example:6432',
    '"[::]:6432"',
    '[/run, 192.0.2.1:6432]',
  ])('%s without an upstream is no place for the embedded sample', (listen) => {
    expect(problems(`listen: ${listen}`)).toEqual([
      expect.stringContaining('upstream: is missing: say postgres://host:port.'),
    ]);
  });

  test.each([
    '127.0.0.2:1',
    'localhost:1',
    '"[::1]:1"',
    '/run',
  ])('%s without an upstream serves the embedded sample', (listen) =>
    expect(problems(`listen: ${listen}`)).toEqual([]));

  test('port 0 is another port each time', () => {
    expect(problems('listen: [h:0, h:0]\nadmin: { listen: h:0 }\nupstream: embedded')).toEqual([]);
  });
});

describe('text that is not YAML is told with its line', () => {
  test.each([
    ['listen: x\n  profile: y', /^pgcascade.yaml:1: /],
    ['listen: [\n', /^pgcascade.yaml:2: /],
    ['profile: auto\nprofile: auto', /^pgcascade.yaml:2: Map keys must be unique/],
    ['profile: *p', /^pgcascade.yaml:1: Unresolved alias/],
    ['- listen', /^pgcascade.yaml:1: \["listen"\] is not a mapping of keys/],
    ['a: 1\n---\nb: 2', /^pgcascade.yaml:2: /],
  ])('%j', (file, message) => {
    expect(problems(file)[0]).toMatch(message);
  });
});

test('columns cut off by YAML at a comma are told as that', () => {
  const file = 'cascade: { relations: [{ name: n, from: a.b(c, d), to: "a.e(f, g)", on_delete: cascade }] }';
  expect(problems(file)[0]).toMatch(/a text with a comma needs quotes here$/);
});

test('a file that was named must be there, the default file need not be', () => {
  const cwd = workspace();
  expect(() => loadConfig({ flags: { config: 'x.yaml' }, env: {}, cwd })).toThrow(
    'x.yaml: cannot be read: no such file or directory',
  );
  expect(() => loadConfig({ flags: {}, env: { PGCASCADE_CONFIG: '/x/y' }, cwd })).toThrow(
    '/x/y: cannot be read',
  );
  loadConfig({ flags: {}, env: {}, cwd });
});

test('a file that is named by nothing is told as that', () => {
  for (const config of ['', ' '])
    expect(() => loadConfig({ flags: { config }, env: {}, cwd: workspace() })).toThrow('--config: is empty');
});

test('a default file that is there and cannot be read is a problem', () => {
  const cwd = workspace();
  mkdirSync(join(cwd, 'pgcascade.yaml'));
  expect(() => loadConfig({ flags: {}, env: {}, cwd })).toThrow(
    'pgcascade.yaml: cannot be read: illegal operation',
  );
});

test('a secret that cannot be read is told by its key and its file', () => {
  expect(problems('upstream: file:/no/such\ngraph:\n  url: file:/no/such')).toEqual([
    'pgcascade.yaml:1: upstream: /no/such cannot be read: no such file or directory',
    'pgcascade.yaml:3: graph.url: /no/such cannot be read: no such file or directory',
  ]);
});

test('no message has a password in it', () => {
  for (const url of ['postgres://me:hunter2@db', '[hunter2]', 'mysql://hunter2', '{ a: hunter2 }']) {
    expect(problems(`upstream: ${url}`).join()).toMatch(/^pgcascade.yaml:1: upstream: (?!.*hunter2)/);
    expect(problems(`graph: { url: ${url} }`).join()).toMatch(/^pgcascade.yaml:1: graph.url: (?!.*hunter2)/);
  }
});

test.each([
  ['auth: { mode: proxy }', 'auth.users: is missing: auth.mode proxy verifies clients by what this file has'],
  ['auth: { mode: proxy, users: "" }', 'auth.users: is empty: name a file, or say null'],
  [
    'auth: { users: /etc/users }',
    'auth.users: has no effect while auth.mode is relay: the database itself knows the users',
  ],
  [
    'auth: { mode: proxy, users: /u, map: /m }',
    'auth.map: has no effect while auth.mode is proxy: it is for cert',
  ],
  ['auth: { map: /m }', 'auth.map: has no effect while auth.mode is relay: it is for cert'],
])('%j is no way to authenticate', (file, message) => {
  expect(problems(file)).toEqual([`pgcascade.yaml:1: ${message}`]);
});

test('auth.mode: cert needs certificates of clients', () => {
  expect(problems('auth: { mode: cert }')).toEqual([
    'tls.client_auth: is none, and auth.mode is cert: say require, or want',
  ]);
});
