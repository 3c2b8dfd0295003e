/** What the proxy answers to a server that asks it for a login, and what it does not answer. */
import { expect, test } from 'vitest';
import { type Credential, forgetKeys, ServerLogin } from '../../src/auth/exchange/server-login.js';
import type { ServerTransport } from '../../src/auth/exchange/server-transport.js';
import { makeSecret } from '../../src/auth/scram/secret.js';
import { createAuthority } from '../support/certificates.js';
import { int32, typed } from '../wire/bytes.js';

const { cert } = await createAuthority('tests');
const der = Buffer.from(cert.replace(/-----.*-----/g, ''), 'base64');
const TLS: ServerTransport = { kind: 'tls', certificate: () => der };
const CLEAR: ServerTransport = { kind: 'clear' };
const PASSWORD: Credential = { kind: 'password', password: 'secret' };
const NONE: Credential = { kind: 'none' };
const keys = async (): Promise<Credential> => ({
  kind: 'keys',
  secret: await makeSecret('secret', Buffer.alloc(16), 4096),
  clientKey: Buffer.alloc(32, 1),
});

function login(credential: Credential, transport: ServerTransport = CLEAR): ServerLogin {
  return new ServerLogin({ user: 'ann', upstream: 'db:5432', credential, transport });
}

const ok = typed('R', int32(0));
const cleartext = typed('R', int32(3));
const md5 = typed('R', int32(5), Buffer.from('salt'));
const sasl = (...names: readonly string[]) => typed('R', int32(10), Buffer.from(`${names.join('\0')}\0\0`));
const challenge = (text: string) => typed('R', int32(11), Buffer.from(text));
const final = (text: string) => typed('R', int32(12), Buffer.from(text));
const BOTH = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

const text = (bytes: Buffer | undefined) => bytes?.toString('latin1', 5);

test.each([
  [TLS, BOTH, /^SCRAM-SHA-256-PLUS\0.{4}p=tls-server-end-point,,n=,r=/s],
  [TLS, ['SCRAM-SHA-256'], /^SCRAM-SHA-256\0.{4}y,,n=,r=/s],
  [CLEAR, BOTH, /^SCRAM-SHA-256\0.{4}n,,n=,r=/s],
  [{ kind: 'tls', certificate: () => undefined } as const, BOTH, /^SCRAM-SHA-256\0.{4}n,,n=,r=/s],
])('over %o, of %j it takes what binds the most', async (transport, offered, expected) => {
  expect(text(await login(PASSWORD, transport).answer(sasl(...offered)))).toMatch(expected);
});

test('a password goes in clear where nobody else can read it', async () => {
  for (const transport of [TLS, { kind: 'local' } as const])
    expect(text(await login(PASSWORD, transport).answer(cleartext))).toBe('secret\0');
  await expect(login(PASSWORD).answer(cleartext)).rejects.toThrow(/not encrypted/);
});

test('a server that asks for nothing is logged in to', async () => {
  for (const credential of [PASSWORD, NONE, await keys()])
    expect(await login(credential).answer(ok)).toBeUndefined();
});

test.each([
  ['cleartext', cleartext],
  ['MD5', md5],
  ['SASL', sasl(...BOTH)],
])('where nothing is known of the user, %s has no answer', async (_, question) => {
  await expect(login(NONE, TLS).answer(question)).rejects.toThrow(/auth.users has none for this user/);
});

test.each([
  ['GSSAPI', typed('R', int32(7)), /authentication method 7/],
  ['Kerberos', typed('R', int32(2)), /authentication method 2/],
  ['other mechanisms', sasl('OAUTHBEARER'), /offers none of the mechanisms/],
  ['a challenge before its offer', challenge('r=a,s=AAAA,i=1'), /did not prove/],
  ['a message without a code', typed('R', Buffer.from([0, 0])), /cut short/],
  ['its proof before the challenge', final('v=AAAA'), /did not prove/],
])('%s from a server has no answer', async (_, question, told) => {
  await expect(login(PASSWORD).answer(question)).rejects.toThrow(told);
});

test.each([
  ['of another login', 'r=other,s=AAAA,i=4096', /Nonce does not match/],
  ['that is none', 'm=x', /Expected attribute/],
])('a challenge %s has no answer', async (_, message, told) => {
  const begun = login(PASSWORD);
  await begun.answer(sasl(...BOTH));
  await expect(begun.answer(challenge(message))).rejects.toThrow(told);
});

test('a server that lets in without its own proof is not believed', async () => {
  for (const last of [
    ok,
    final('v=AAAA'),
    final(`v=${Buffer.alloc(32).toString('base64')}`),
    sasl(...BOTH),
  ]) {
    const begun = login(PASSWORD);
    const nonce = /r=(.*)$/.exec(text(await begun.answer(sasl(...BOTH))) ?? '')?.[1];
    await begun.answer(challenge(`r=${nonce}x,s=AAAA,i=1`));
    await expect(begun.answer(last)).rejects.toThrow(/did not prove|asked for SASL twice/);
  }
});

test('the key of a client is overwritten when it was used', async () => {
  const salt = Buffer.alloc(16).toString('base64');
  for (const end of [`s=${salt},i=4096`, undefined]) {
    const credential = await keys();
    const begun = login(credential);
    const nonce = /r=(.*)$/.exec(text(await begun.answer(sasl(...BOTH))) ?? '')?.[1];
    if (end) await begun.answer(challenge(`r=${nonce}x,${end}`));
    else forgetKeys(credential);
    expect(credential).toMatchObject({ clientKey: Buffer.alloc(32) });
  }
});

test('a challenge with another salt or count is answered with no proof of a key', async () => {
  for (const end of ['s=AAAA,i=4096', `s=${Buffer.alloc(16).toString('base64')},i=4097`]) {
    const begun = login(await keys());
    const nonce = /r=(.*)$/.exec(text(await begun.answer(sasl(...BOTH))) ?? '')?.[1];
    await expect(begun.answer(challenge(`r=${nonce}x,${end}`))).rejects.toThrow(
      /secret of this user is another/,
    );
  }
});
