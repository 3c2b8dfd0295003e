/** `require_auth` and `channel_binding` in the URL of the server: who asks for what is not allowed there gets no answer, and is not heard by the client. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { lookAtServer, serverOf } from '../../src/graph/watch/connection.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { RawClient, readable, startupPacket } from '../support/raw-client.js';
import { int32, typed } from '../wire/bytes.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();
const at = (parameters: string) => `127.0.0.1:${sample.server.port}?sslmode=require&${parameters}`;

/** What the server asks each of these users for. */
const ASKED = {
  plain: { method: 'scram-sha-256', told: 'server requested SASL authentication' },
  md5: { method: 'md5', told: 'server requested a hashed password' },
  cleartext: { method: 'password', told: 'server requested a cleartext password' },
  trusted: { method: 'none', told: 'server did not complete authentication' },
} as const;
type User = keyof typeof ASKED;

const LISTS = ['scram-sha-256', 'md5,password', 'none', 'none,scram-sha-256', '!password', '!none,!md5'];

/** By the words of libpq's documentation. */
function isAllowed(list: string, { method }: (typeof ASKED)[User]): boolean {
  const words = list.split(',').map((word) => word.replace('!', ''));
  return words.includes(method) !== list.startsWith('!');
}

async function logIn(options: ProxyOptions, user: User): Promise<string> {
  const proxy = await startProxy(options);
  onTestFinished(() => proxy.stop());
  const { host, port } = proxy;
  const client = new pg.Client({ host, port, user, password: passwordOf(user), database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('SELECT current_user AS name');
    return `is ${rows[0].name}`;
  } catch (error) {
    return `${Object(error).code} ${Object(error).message}`;
  } finally {
    await client.end();
  }
}

const users = Object.keys(ASKED) as readonly User[];
const rows = LISTS.flatMap((list) => users.map((user) => [list, user] as const));

describe.each(['relay', 'proxy'] as const)('auth.mode %s', (mode) => {
  test.each(rows)('require_auth=%s, %s', async (list, user) => {
    const auth = mode === 'relay' ? { mode } : { mode, users: sample.users };
    const heard = await logIn({ upstream: `postgres://${at(`require_auth=${list}`)}`, auth }, user);
    const refusal = `08004 could not log in to the upstream server 127.0.0.1:${sample.server.port} as user "${user}": authentication method requirement "${list}" failed: ${ASKED[user].told}`;
    expect(heard).toBe(isAllowed(list, ASKED[user]) ? `is ${user}` : refusal);
  });
});

test.each(rows)('graph.url with require_auth=%s, as %s', async (list, user) => {
  const url = `postgres://${user}:${passwordOf(user)}@${at(`require_auth=${list}`).replace('?', '/postgres?')}`;
  const account = parseGraphUrl(url);
  const looked = lookAtServer(account, await serverOf(account), 'any', AbortSignal.timeout(30_000));
  if (isAllowed(list, ASKED[user])) expect(await looked).toBeUndefined();
  else
    await expect(looked).rejects.toThrow(
      `authentication method requirement "${list}" failed: ${ASKED[user].told}`,
    );
});

describe('channel_binding', () => {
  const mode = { mode: 'proxy', users: sample.users } as const;
  test.each([
    ['require', 'plain', /^is plain$/],
    ['require', 'md5', /^08004 .*: channel binding required but not supported by server's authentication/],
    ['require', 'cleartext', /^08004 .*: channel binding required but not supported/],
    ['require', 'trusted', /^08004 .*: channel binding required, but server authenticated client without/],
    ['disable', 'plain', /^is plain$/],
    ['prefer', 'trusted', /^is trusted$/],
  ] as const)('%s, %s', async (binding, user, heard) => {
    const upstream = `postgres://${at(`channel_binding=${binding}`)}`;
    expect(await logIn({ upstream, auth: mode }, user)).toMatch(heard);
  });

  test.each([
    ['plain', undefined],
    ['md5', /channel binding required but not supported/],
    ['trusted', /without channel binding/],
  ] as const)('require of graph.url, as %s', async (user, told) => {
    const query = at('channel_binding=require').replace('?', '/postgres?');
    const account = parseGraphUrl(`postgres://${user}:${passwordOf(user)}@${query}`);
    const looked = lookAtServer(account, await serverOf(account), 'any', AbortSignal.timeout(30_000));
    if (told) await expect(looked).rejects.toThrow(told);
    else expect(await looked).toBeUndefined();
  });
});

describe('of a server for which the test speaks, a client hears', () => {
  const sasl = (...names: readonly string[]) => typed('R', int32(10), Buffer.from(`${names.join('\0')}\0\0`));
  const BOTH = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

  async function heard(list: string, question: Buffer): Promise<readonly string[]> {
    const listener = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(question));
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    const proxy = await startProxy({
      upstream: `postgres://127.0.0.1:${port}?sslmode=disable&require_auth=${list}`,
    });
    onTestFinished(async () => {
      listener.close();
      await proxy.stop();
    });
    const client = await RawClient.open(proxy);
    client.send(startupPacket({ database: 'nowhere' }));
    return readable(await client.rest());
  }

  test.each([
    ['!scram-sha-256', sasl(...BOTH), 'server requested SASL authentication'],
    ['!scram-sha-256,!oauth', sasl('OAUTHBEARER'), 'server requested SASL authentication'],
    ['scram-sha-256', sasl('OAUTHBEARER', 'LATER'), 'server requested SASL authentication'],
    ['md5', typed('R', int32(7)), 'server requested GSSAPI authentication'],
    ['gss', typed('R', int32(9)), 'server requested SSPI authentication'],
    ['!md5', typed('R', int32(2)), 'server requested an unknown authentication type'],
    ['scram-sha-256', typed('R', int32(0)), 'server did not complete authentication'],
    [
      'scram-sha-256',
      Buffer.concat([sasl(...BOTH), typed('R', int32(0))]),
      'did not complete authentication',
    ],
  ])('with require_auth=%s nothing of what is not allowed, and why', async (list, question, told) => {
    const messages = await heard(list, question);
    expect(messages.at(-1)).toMatch(/^E C=08004 .*PGC_UPSTREAM_LOGIN/);
    expect(messages.at(-1)).toContain(told);
    const offer = 'R ...\nSCRAM-SHA-256..';
    expect(messages.slice(0, -1)).toEqual(told.startsWith('did') ? [offer] : []);
  });

  test.each([
    ['scram-sha-256', sasl('OAUTHBEARER', ...BOTH), 'SCRAM-SHA-256'],
    ['oauth', sasl('OAUTHBEARER', ...BOTH), 'OAUTHBEARER'],
    ['!scram-sha-256', sasl('OAUTHBEARER', ...BOTH), 'OAUTHBEARER'],
    ['!md5', sasl('LATER', 'SCRAM-SHA-256'), 'LATER.SCRAM-SHA-256'],
  ])('with require_auth=%s of several mechanisms those that may be used', async (list, question, offered) => {
    const [first = ''] = await heard(list, question);
    expect(first).toBe(`R ...\n${offered}..`);
  });
});
