/** A client proves to the proxy that it knows its password, by SCRAM (protocol-flow.html, sasl-authentication.html). */
import { randomBytes } from 'node:crypto';
import { ProxyError } from '../../errors.js';
import { ProtocolViolation } from '../../wire/reader.js';
import {
  authenticationSasl,
  authenticationSaslContinue,
  authenticationSaslFinal,
  readSaslInitialResponse,
} from '../../wire/sasl.js';
import { MalformedScram } from '../scram/attributes.js';
import { challenge, mechanismsFor, verify } from '../scram/verifier.js';
import type { User } from '../users/users.js';
import type { ClientDialogue } from './client-dialogue.js';

/** PostgreSQL's length of a nonce (SCRAM_RAW_NONCE_LEN), in bytes before it is text. */
export const NONCE_BYTES = 18;

export interface VerifiedPassword {
  /** The client's key, which only who knows the password can have. */
  readonly clientKey: Buffer;
  /** For the client: the proxy's own proof, to be sent before anything else. */
  readonly final: Buffer;
}

/**
 * @param name of the user, for the error
 * @param user whom the client says it is, or one that nobody is: that costs as much
 * @param endPoint as `mechanismsFor` takes it
 * @returns undefined where the client answers no more
 * @throws ProxyError where it does not know the password, or what it says is no SCRAM
 */
export async function verifyPassword(
  dialogue: ClientDialogue,
  name: string,
  user: User,
  endPoint: Buffer | undefined,
): Promise<VerifiedPassword | undefined> {
  try {
    return await ask(dialogue, name, user, endPoint);
  } catch (error) {
    if (error instanceof MalformedScram)
      throw new ProxyError('PGC_SCRAM', { message: 'malformed SCRAM message', detail: error.message });
    if (error instanceof ProtocolViolation)
      throw new ProxyError('PGC_SCRAM', { message: error.message, detail: '' });
    throw error;
  }
}

async function ask(
  dialogue: ClientDialogue,
  name: string,
  { scram, known }: User,
  endPoint: Buffer | undefined,
): Promise<VerifiedPassword | undefined> {
  const first = await dialogue.ask(authenticationSasl(mechanismsFor(endPoint)));
  if (!first) return undefined;
  const { mechanism, data } = readSaslInitialResponse(first);
  const message = data ?? (await dialogue.ask(authenticationSaslContinue('')))?.toString('latin1');
  if (message === undefined) return undefined;
  const nonce = randomBytes(NONCE_BYTES).toString('base64');
  const state = challenge(mechanism, message, endPoint, scram, nonce);
  const last = await dialogue.ask(authenticationSaslContinue(state.serverFirst));
  if (!last) return undefined;
  const proven = verify(state, last.toString('latin1'));
  if (!proven || !known) throw new ProxyError('PGC_PASSWORD', { user: name });
  return { clientKey: proven.clientKey, final: authenticationSaslFinal(proven.serverFinal) };
}
