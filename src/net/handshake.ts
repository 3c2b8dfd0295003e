import type { Duplex } from 'node:stream';
import { NO_ENCRYPTION } from '../wire/backend.js';
import { Block } from '../wire/block.js';
import { ProtocolViolation } from '../wire/reader.js';
import { readStartupPacket, type StartupPacket } from '../wire/startup.js';

export type Opening = Exclude<StartupPacket, { kind: 'ssl' | 'gssenc' }>;

/**
 * Reads the startup packet of a new client: a session, a cancel request, or bytes that are neither. Before it, the client may
 * ask once each for SSL and for GSSAPI encryption, is answered "no", and has to wait for that answer
 * (ProcessStartupPacket in backend_startup.c). The stream is then paused, and the bytes after the packet are put back into it.
 * @returns undefined where the client closes the connection before it has sent a packet, as health checks do
 * @throws ProtocolViolation
 */
export function readOpening(client: Duplex): Promise<Opening | undefined> {
  return new Promise((resolve, reject) => {
    const received = new Block();
    const refused = new Set<StartupPacket['kind']>();
    const settle = (settled: () => void) => {
      client.pause();
      client.off('data', came).off('end', gone).off('close', gone);
      settled();
    };
    const gone = () => settle(() => resolve(undefined));
    const came = (chunk: Buffer) => {
      received.append(chunk);
      const found = readStartupPacket(received.bytes);
      if (found === undefined) return;
      const { packet, size } = found;
      const after = received.bytes.subarray(size);
      if (packet.kind !== 'ssl' && packet.kind !== 'gssenc') {
        settle(() => resolve(packet));
        if (after.length > 0) client.unshift(after);
        return;
      }
      const name = packet.kind === 'ssl' ? 'SSL' : 'GSSAPI encryption';
      const refuse = (reason: string) => settle(() => reject(new ProtocolViolation(reason)));
      if (refused.has(packet.kind)) return refuse(`received a second ${name} request`);
      refused.add(packet.kind);
      client.write(NO_ENCRYPTION);
      if (after.length > 0) return refuse(`received unencrypted data after ${name} request`);
      received.clear();
    };
    client.on('data', came).once('end', gone).once('close', gone);
  });
}
