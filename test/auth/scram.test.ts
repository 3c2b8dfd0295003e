/** SCRAM-SHA-256, both sides: the example of the RFC, each side against the other, and what is no message of it. */
import { describe, expect, test } from 'vitest';
import { MalformedScram } from '../../src/auth/scram/attributes.js';
import { areEqual, deriveKeys, fromBase64 } from '../../src/auth/scram/keys.js';
import { PLAIN, PLUS } from '../../src/auth/scram/mechanisms.js';
import {
  answerChallenge,
  begin,
  isProven,
  readChallenge,
  type ServerBinding,
} from '../../src/auth/scram/prover.js';
import { makeSecret, parseScramSecret } from '../../src/auth/scram/secret.js';
import { challenge, mechanismsFor, verify } from '../../src/auth/scram/verifier.js';
import { ProxyError } from '../../src/errors.js';

const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const secret = await makeSecret('pencil', salt, 4096);
const endPoint = Buffer.alloc(32, 7);

/** RFC 7677, section 3. */
const RFC = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const rfcChallenge = () => challenge(PLAIN, RFC.clientFirst, undefined, secret, RFC.serverNonce);

describe('the example of RFC 7677', () => {
  test('is verified as the RFC has it', async () => {
    const state = rfcChallenge();
    expect(state.serverFirst).toBe(RFC.serverFirst);
    const { clientKey } = await deriveKeys('pencil', salt, 4096);
    expect(verify(state, RFC.clientFinal)).toEqual({ serverFinal: RFC.serverFinal, clientKey });
  });

  test('is proved as the RFC has it', async () => {
    const begun = { ...begin({ kind: 'impossible' }, RFC.nonce), clientFirstBare: RFC.clientFirst.slice(3) };
    const challenged = readChallenge(begun, RFC.serverFirst);
    const answered = answerChallenge(
      challenged,
      await deriveKeys('pencil', challenged.salt, challenged.iterations),
    );
    expect(answered.clientFinal).toBe(RFC.clientFinal);
    expect(isProven(answered, RFC.serverFinal)).toBe(true);
    expect(isProven(answered, RFC.serverFinal.replace('v=6', 'v=7'))).toBe(false);
  });
});

/** A client with this password, and a server that offers to bind to `offered`. */
async function exchange(password: string, binding: ServerBinding, offered: Buffer | undefined) {
  const begun = begin(binding, 'client');
  const state = challenge(
    begun.mechanism,
    `${begun.header}${begun.clientFirstBare}`,
    offered,
    secret,
    'server',
  );
  const challenged = readChallenge(begun, state.serverFirst);
  const answered = answerChallenge(
    challenged,
    await deriveKeys(password, challenged.salt, challenged.iterations),
  );
  const proven = verify(state, answered.clientFinal);
  return { proven, isServerProven: proven !== undefined && isProven(answered, proven.serverFinal) };
}

const BOUND: ServerBinding = { kind: 'endPoint', hash: endPoint };

test.each([
  ['in clear', { kind: 'impossible' }, undefined],
  ['over TLS without a binding', { kind: 'impossible' }, endPoint],
  ['bound to the end point', BOUND, endPoint],
  ['over TLS where none is offered', { kind: 'unoffered' }, undefined],
] as const)('both sides prove to each other that they know the password, %s', async (_, binding, offered) => {
  const { proven, isServerProven } = await exchange('pencil', binding, offered);
  expect(isServerProven).toBe(true);
  expect(proven?.clientKey).toEqual((await deriveKeys('pencil', salt, 4096)).clientKey);
  expect((await exchange('pencils', binding, offered)).proven).toBeUndefined();
});

test('a client that is bound to the certificate of another is refused with 28000', async () => {
  await expect(exchange('pencil', BOUND, Buffer.alloc(32, 8))).rejects.toMatchObject({
    sqlstate: '28000',
    message: 'SCRAM channel binding check failed',
  });
});

test('a client from which the offer to bind was kept is refused with 28000', async () => {
  await expect(exchange('pencil', { kind: 'unoffered' }, endPoint)).rejects.toMatchObject({
    sqlstate: '28000',
    message: 'SCRAM channel binding negotiation error',
  });
});

