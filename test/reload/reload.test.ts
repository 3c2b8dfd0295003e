/** A reload of a running proxy: it is applied as a whole or not at all, and says what needs a restart. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { createTlsFolder } from '../support/client-tls.js';
import { query } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { until } from '../support/until.js';

const ADMIN = { listen: '127.0.0.1:0' };

async function proxyWith(options: ProxyOptions = {}) {
  const proxy = await startProxy({ admin: ADMIN, ...options });
  onTestFinished(() => proxy.stop());
  const get = async (path: string) => (await fetch(`http://${proxy.app.admin}${path}`)).text();
  const post = (path: string) =>
    fetch(`http://${proxy.app.admin}${path}`, { method: 'POST', headers: { 'X-Pgcascade': '1' } });
  return { proxy, get, post };
}

describe('a key', () => {
  test.each<[string, ProxyOptions]>([
    ['cascade.mode', { cascade: { mode: 'off' } }],
    ['graph.refresh', { graph: { refresh: '7s' } }],
    ['limits.connections', { limits: { connections: 7 } }],
    ['limits.login_timeout', { limits: { login_timeout: '7s' } }],
    ['limits.drain_timeout', { limits: { drain_timeout: '70ms' } }],
    ['limits.shutdown_delay', { limits: { shutdown_delay: '1ms' } }],
    ['admin.quit', { admin: { ...ADMIN, quit: true } }],
    ['log.level', { log: { level: 'error' } }],
  ])('%s is changed', async (key, options) => {
    const { proxy, get } = await proxyWith();
    expect(await proxy.reload({ admin: ADMIN, ...options })).toEqual({
      kind: 'applied',
      changed: [key],
      restart: [],
    });
    const shown: unknown = key
      .split('.')
      .reduce((node, step) => Object(node)[step], JSON.parse(await get('/config')));
    expect(shown).not.toBe(undefined);
    expect(await proxy.reload({ admin: ADMIN, ...options })).toMatchObject({ changed: [] });
  });

  test.each<[string, ProxyOptions]>([
    ['listen', { listen: '127.0.0.1:1' }],
    ['upstream', { upstream: 'postgres://elsewhere' }],
    ['graph.url', { graph: { url: 'postgres://somebody@elsewhere/db' } }],
    ['limits.message_bytes', { limits: { message_bytes: '1MiB' } }],
    ['admin.listen', { admin: null }],
    ['audit.path', { audit: { path: '-' } }],
    ['log.format', { log: { format: 'json' } }],
  ])('%s needs a restart, and the rest is applied', async (key, options) => {
    const { proxy, get } = await proxyWith();
    const more: ProxyOptions = { admin: ADMIN, ...options, cascade: { code: 'reject' } };
    expect(await proxy.reload(more)).toEqual({ kind: 'applied', changed: ['cascade.code'], restart: [key] });
    const config = JSON.parse(await get('/config'));
    expect(config).toMatchObject({ cascade: { code: 'reject' }, audit: { path: null } });
    expect(config.upstream.host).not.toBe('elsewhere');
  });
});

describe('what is applied', () => {
  test('counts for the next client: limits.connections', async () => {
    const { proxy } = await proxyWith();
    await RawClient.login(proxy, { database: 'postgres' });
    await proxy.reload({ admin: ADMIN, limits: { connections: 1 } });
    await expect(RawClient.login(proxy, { database: 'postgres' })).rejects.toThrow('PGC_CONNECTIONS');
    await proxy.reload({ admin: ADMIN, limits: { connections: 2 } });
    await RawClient.login(proxy, { database: 'postgres' });
  });

  test('counts for the log of clients that are there: log.level', async () => {
    const { proxy } = await proxyWith({ log: { level: 'warn' } });
    const session = await RawClient.login(proxy, { database: 'postgres' });
    const refused = () => session.told(query(`PREPARE d AS DELETE FROM pg_class; DO 'BEGIN END'`));
    await proxy.reload({ admin: ADMIN, cascade: { code: 'reject' }, log: { level: 'info' } });
    await refused();
    await until('the refusal is logged', () => proxy.log.some((line) => line.includes('"error":"PGC_CODE"')));
    const level = (await proxy.reload({ admin: ADMIN, log: { level: 'fatal' } })).kind;
    expect(level).toBe('applied');
  });

  test('is the file of the record, which was moved away', async () => {
    const path = join(workspace(), 'audit.jsonl');
    const { proxy } = await proxyWith({ audit: { path } });
    renameSync(path, `${path}.1`);
    await proxy.reload({ admin: ADMIN, audit: { path } });
    expect(readFileSync(path, 'utf8')).toBe('');
  });
});

describe('a configuration that cannot be used', () => {
  const USERS = '"ann" "hush"';

  test('changes nothing, and is told in the answer, in the log and by a metric', async () => {
    const users = join(workspace({ users: USERS }), 'users');
    const auth = { mode: 'proxy', users } as const;
    const { proxy, get, post } = await proxyWith({ auth });
    writeFileSync(users, 'ann hush');
    expect(await proxy.reload({ admin: ADMIN, auth, cascade: { mode: 'off' } })).toEqual({
      kind: 'refused',
      reason: `${users}:1: is not of the form "name" "secret", each in double quotes`,
    });
    expect(JSON.parse(await get('/config'))).toMatchObject({ cascade: { mode: 'on' } });
    const answer = await post('/reload');
    expect([answer.status, await answer.text()]).toEqual([
      422,
      expect.stringContaining(`${users}:1: is not`),
    ]);
    expect(proxy.log.join()).toContain('the configuration is refused, and nothing changes');
    expect(await get('/metrics')).toContain('pgcascade_reloads_total{outcome="refused"} 2');
    writeFileSync(users, USERS);
    expect(await (await post('/reload')).json()).toEqual({ changed: ['cascade.mode'], restart: [] });
  });
});

test('a broken certificate among the authorities changes nothing: the reload names the file', async () => {
  const folder = await createTlsFolder();
  onTestFinished(() => folder.remove());
  const client_ca = join(workspace({ 'ca.crt': folder.authority.cert }), 'ca.crt');
  const tls = { mode: 'require', ...folder.files, client_ca, client_auth: 'want' } as const;
  const { proxy } = await proxyWith({ tls });
  writeFileSync(client_ca, `${folder.authority.cert}\n${folder.authority.cert.slice(0, 300)}`);
  expect(await proxy.reload({ admin: ADMIN, tls })).toEqual({
    kind: 'refused',
    reason: expect.stringContaining(`${client_ca} is broken: certificate 2 of 2 in it cannot be read (PEM)`),
  });
});

test('what needs a restart is not left in a state that could not be started', async () => {
  const users = join(workspace({ users: '"ann" "hush"' }), 'users');
  const { proxy } = await proxyWith({ auth: { mode: 'proxy', users } });
  expect(await proxy.reload({ admin: ADMIN, cascade: { mode: 'off' } })).toEqual({
    kind: 'refused',
    reason: expect.stringMatching(/^restart for auth\.mode\. As it is running:\nauth\.users: is missing/),
  });
});

describe('the end', () => {
  test('comes after limits.shutdown_delay, in which clients are served and told that it is not ready', async () => {
    const { proxy, get } = await proxyWith({ limits: { shutdown_delay: '3s' } });
    const ended = proxy.app.drain();
    expect(await get('/readiness')).toBe('shutting down\n');
    const late = await RawClient.login(proxy, { database: 'postgres' });
    expect(await late.told(query('SELECT 1'))).toContain('D 1');
    expect(await proxy.app.reload()).toEqual({ kind: 'refused', reason: 'pgcascade is shutting down' });
    expect(readable(await late.rest()).join()).toContain('57P01');
    await ended;
  });

  test('waits for the reload that goes on: what it opens is closed with the rest', async () => {
    const silent = createServer();
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const graph = { url: `postgres://somebody@127.0.0.1:${port}/db?sslmode=disable` };
    const { proxy } = await proxyWith({ graph, cascade: { mode: 'off' } });
    const asked = new Promise<Socket>((connected) => silent.once('connection', connected));
    const over: string[] = [];
    const reloaded = proxy.reload({ admin: ADMIN, graph }).then(() => over.push('the reload'));
    const connection = await asked;
    const drained = proxy.app.drain().then(() => over.push('the end'));
    connection.resume().end();
    await Promise.all([reloaded, drained]);
    expect(over).toEqual(['the reload', 'the end']);
  });
});
