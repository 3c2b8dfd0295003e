/**
 * The side of SCRAM that verifies a client, as PostgreSQL's server does it (auth-scram.c): `challenge` answers the client's first
 * message, `verify` its last one. Nothing is kept between the two but what `challenge` gave. Texts have one character for
 * each byte.
 */
import { ProxyError } from '../../errors.js';
import { Attributes, MalformedScram, NONCE, printable } from './attributes.js';
import { areEqual, fromBase64, hmac, KEY_BYTES, storedKeyOf, xor } from './keys.js';
import { END_POINT, PLAIN, PLUS } from './mechanisms.js';
import type { ScramSecret } from './secret.js';

/**
 * The mechanisms to offer, the best first.
 * @param endPoint the hash of the certificate on whose connection the client is; undefined where there is none to bind to
 */
export function mechanismsFor(endPoint: Buffer | undefined): readonly string[] {
  return endPoint ? [PLUS, PLAIN] : [PLAIN];
}

/** The client has been challenged, and has to prove that it knows the password. */
export interface Challenge {
  readonly serverFirst: string;
  readonly clientFirstBare: string;
  readonly nonce: string;
  /** What the client has to repeat of its first message, with the end point that it is on. */
  readonly boundTo: string;
  readonly usesBinding: boolean;
  readonly secret: ScramSecret;
}

/** A client that has proved it. */
export interface Proven {
  readonly serverFinal: string;
  /** With it, whoever has the same secret for the client can be logged in to. */
  readonly clientKey: Buffer;
}

/**
 * @param nonce of the proxy's own, printable and without a comma
 * @throws MalformedScram
 * @throws ProxyError for a mechanism or an extension that is not offered, and where an offer was kept from the client
 */
export function challenge(
  mechanism: string,
  clientFirst: string,
  endPoint: Buffer | undefined,
  secret: ScramSecret,
  nonce: string,
): Challenge {
  if (!mechanismsFor(endPoint).includes(mechanism))
    throw refused('client selected an invalid SASL authentication mechanism');
  const usesBinding = mechanism === PLUS;
  const reader = new Attributes(clientFirst);
  readBindingFlag(reader, usesBinding, endPoint !== undefined);
  readAuthorizationIdentity(reader);
  const header = clientFirst.slice(0, reader.at);
  if (clientFirst.charAt(reader.at) === 'm')
    throw new ProxyError('PGC_SCRAM_FEATURE', { what: 'requires an unsupported SCRAM extension' });
  // The name is that of the startup packet; PostgreSQL reads this one, and takes no notice of it.
  reader.value('n');
  const clientNonce = reader.value('r');
  if (!NONCE.test(clientNonce)) throw refused('non-printable characters in SCRAM nonce');
  while (!reader.isOver) reader.next();
  const whole = clientNonce + nonce;
  return {
    serverFirst: `r=${whole},s=${secret.salt.toString('base64')},i=${secret.iterations}`,
    clientFirstBare: clientFirst.slice(header.length),
    nonce: whole,
    boundTo: Buffer.from(
      header + (usesBinding && endPoint ? endPoint.toString('latin1') : ''),
      'latin1',
    ).toString('base64'),
    usesBinding,
    secret,
  };
}

function readBindingFlag(reader: Attributes, usesBinding: boolean, isOffered: boolean): void {
  const flag = reader.character();
  if (flag === 'p') {
    if (!usesBinding)
      throw new MalformedScram(
        `The client selected ${PLAIN} without channel binding, but the SCRAM message includes channel binding data.`,
      );
    if (reader.character() !== '=') throw new MalformedScram('Expected character "=" for attribute "p".');
    let type = '';
    for (let next = reader.character(); next !== ','; next = reader.character()) {
      if (next === '') throw commaExpected(next);
      type += next;
    }
    if (type !== END_POINT) throw refused('unsupported SCRAM channel-binding type');
    return;
  }
  if (flag !== 'n' && flag !== 'y')
    throw new MalformedScram(`Unexpected channel-binding flag "${printable(flag)}".`);
  if (usesBinding)
    throw new MalformedScram(
      `The client selected ${PLUS}, but the SCRAM message does not include channel binding data.`,
    );
  if (flag === 'y' && isOffered)
    throw new ProxyError('PGC_SCRAM_BINDING', {
      message: 'SCRAM channel binding negotiation error',
      detail:
        'The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.',
    });
  const comma = reader.character();
  if (comma !== ',') throw commaExpected(comma);
}

function readAuthorizationIdentity(reader: Attributes): void {
  const next = reader.character();
  if (next === ',') return;
  if (next === 'a')
    throw new ProxyError('PGC_SCRAM_FEATURE', {
      what: 'uses authorization identity, but it is not supported',
    });
  throw new MalformedScram(`Unexpected attribute "${printable(next)}" in client-first-message.`);
}

function refused(message: string, detail = ''): ProxyError {
  return new ProxyError('PGC_SCRAM', { message, detail });
}

function commaExpected(found: string): MalformedScram {
  return new MalformedScram(`Comma expected, but found character "${printable(found)}".`);
}

/**
 * @returns undefined where the client does not know the password
 * @throws MalformedScram
 * @throws ProxyError where the client is bound to another connection, or answers another challenge
 */
export function verify(state: Challenge, clientFinal: string): Proven | undefined {
  const { secret, serverFirst, clientFirstBare } = state;
  const reader = new Attributes(clientFinal);
  const bound = reader.value('c');
  if (!areEqual(Buffer.from(bound, 'latin1'), Buffer.from(state.boundTo, 'latin1')))
    throw state.usesBinding
      ? new ProxyError('PGC_SCRAM_BINDING', { message: 'SCRAM channel binding check failed', detail: '' })
      : refused('unexpected SCRAM channel-binding attribute in client-final-message');
  const nonce = reader.value('r');
  let proofStart = reader.at;
  let attribute = reader.next();
  for (; attribute.name !== 'p'; attribute = reader.next()) proofStart = reader.at;
  const proof = fromBase64(attribute.value);
  if (proof?.length !== KEY_BYTES) throw new MalformedScram('Malformed proof in client-final-message.');
  if (!reader.isOver) throw new MalformedScram('Garbage found at the end of client-final-message.');
  if (nonce !== state.nonce) throw refused('invalid SCRAM response', 'Nonce does not match.');
  const authMessage = `${clientFirstBare},${serverFirst},${clientFinal.slice(0, proofStart - 1)}`;
  const clientKey = xor(proof, hmac(secret.storedKey, authMessage));
  if (!areEqual(storedKeyOf(clientKey), secret.storedKey)) {
    clientKey.fill(0);
    return undefined;
  }
  return { serverFinal: `v=${hmac(secret.serverKey, authMessage).toString('base64')}`, clientKey };
}