test('binding is offered where there is something to bind to', () => {
  expect(mechanismsFor(undefined)).toEqual([PLAIN]);
  expect(mechanismsFor(endPoint)).toEqual([PLUS, PLAIN]);
});

/** What is thrown: the detail of a malformed message, or SQLSTATE and message. */
function thrown(work: () => unknown): string {
  try {
    return `nothing: ${work()}`;
  } catch (error) {
    if (error instanceof MalformedScram) return error.message;
    if (error instanceof ProxyError) return `${error.sqlstate} ${error.message}`;
    throw error;
  }
}

test.each([
  [PLAIN, '', 'The message is empty.'],
  [PLAIN, 'n,,n=,r=a\0', 'Message length does not match input length.'],
  ['SCRAM-SHA-512', 'n,,n=,r=a', '08P01 client selected an invalid SASL authentication mechanism'],
  [PLAIN, 'x,,n=,r=a', `Unexpected channel-binding flag "'x'".`],
  [PLAIN, '\x07,,n=,r=a', 'Unexpected channel-binding flag "0x07".'],
  [PLAIN, 'n', 'Comma expected, but found character "0x00".'],
  [PLAIN, 'nn,,n=,r=a', `Comma expected, but found character "'n'".`],
  [PLAIN, 'p=tls-server-end-point,,n=,r=a', /without channel binding, but the SCRAM message includes/],
  [PLUS, 'n,,n=,r=a', /PLUS, but the SCRAM message does not include channel binding data/],
  [PLUS, 'p,,n=,r=a', 'Expected character "=" for attribute "p".'],
  [PLUS, 'p=tls-unique,,n=,r=a', '08P01 unsupported SCRAM channel-binding type'],
  [PLUS, 'p=tls-server-end-point', 'Comma expected, but found character "0x00".'],
  [PLAIN, 'n,a=admin,n=,r=a', '0A000 client uses authorization identity, but it is not supported'],
  [PLAIN, 'n,b,n=,r=a', `Unexpected attribute "'b'" in client-first-message.`],
  [PLAIN, 'n,', 'Unexpected attribute "0x00" in client-first-message.'],
  [PLAIN, 'n,,m=x,n=,r=a', '0A000 client requires an unsupported SCRAM extension'],
  [PLAIN, 'n,,', 'Expected attribute "n" but found "0x00".'],
  [PLAIN, 'n,,r=a,n=', `Expected attribute "n" but found "'r'".`],
  [PLAIN, 'n,,n:,r=a', 'Expected character "=" for attribute "n".'],
  [PLAIN, 'n,,n=', 'Expected attribute "r" but found "0x00".'],
  [PLAIN, 'n,,n=,r=a\x7f', '08P01 non-printable characters in SCRAM nonce'],
  [PLAIN, 'n,,n=,r=\xe4', '08P01 non-printable characters in SCRAM nonce'],
  [PLAIN, 'n,,n=,r=a,7=x', `Attribute expected, but found invalid character "'7'".`],
  [PLAIN, 'n,,n=,r=a,', /^nothing/],
  [PLAIN, 'n,,n=,r=a,x=1', /^nothing/],
])("of a client's first message %s %j is said what PostgreSQL says", (mechanism, message, said) => {
  expect(thrown(() => challenge(mechanism, message, endPoint, secret, 's'))).toMatch(said);
});

const [bound, nonce, proof] = RFC.clientFinal.split(/,(?=[rp]=)/);

