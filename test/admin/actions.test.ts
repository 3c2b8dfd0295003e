/** What can be done over HTTP, and that no page in a browser can have it done. */
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type Actionable, actions } from '../../src/admin/actions.js';
import { readRefusalOf } from '../../src/admin/browsers.js';
import { plain, startAdmin } from '../../src/admin/server.js';

const OWN = { 'X-Pgcascade': '1' };

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function admin(doing: Partial<Actionable> = {}) {
  const done: string[] = [];
  const server = await startAdmin('127.0.0.1:0', {
    probes: new Map([['/probe', () => plain(200, 'alive')]]),
    reports: new Map([['/page', () => plain(200, 'page')]]),
    actions: actions({
      reload: async () => {
        done.push('reload');
        return { kind: 'applied', changed: ['log.level'], restart: ['listen'] };
      },
      quit: () => done.push('quit'),
      mayQuit: () => true,
      ...doing,
    }),
  });
  onTestFinished(() => server.close());
  // Not fetch, which sets some headers itself.
  const ask = (path: string, { method = 'POST', headers = OWN }: Asked = {}) =>
    new Promise<{ status: number | undefined; allow: string | undefined; text: string }>(
      (resolve, reject) => {
        const asked = request(`http://${server.address}${path}`, { method, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode, allow: response.headers.allow, text: text.trim() }),
          );
        });
        asked.on('error', reject).end();
      },
    );
  return { ask, done, server };
}

test('a reload answers with the keys that have changed, and those that need a restart', async () => {
  const { ask } = await admin();
  const { status, text } = await ask('/reload');
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ changed: ['log.level'], restart: ['listen'] });
});

test('a reload that is refused answers with the reason', async () => {
  const { ask } = await admin({ reload: async () => ({ kind: 'refused', reason: 'a.yaml:1: is broken' }) });
  expect(await ask('/reload')).toMatchObject({ status: 422, text: 'a.yaml:1: is broken' });
});

test('the end is asked for after its answer, and only where it is allowed', async () => {
  const { ask, done } = await admin();
  expect(await ask('/quitquitquit')).toMatchObject({ status: 200, text: 'shutting down' });
  expect(done).toEqual(['quit']);
  const other = await admin({ mayQuit: () => false });
  expect(await other.ask('/quitquitquit')).toMatchObject({
    status: 403,
    text: expect.stringContaining('admin.quit'),
  });
  expect(other.done).toEqual([]);
});

test.each<[string, Record<string, string>]>([
  ['from a page', { ...OWN, Origin: 'http://127.0.0.1:9932' }],
  ['from a page without an origin', { ...OWN, Origin: 'null' }],
  ['from the address bar', { ...OWN, 'Sec-Fetch-Site': 'none' }],
  ['to a name that leads here', { ...OWN, Host: 'rebound.example:9932' }],
  ['to a name that begins with an address', { ...OWN, Host: '127.0.0.1.example' }],
  ['without the header', {}],
  ['as a form would send it', { 'Content-Type': 'application/x-www-form-urlencoded' }],
  ['with another value', { 'X-Pgcascade': 'yes' }],
])('a POST %s is refused', async (_, headers) => {
  const { ask, done } = await admin();
  for (const path of ['/reload', '/quitquitquit'])
    expect(await ask(path, { headers })).toMatchObject({
      status: 403,
      text: expect.stringMatching(/^refused: /),
    });
  expect(done).toEqual([]);
});

test.each([
  '127.0.0.1:9932',
  '10.0.0.7',
  '[::1]:9932',
  'localhost',
  'LOCALHOST:1',
])('a POST to %s is taken', async (host) => {
  const { ask } = await admin();
  expect((await ask('/reload', { headers: { ...OWN, Host: host } })).status).toBe(200);
});

test('a page whose name leads to loopback reads no report', async () => {
  const { ask } = await admin();
  const get = (path: string, headers: Readonly<Record<string, string>>) =>
    ask(path, { method: 'GET', headers });
  const rebound = { Host: 'rebound.example:9932' };
  expect(await get('/page', rebound)).toMatchObject({
    status: 403,
    text: expect.stringMatching(/^refused: /),
  });
  expect(await get('/probe', rebound)).toMatchObject({ status: 200 });
  for (const Host of ['127.0.0.1:9932', '[::1]:9932', 'localhost:9932'])
    expect(await get('/page', { Host })).toMatchObject({ status: 200, text: 'page' });
});

test('in a network a report is read by whatever name', () => {
  const host = 'pgcascade.monitored.svc:9932';
  expect(readRefusalOf({ host }, '10.0.0.7:9932')).toBeUndefined();
  expect(readRefusalOf({ host }, '0.0.0.0:9932')).toBeUndefined();
  expect(readRefusalOf({ host }, '[::1]:9932')).toMatch(/^refused: /);
});

test('a method that its path has not is 405, with those that it has', async () => {
  const { ask, done } = await admin();
  expect(await ask('/page')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS'])
    expect(await ask('/reload', { method })).toMatchObject({ status: 405, allow: 'POST' });
  expect(await ask('/nowhere')).toMatchObject({ status: 404 });
  expect(done).toEqual([]);
});
