/** The messages of a login, from both sides (https://www.postgresql.org/docs/18/protocol-message-formats.html). */
import { ProtocolViolation } from './reader.js';
import { Backend, Frontend } from './types.js';

/** What an Authentication message asks for, or tells. */
export const Authentication = {
  Ok: 0,
  CleartextPassword: 3,
  MD5Password: 5,
  GSS: 7,
  GSSContinue: 8,
  SSPI: 9,
  SASL: 10,
  SASLContinue: 11,
  SASLFinal: 12,
} as const;

/**
 * The code of an Authentication message, and what stands after it.
 * @param message as a whole
 * @throws ProtocolViolation where it has no code
 */
export function readAuthentication(message: Buffer): { readonly code: number; readonly data: Buffer } {
  if (message.length < 9) throw new ProtocolViolation('an authentication request is cut short');
  return { code: message.readUInt32BE(5), data: message.subarray(9) };
}

/** The mechanisms of an AuthenticationSASL. */
export function readMechanisms(data: Buffer): readonly string[] {
  return data.toString('latin1').split('\0').filter(Boolean);
}

export function authenticationSasl(mechanisms: readonly string[]): Buffer {
  return authentication(Authentication.SASL, `${mechanisms.join('\0')}\0\0`);
}

export function authenticationSaslContinue(data: string): Buffer {
  return authentication(Authentication.SASLContinue, data);
}

export function authenticationSaslFinal(data: string): Buffer {
  return authentication(Authentication.SASLFinal, data);
}

/**
 * A client's SASLInitialResponse.
 * @param body what stands after the length of the message
 * @returns no data where the client wants to be asked for it; texts have one character for each byte
 * @throws ProtocolViolation
 */
export function readSaslInitialResponse(body: Buffer): {
  readonly mechanism: string;
  readonly data: string | undefined;
} {
  const end = body.indexOf(0);
  if (end < 0) throw new ProtocolViolation('invalid string in message');
  if (body.length < end + 5) throw new ProtocolViolation('insufficient data left in message');
  const length = body.readInt32BE(end + 1);
  const data = body.subarray(end + 5);
  if (length > data.length) throw new ProtocolViolation('insufficient data left in message');
  if (length < data.length && (length !== -1 || data.length > 0))
    throw new ProtocolViolation('invalid message format');
  return {
    mechanism: body.toString('latin1', 0, end),
    data: length === -1 ? undefined : data.toString('latin1'),
  };
}

export function saslInitialResponse(mechanism: string, data: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(data.length);
  const [name, text] = [Buffer.from(`${mechanism}\0`, 'latin1'), Buffer.from(data, 'latin1')];
  return framed(Frontend.Password, Buffer.concat([name, length, text]));
}

export function saslResponse(data: string): Buffer {
  return framed(Frontend.Password, Buffer.from(data, 'latin1'));
}

export function passwordMessage(password: string): Buffer {
  return framed(Frontend.Password, Buffer.from(`${password}\0`));
}

/** @param data with one character for each byte */
function authentication(code: number, data: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(code);
  return framed(Backend.Authentication, Buffer.concat([head, Buffer.from(data, 'latin1')]));
}

function framed(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
