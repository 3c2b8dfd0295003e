/** How a client is told that it cannot have the protocol that it asks for (SendNegotiateProtocolVersion in backend_startup.c). */
import { Backend } from './types.js';

/** Of a startup packet: the version that every server speaks, and the last one there is. */
const [OLDEST, LATEST] = [0x30000, 0x30002];
const HEADER = 8;
/** How the names of protocol options begin. */
const OPTION = '_pq_.';

export interface Negotiated {
  /** For the client: the version that is spoken, and the options that it does not get. */
  readonly answer: Buffer;
  /** For the server, which has nothing to negotiateVersion then. */
  readonly startup: Buffer;
}

/**
 * For a client that is answered before a server is asked: one that wants what no server has is told to speak 3.0, which all
 * servers do. What some of them have, 3.2, is left to the server to say.
 * @param startup a startup packet as a whole
 * @returns undefined where the server is to decide
 */
export function negotiateVersion(startup: Buffer): Negotiated | undefined {
  const parameters = readParameters(startup);
  const options = parameters.filter(([name]) => name.startsWith(OPTION));
  if (startup.readUInt32BE(4) <= LATEST && options.length === 0) return undefined;
  const kept = parameters.filter(([name]) => !name.startsWith(OPTION));
  const packet = Buffer.concat([Buffer.alloc(HEADER), text(kept.flat()), Buffer.alloc(1)]);
  packet.writeUInt32BE(packet.length, 0);
  packet.writeUInt32BE(OLDEST, 4);
  return { answer: negotiateProtocolVersion(options.map(([name]) => name)), startup: packet };
}

function negotiateProtocolVersion(options: readonly string[]): Buffer {
  const names = text(options);
  const message = Buffer.alloc(13 + names.length);
  message[0] = Backend.NegotiateProtocolVersion;
  message.writeUInt32BE(message.length - 1, 1);
  message.writeUInt32BE(OLDEST, 5);
  message.writeUInt32BE(options.length, 9);
  names.copy(message, 13);
  return message;
}

/** Names and values up to an empty name, with one character for each byte. */
function readParameters(startup: Buffer): readonly (readonly [name: string, value: string])[] {
  const fields = startup.toString('latin1', HEADER).split('\0');
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < fields.length && fields[i] !== ''; i += 2)
    found.push([fields[i] ?? '', fields[i + 1] ?? '']);
  return found;
}

function text(strings: readonly string[]): Buffer {
  return Buffer.from(strings.map((string) => `${string}\0`).join(''), 'latin1');
}
