/** Authentication messages (https://www.postgresql.org/docs/18/protocol-message-formats.html). */
import { type ErrorFields, Field } from './backend.js';
import type { Message } from './reader.js';
import { Backend } from './types.js';

/** AuthenticationOk and AuthenticationSASLFinal are the two that a client does not answer. */
const UNANSWERED = new Set([0, 12]);
/** AuthenticationSASL: the names of mechanisms, each terminated, and an empty one. */
const SASL = 10;
const WITH_CHANNEL_BINDING = '-PLUS';

/** Whether the server waits for the client's answer to this Authentication message. */
export function asksForAnswer({ buffer, start }: Message): boolean {
  return !UNANSWERED.has(buffer.readUInt32BE(start + 5));
}

/**
 * The message without the mechanisms that bind a login to the TLS connection on which it is made. A client whose connection
 * is another one cannot use them, and libpq takes their offer on a connection in clear for an attack.
 * @returns undefined where it offers none, or nothing else
 */
export function withoutChannelBinding({ buffer, start, end }: Message): Buffer | undefined {
  const whole = buffer.subarray(start, end);
  if (whole.readUInt32BE(5) !== SASL) return undefined;
  const offered = whole.toString('latin1', 9).split('\0').filter(Boolean);
  const left = offered.filter((name) => !name.endsWith(WITH_CHANNEL_BINDING));
  if (left.length === offered.length || left.length === 0) return undefined;
  const names = Buffer.from(`${left.join('\0')}\0\0`, 'latin1');
  const message = Buffer.alloc(9 + names.length);
  message[0] = Backend.Authentication;
  message.writeUInt32BE(message.length - 1, 1);
  message.writeUInt32BE(SASL, 5);
  names.copy(message, 9);
  return message;
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
