/**
 * The packets that open a connection. They have no type byte: a length, a code, and the content of that code
 * (https://www.postgresql.org/docs/18/protocol-message-formats.html).
 */
import { internedTexts } from './interned.js';

const SSL_CODE = 80877103;
const GSSENC_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH), which does not count the length field, and four bytes for that field. */
const LONGEST = 10_004;
/** Protocol 3.2 allows keys of up to 256 bytes (ProcessCancelRequestPacket). */
const SHORTEST_KEY = 1;
const LONGEST_KEY = 256;

/** `none`: PostgreSQL closes the connection without a word. `foreign`: a protocol that is not 3, which it refuses. */
export type StartupPacket =
  | { readonly kind: 'none' }
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  | { readonly kind: 'cancel'; readonly raw: Buffer; readonly key: string }
  | { readonly kind: 'foreign'; readonly raw: Buffer }
  | { readonly kind: 'startup'; readonly raw: Buffer; readonly parameters: ReadonlyMap<string, string> };

const NONE: StartupPacket = { kind: 'none' };

/**
 * Reads the startup packet at the start of `bytes`, as far as PostgreSQL reads it before its first answer
 * (ProcessStartupPacket in backend_startup.c).
 * @returns the packet and its size, or undefined when it is not whole yet
 */
export function readStartupPacket(bytes: Buffer): { packet: StartupPacket; size: number } | undefined {
  if (bytes.length < 4) return undefined;
  const size = bytes.readUInt32BE(0);
  if (size < 8 || size > LONGEST) return { packet: NONE, size: bytes.length };
  if (bytes.length < size) return undefined;
  const raw = Buffer.from(bytes.subarray(0, size));
  return { packet: decode(raw), size };
}

function decode(raw: Buffer): StartupPacket {
  const code = raw.readUInt32BE(4);
  if (code === SSL_CODE) return { kind: 'ssl' };
  if (code === GSSENC_REQUEST) return { kind: 'gssenc' };
  if (code === CANCEL_REQUEST) {
    const keyLength = raw.length - 12;
    if (keyLength < SHORTEST_KEY || keyLength > LONGEST_KEY) return NONE;
    return { kind: 'cancel', raw, key: cancelKey(raw.subarray(8)) };
  }
  return code >>> 16 === 3 ? { kind: 'startup', raw, parameters: parameters(raw) } : { kind: 'foreign', raw };
}

/** Names and values up to an empty name. The server refuses a packet that does not end with an empty name. */
function parameters(raw: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const fields = internedTexts(raw, 8, raw.length);
  for (let i = 0; i + 1 < fields.length && fields[i] !== ''; i += 2)
    found.set(fields[i] ?? '', fields[i + 1] ?? '');
  return found;
}

/** The process id and secret key of BackendKeyData or a cancel request, as the key of a map. */
export function cancelKey(processAndSecret: Buffer): string {
  return processAndSecret.toString('hex');
}

/** Asks a server whether it encrypts. It answers with one byte: S or N. */
export const SSL_REQUEST: Buffer = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** A cancel request for the session that this key belongs to, as `cancelKey` gives it. */
export function cancelRequest(key: string): Buffer {
  const head = Buffer.alloc(8);
  const packet = Buffer.concat([head, Buffer.from(key, 'hex')]);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(CANCEL_REQUEST, 4);
  return packet;
}
