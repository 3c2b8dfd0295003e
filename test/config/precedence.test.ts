import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Flags, loadConfig, readConfig } from '../../src/config/load.js';
import { workspace } from './workspace.js';

const load = (file: string | undefined, env: Record<string, string> = {}, flags: Flags = {}) =>
  loadConfig({ flags, env, cwd: workspace(file === undefined ? {} : { 'pgcascade.yaml': file }) });

test('nothing at all gives the defaults of the documents', () => {
  expect(load(undefined)).toEqual({
    listen: ['127.0.0.1:6432'],
    upstream: { kind: 'embedded' },
    profile: 'auto',
    cascade: {
      mode: 'on',
      strategy: 'auto',
      declared: true,
      overrides: [],
      relations: [],
      unsupported: 'reject',
      code: 'pass',
      triggers: 'warn',
      guard: 'off',
      copy: 'reject',
      locks: 'none',
      files: [],
      atomic: true,
      batch_rows: null,
      on_limit: 'fail',
      max_rows: null,
    },
    graph: { refresh: 1000, url: null },
    tls: { mode: 'disable', cert: null, key: null, client_ca: null, client_crl: null, client_auth: 'none' },
    auth: { mode: 'relay', users: null, map: null },
    limits: {
      connections: 1000,
      per_user: null,
      per_database: null,
      login_timeout: 10_000,
      idle_timeout: null,
      idle_in_transaction: null,
      tcp_keepalives_idle: null,
      message_bytes: 1024 ** 3,
      drain_timeout: 30_000,
      shutdown_delay: 0,
    },
    admin: { listen: '127.0.0.1:9932', quit: false },
    audit: { path: null, required: false },
    log: { level: 'info', format: 'auto' },
  });
});

test('flags go over variables, variables over the file', () => {
  const file = 'listen: 127.0.0.1:1\nupstream: postgres://file\nprofile: postgres\n';
  const env = { PGCASCADE_LISTEN: '127.0.0.1:2', PGCASCADE_UPSTREAM: 'postgres://env' };
  const config = load(file, env, { listen: ['127.0.0.1:3'] });
  expect(config.listen).toEqual(['127.0.0.1:3']);
  expect(config.upstream).toMatchObject({ hosts: [{ host: 'env' }] });
  expect(config.profile).toBe('postgres');
});

test('a variable sets one key and leaves its section', () => {
  const config = load('limits: { connections: 5 }', { PGCASCADE_LIMITS_LOGIN_TIMEOUT: '1s' });
  expect(config.limits).toMatchObject({ connections: 5, login_timeout: 1000 });
});

test('a variable can hold a list or an object, as YAML or JSON', () => {
  const config = load(undefined, {
    PGCASCADE_LISTEN: '["127.0.0.1:1", /tmp]',
    PGCASCADE_CASCADE_OVERRIDES: '- { match: "a.*.c_?", on_delete: set_null }',
    PGCASCADE_CASCADE_DECLARED: 'false',
    PGCASCADE_LIMITS_CONNECTIONS: '7',
  });
  expect(config.listen).toEqual(['127.0.0.1:1', '/tmp']);
  expect(config.cascade.overrides).toEqual([{ match: 'a.*.c_?', on_delete: 'set null' }]);
  expect(config.cascade.declared).toBe(false);
  expect(config.limits.connections).toBe(7);
});

test('a variable with an IPv6 address needs no quotes', () => {
  expect(load(undefined, { PGCASCADE_LISTEN: '[::1]:6432' }).listen).toEqual(['[::1]:6432']);
});

test.each([
  'PGCASCADE_UPSTREAM',
  'PGCASCADE_CONFIG',
  'PGCASCADE_ADMIN_LISTEN',
  'PGCASCADE_GRAPH_URL',
])('an empty %s is an error that names it', (variable) => {
  for (const empty of ['', ' ', '\n'])
    expect(() => load('profile: postgres', { [variable]: empty })).toThrow(
      `${variable}: is empty: give it a value, or do not set it`,
    );
});

test('variables that Kubernetes makes of services are left alone', () => {
  const env = {
    PGCASCADE_SERVICE_HOST: '10.0.0.1',
    PGCASCADE_SERVICE_PORT_POSTGRES: '6432',
    PGCASCADE_PORT: 'tcp://10.0.0.1:6432',
    PGCASCADE_PORT_6432_TCP: 'tcp://10.0.0.1:6432',
    PGCASCADE_ADMIN_PORT_9932_TCP_ADDR: '10.0.0.1',
  };
  expect(load(undefined, env).listen).toEqual(['127.0.0.1:6432']);
  expect(() => load(undefined, { PGCASCADE_PORT: '6432' })).toThrow('PGCASCADE_PORT: unknown variable');
});

test('--config is read before PGCASCADE_CONFIG, that before ./pgcascade.yaml', () => {
  const cwd = workspace({
    'pgcascade.yaml': 'listen: 127.0.0.1:1',
    'env.yaml': 'listen: 127.0.0.1:2',
    'flag.yaml': 'listen: 127.0.0.1:3',
  });
  const env = { PGCASCADE_CONFIG: 'env.yaml' };
  expect(loadConfig({ flags: {}, env: {}, cwd }).listen).toEqual(['127.0.0.1:1']);
  expect(loadConfig({ flags: {}, env, cwd }).listen).toEqual(['127.0.0.1:2']);
  expect(loadConfig({ flags: { config: 'flag.yaml' }, env, cwd }).listen).toEqual(['127.0.0.1:3']);
});

test('what had a say is told by name', () => {
  const cwd = workspace({ 'pgcascade.yaml': '' });
  const { sources } = readConfig({ flags: { profile: 'auto' }, env: { PGCASCADE_LOG_LEVEL: 'warn' }, cwd });
  expect(sources).toEqual(['pgcascade.yaml', 'PGCASCADE_LOG_LEVEL', '--profile']);
});

test('the upstream can stand in a file of its own', () => {
  const cwd = workspace({ secret: 'postgres://hidden:6000\n' });
  const config = loadConfig({ flags: { upstream: `file:${join(cwd, 'secret')}` }, env: {}, cwd });
  expect(config.upstream).toMatchObject({ hosts: [{ kind: 'tcp', host: 'hidden', port: 6000 }] });
});

test('a loaded configuration cannot be changed', () => {
  const config = load('cascade: { overrides: [{ match: a.b.c, on_delete: restrict }] }');
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.cascade.overrides[0])).toBe(true);
  expect(Object.isFrozen(config.listen)).toBe(true);
});
