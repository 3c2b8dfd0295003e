/**
 * The side of SCRAM that proves to a server that it knows the password, as libpq does it (fe-auth-scram.c): `begin`, then
 * `readChallenge`, `answer`, and `isProven` of the server. Each takes what the one before gave. Texts have one character for
 * each byte.
 */
import { Attributes, MalformedScram, NONCE } from './attributes.js';
import { areEqual, fromBase64, hmac, type ScramKeys, storedKeyOf, xor } from './keys.js';
import { END_POINT, PLAIN, PLUS } from './mechanisms.js';

/** What the login is bound to. */
export type ServerBinding =
  /** A connection without TLS, or one without a hash to bind to. */
  | { readonly kind: 'impossible' }
  /** TLS, and a server that offers no mechanism with binding. It will notice if it had, and somebody took it away. */
  | { readonly kind: 'unoffered' }
  | { readonly kind: 'endPoint'; readonly hash: Buffer };

/** The login has begun. */
export interface Begun {
  readonly mechanism: string;
  /** What stands before the message itself: how it is bound. */
  readonly header: string;
  readonly clientFirstBare: string;
  readonly nonce: string;
  readonly boundTo: string;
}

/** The server wants a proof. */
export interface Challenged extends Begun {
  readonly serverFirst: string;
  readonly serverNonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** The proof, and what the server's own has to be. */
export interface AnsweredChallenge {
  readonly clientFinal: string;
  readonly serverSignature: Buffer;
}

/** Deriving the keys of more would take a thread for seconds. */
const MOST_ITERATIONS = 10_000_000;

/** @param nonce printable, and without a comma */
export function begin(binding: ServerBinding, nonce: string): Begun {
  const [mechanism, header, endPoint] = bindingOf(binding);
  const boundTo = Buffer.from(header + endPoint, 'latin1').toString('base64');
  return { mechanism, header, clientFirstBare: `n=,r=${nonce}`, nonce, boundTo };
}

function bindingOf(binding: ServerBinding): readonly [mechanism: string, header: string, endPoint: string] {
  switch (binding.kind) {
    case 'impossible':
      return [PLAIN, 'n,,', ''];
    case 'unoffered':
      return [PLAIN, 'y,,', ''];
    case 'endPoint':
      return [PLUS, `p=${END_POINT},,`, binding.hash.toString('latin1')];
    default:
      return binding satisfies never;
  }
}

/** @throws MalformedScram also where the challenge is to another login */
export function readChallenge(begun: Begun, serverFirst: string): Challenged {
  const reader = new Attributes(serverFirst);
  const serverNonce = reader.value('r');
  const salt = fromBase64(reader.value('s'));
  const count = reader.value('i');
  const isOwn = serverNonce.startsWith(begun.nonce) && serverNonce.length > begun.nonce.length;
  if (!isOwn || !NONCE.test(serverNonce)) throw new MalformedScram('Nonce does not match.');
  const iterations = /^\d{1,10}$/.test(count) ? Number(count) : 0;
  if (!salt?.length || iterations < 1) throw new MalformedScram('Invalid salt or iteration count.');
  if (iterations > MOST_ITERATIONS) throw new MalformedScram('The iteration count is too high.');
  if (!reader.isOver) throw new MalformedScram('Garbage found at the end of server-first-message.');
  return { ...begun, serverFirst, serverNonce, salt, iterations };
}

/** @param keys those of the challenge's salt and iterations */
export function answerChallenge(
  challenged: Challenged,
  { clientKey, serverKey }: ScramKeys,
): AnsweredChallenge {
  const withoutProof = `c=${challenged.boundTo},r=${challenged.serverNonce}`;
  const authMessage = `${challenged.clientFirstBare},${challenged.serverFirst},${withoutProof}`;
  const proof = xor(clientKey, hmac(storedKeyOf(clientKey), authMessage));
  return {
    clientFinal: `${withoutProof},p=${proof.toString('base64')}`,
    serverSignature: hmac(serverKey, authMessage),
  };
}

/** Whether the server knows the secret too. @throws MalformedScram */
export function isProven({ serverSignature }: AnsweredChallenge, serverFinal: string): boolean {
  const reader = new Attributes(serverFinal);
  const signature = fromBase64(reader.value('v'));
  if (!signature || !reader.isOver) throw new MalformedScram('Malformed server-final-message.');
  return areEqual(signature, serverSignature);
}
