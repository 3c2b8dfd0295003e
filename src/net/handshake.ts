import type { Socket } from 'node:net';
import { ENCRYPTION, NO_ENCRYPTION } from '../wire/backend.js';
import { Block } from '../wire/block.js';
import { ProtocolViolation } from '../wire/reader.js';
import { readStartupPacket, type StartupPacket } from '../wire/startup.js';
import type { ClientConnection, TlsOffer } from './client-connection.js';

export type Opening = Exclude<StartupPacket, { kind: 'ssl' | 'gssenc' }>;

/** The first byte of a TLS handshake: no startup packet is so long that its length begins with it. */
const TLS_HANDSHAKE = 0x16;

/** What comes first, and what has come after it. */
interface First {
  readonly packet: StartupPacket | { readonly kind: 'handshake' };
  readonly after: Buffer;
}

/**
 * Reads the startup packet of a new client: a session, a cancel request, or bytes that are neither. Before it, the client may
 * begin TLS, or ask for it, and ask for GSSAPI encryption, which it does not get; it has to wait for the answers
 * (ProcessSSLStartup and ProcessStartupPacket in backend_startup.c). The client's stream is then paused, and the bytes after
 * the packet are put back into it.
 * @param tls undefined where the client does not get TLS
 * @returns undefined where the client closes the connection before it has sent a packet, as health checks do
 * @throws ProtocolViolation
 * @throws ProxyError PGC_TLS_HANDSHAKE
 */
export async function readOpening(
  client: ClientConnection,
  tls: TlsOffer | undefined,
): Promise<Opening | undefined> {
  const asked = new Set<StartupPacket['kind']>();
  for (let mayBegin = tls !== undefined; ; mayBegin = false) {
    const first = await readFirst(client.stream, mayBegin);
    if (first === undefined) return undefined;
    const { packet, after } = first;
    switch (packet.kind) {
      case 'handshake':
        client.stream.unshift(after);
        if (tls) await client.encrypt(tls, 'direct');
        break;
      case 'ssl':
      case 'gssenc':
        await answerRequest(client, packet.kind === 'ssl' ? tls : undefined, first, asked);
        asked.add(packet.kind);
        break;
      case 'none':
      case 'cancel':
      case 'foreign':
      case 'startup':
        if (after.length > 0) client.stream.unshift(after);
        return packet;
      default:
        packet satisfies never;
    }
  }
}

/**
 * Answers a request for encryption, and encrypts. What has come after it is not encrypted, and may be somebody else's: to
 * take it for the client's own would be CVE-2021-23222.
 */
async function answerRequest(
  client: ClientConnection,
  tls: TlsOffer | undefined,
  { packet: { kind }, after }: First,
  asked: ReadonlySet<string>,
): Promise<void> {
  const name = kind === 'ssl' ? 'SSL' : 'GSSAPI encryption';
  if (asked.has(kind)) throw new ProtocolViolation(`received a second ${name} request`);
  if (client.transport.kind === 'tls')
    throw new ProtocolViolation(`received a request for ${name} on an encrypted connection`);
  if (tls === undefined) client.stream.write(NO_ENCRYPTION);
  if (after.length > 0) throw new ProtocolViolation(`received unencrypted data after ${name} request`);
  if (tls === undefined) return;
  client.stream.write(ENCRYPTION);
  await arrival(client.stream);
  await client.encrypt(tls, 'asked');
}

/**
 * Waits for the first bytes of a handshake, and leaves them in the stream. What comes after `node:tls` has taken the stream is read into
 * a buffer of 64 KB that lasts as long as the connection; for what is there before, it makes one of that size.
 */
function arrival(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      client.pause();
      client.off('data', came).off('end', settle).off('close', settle);
      resolve();
    };
    const came = (chunk: Buffer) => {
      settle();
      client.unshift(chunk);
    };
    client.on('data', came).once('end', settle).once('close', settle).resume();
    if (client.closed || client.readableEnded) settle();
  });
}

/** @returns undefined where the client is gone before that is whole */
function readFirst(client: Socket, mayBegin: boolean): Promise<First | undefined> {
  return new Promise((resolve) => {
    const received = new Block();
    const settle = (first: First | undefined) => {
      client.pause();
      client.off('data', came).off('end', gone).off('close', gone);
      resolve(first);
    };
    const gone = () => settle(undefined);
    const came = (chunk: Buffer) => {
      received.append(chunk);
      const { bytes } = received;
      if (mayBegin && bytes[0] === TLS_HANDSHAKE)
        return settle({ packet: { kind: 'handshake' }, after: bytes });
      const found = readStartupPacket(bytes);
      if (found) settle({ packet: found.packet, after: bytes.subarray(found.size) });
    };
    client.on('data', came).once('end', gone).once('close', gone).resume();
    if (client.closed || client.readableEnded) gone();
  });
}