test.each([
  ['', 'The message is empty.'],
  [`${nonce},${bound},${proof}`, `Expected attribute "c" but found "'r'".`],
  [`c=eSws,${nonce},${proof}`, '08P01 unexpected SCRAM channel-binding attribute in client-final-message'],
  [`${bound}`, 'Expected attribute "r" but found "0x00".'],
  [`${bound},${nonce}`, 'Attribute expected, but found end of string.'],
  [`${bound},${nonce},x=1`, 'Attribute expected, but found end of string.'],
  [`${bound},${nonce}x,${proof}`, '08P01 invalid SCRAM response'],
  [`${bound},r=,${proof}`, '08P01 invalid SCRAM response'],
  [`${bound},${nonce},p=`, 'Malformed proof in client-final-message.'],
  [`${bound},${nonce},p=AAAA`, 'Malformed proof in client-final-message.'],
  [`${bound},${nonce},${proof}AAAA`, 'Malformed proof in client-final-message.'],
  [`${bound},${nonce},${proof?.replace(/=$/, ' =')}`, 'Malformed proof in client-final-message.'],
  [`${bound},${nonce},${proof},x=1`, 'Garbage found at the end of client-final-message.'],
  [`${bound},${nonce},x=1,${proof}`, 'nothing: undefined'],
])("of a client's last message %j is said what PostgreSQL says", (message, said) => {
  expect(thrown(() => verify(rfcChallenge(), message))).toBe(said);
});

test.each([
  ['', 'The message is empty.'],
  ['e=other-error', `Expected attribute "r" but found "'e'".`],
  ['r=clientx,i=4096,s=AAAA', `Expected attribute "s" but found "'i'".`],
  ['r=client,s=AAAA,i=4096', 'Nonce does not match.'],
  ['r=otherx,s=AAAA,i=4096', 'Nonce does not match.'],
  ['r=clientx,s=,i=4096', 'Invalid salt or iteration count.'],
  ['r=clientx,s=A,i=4096', 'Invalid salt or iteration count.'],
  ['r=clientx,s=AAAA,i=0', 'Invalid salt or iteration count.'],
  ['r=clientx,s=AAAA,i=-1', 'Invalid salt or iteration count.'],
  ['r=clientx,s=AAAA,i=99999999999', 'Invalid salt or iteration count.'],
  ['r=clientx,s=AAAA,i=2147483647', 'The iteration count is too high.'],
  ['r=clientx,s=AAAA,i=4096,x=1', 'Garbage found at the end of server-first-message.'],
])('a challenge %j of the server is not answered', (message, said) => {
  expect(thrown(() => readChallenge(begin({ kind: 'impossible' }, 'client'), message))).toBe(said);
});

test.each([
  'e=invalid-proof',
  'v=',
  'v',
  'v=%',
  `${RFC.serverFinal},x=1`,
])('a server that says %j in the end is not believed', (message) => {
  const isBelieved = () => isProven({ clientFinal: '', serverSignature: Buffer.alloc(32) }, message);
  expect(thrown(isBelieved)).toMatch(/^Malformed|^Expected|^nothing: false/);
});

test('secrets of different lengths are not equal, and those of equal length are compared in constant time', () => {
  expect(areEqual(Buffer.from('ab'), Buffer.from('abc'))).toBe(false);
  expect(areEqual(Buffer.from('abd'), Buffer.from('abc'))).toBe(false);
  expect(areEqual(Buffer.from('abc'), Buffer.from('abc'))).toBe(true);
});

test.each([
  'A',
  'AA',
  'AA=',
  'AAA',
  '====',
  'AA==AA==',
  'AA_-',
  ' AAAA',
  'AAAA\n',
])('%j is not base64', (text) => {
  expect(fromBase64(text)).toBeUndefined();
});

const KEY = Buffer.alloc(32).toString('base64');

test.each([
  'md50123456789abcdef0123456789abcdef',
  'SCRAM-SHA-256$',
  `SCRAM-SHA-1$4096:AAAA$${KEY}:${KEY}`,
  `SCRAM-SHA-256$0:AAAA$${KEY}:${KEY}`,
  `SCRAM-SHA-256$x:AAAA$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4294967296:AAAA$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:AAA$${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:AAAA$AAAA:${KEY}`,
  `SCRAM-SHA-256$4096:AAAA$${KEY}:AAAA`,
  `SCRAM-SHA-256$4096:AAAA$${KEY}`,
  `SCRAM-SHA-256$4096:AAAA$${KEY}:${KEY}:${KEY}`,
  `SCRAM-SHA-256$4096:AAAA$${KEY}:${KEY} `,
])('%j is no SCRAM secret', (text) => {
  expect(parseScramSecret(text)).toBeUndefined();
});
