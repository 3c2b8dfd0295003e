/**
 * The packets that open a connection. They have no type byte: a length, a code, and what belongs to it
 * (https://www.postgresql.org/docs/18/protocol-message-formats.html).
 */
import { ProtocolViolation } from './reader.js';

const SSL_REQUEST = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH), and the length field, which it does not count. */
const LONGEST = 10_004;
/** Protocol 3.2 allows keys of 4 to 256 bytes. */
const SHORTEST_KEY = 4;
const LONGEST_KEY = 256;

export type StartupPacket =
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  | { readonly kind: 'cancel'; readonly raw: Buffer; readonly key: string }
  | { readonly kind: 'startup'; readonly raw: Buffer; readonly parameters: ReadonlyMap<string, string> };

/**
 * Reads the startup packet at the start of `bytes`.
 * @returns the packet and its size, or undefined when it is not whole yet
 * @throws ProtocolViolation before anything is gathered that no server would accept
 */
export function readStartupPacket(bytes: Buffer): { packet: StartupPacket; size: number } | undefined {
  if (bytes.length < 4) return undefined;
  const size = bytes.readUInt32BE(0);
  if (size < 8 || size > LONGEST) throw new ProtocolViolation('invalid length of startup packet');
  if (bytes.length < size) return undefined;
  const raw = Buffer.from(bytes.subarray(0, size));
  return { packet: decode(raw), size };
}

function decode(raw: Buffer): StartupPacket {
  const code = raw.readUInt32BE(4);
  if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
    if (raw.length !== 8) throw new ProtocolViolation('invalid length of encryption request');
    return { kind: code === SSL_REQUEST ? 'ssl' : 'gssenc' };
  }
  if (code === CANCEL_REQUEST) {
    const keyLength = raw.length - 12;
    if (keyLength < SHORTEST_KEY || keyLength > LONGEST_KEY)
      throw new ProtocolViolation('invalid length of cancel request');
    return { kind: 'cancel', raw, key: cancelKey(raw.subarray(8)) };
  }
  if (code >>> 16 !== 3)
    throw new ProtocolViolation(
      `unsupported frontend protocol ${code >>> 16}.${code & 0xffff}: server supports 3`,
    );
  return { kind: 'startup', raw, parameters: parameters(raw) };
}

function parameters(raw: Buffer): ReadonlyMap<string, string> {
  const fields = raw.toString('utf8', 8).split('\0');
  // Each string ends in a zero byte and so does the list, which leaves two empty fields behind the last value.
  const [terminator, rest] = fields.splice(-2);
  if (raw.length < 9 || terminator !== '' || rest !== '')
    throw new ProtocolViolation('invalid startup packet layout: no terminator');
  if (fields.length % 2 !== 0)
    throw new ProtocolViolation('invalid startup packet layout: a name without a value');
  const found = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) found.set(fields[i] ?? '', fields[i + 1] ?? '');
  return found;
}

/** The process id and secret key of BackendKeyData or a cancel request, as something that can be looked up. */
export function cancelKey(processAndSecret: Buffer): string {
  return processAndSecret.toString('hex');
}
