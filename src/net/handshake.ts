import type { Duplex } from 'node:stream';
import { NO_ENCRYPTION } from '../wire/backend.js';
import { ProtocolViolation } from '../wire/reader.js';
import { readStartupPacket, type StartupPacket } from '../wire/startup.js';

export type Opening = Exclude<StartupPacket, { kind: 'ssl' | 'gssenc' }>;

/** A client may ask for each kind of encryption once before it says what it wants. */
const MOST_REQUESTS = 3;

/**
 * Reads from a new client what it wants: a session, a cancel, or nothing that can be read. Requests for encryption are answered "no".
 * The stream is then paused, and what was sent behind the packet is put back into it.
 * @returns undefined where the client goes away without a word, as health checks do
 * @throws ProtocolViolation
 */
export function readOpening(client: Duplex): Promise<Opening | undefined> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    let requests = 0;
    const settle = (settled: () => void) => {
      client.pause();
      client.off('data', came).off('end', gone).off('close', gone);
      settled();
    };
    const gone = () => settle(() => resolve(undefined));
    const came = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        for (let found = readStartupPacket(bytes); found; found = readStartupPacket(bytes)) {
          const { packet, size } = found;
          bytes = bytes.subarray(size);
          if (packet.kind !== 'ssl' && packet.kind !== 'gssenc') {
            settle(() => resolve(packet));
            if (bytes.length > 0) client.unshift(bytes);
            return;
          }
          if (++requests > MOST_REQUESTS) throw new ProtocolViolation('too many encryption requests');
          client.write(NO_ENCRYPTION);
        }
      } catch (error) {
        settle(() => reject(error));
      }
    };
    client.on('data', came).once('end', gone).once('close', gone);
  });
}
