/** Authentication messages (https://www.postgresql.org/docs/18/protocol-message-formats.html). */
import { type ErrorFields, Field } from './backend.js';
import type { Message } from './reader.js';
import { Authentication, authenticationSasl, readAuthentication, readMechanisms } from './sasl.js';

/** The two that a client does not answer. */
const UNANSWERED: ReadonlySet<number> = new Set([Authentication.Ok, Authentication.SASLFinal]);
const WITH_CHANNEL_BINDING = '-PLUS';

/**
 * Whether the server waits for the client's answer to this Authentication message.
 * @throws ProtocolViolation where the message has no code
 */
export function asksForAnswer({ buffer, start, end }: Message): boolean {
  return !UNANSWERED.has(readAuthentication(buffer.subarray(start, end)).code);
}

/**
 * The message without the mechanisms that may not be used, and without those that bind a login to the TLS connection on which it
 * is made. A client whose connection is another one cannot use these, and libpq takes their offer on a connection in clear for
 * an attack.
 * @param takes whether a mechanism may be used
 * @returns undefined where it offers none of them, or nothing else
 * @throws ProtocolViolation where the message has no code
 */
export function offerForRelay(
  { buffer, start, end }: Message,
  takes: (mechanism: string) => boolean = () => true,
): Buffer | undefined {
  const { code, data } = readAuthentication(buffer.subarray(start, end));
  if (code !== Authentication.SASL) return undefined;
  const offered = readMechanisms(data);
  const taken = offered.filter(takes);
  const unbound = taken.filter((name) => !name.endsWith(WITH_CHANNEL_BINDING));
  const left = unbound.length === 0 ? taken : unbound;
  return left.length === offered.length || left.length === 0 ? undefined : authenticationSasl(left);
}

/**
 * Whether the server refuses a client that thinks that channel binding was not offered to it (read_client_first_message in
 * auth-scram.c). The text may be in any language; the place in the source is not.
 */
export function refusesHiddenOffer(fields: ErrorFields): boolean {
  return (
    fields.get(Field.code) === '28000' &&
    fields.get(Field.file) === 'auth-scram.c' &&
    fields.get(Field.routine) === 'read_client_first_message'
  );
}
