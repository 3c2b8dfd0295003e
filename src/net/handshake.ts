import type { Duplex } from 'node:stream';
import { NO_ENCRYPTION } from '../wire/backend.js';
import { Block } from '../wire/block.js';
import { ProtocolViolation } from '../wire/reader.js';
import { readStartupPacket, type StartupPacket } from '../wire/startup.js';

export type Opening = Exclude<StartupPacket, { kind: 'ssl' | 'gssenc' }>;

/**
 * Reads from a new client what it wants: a session, a cancel, or nothing that can be read. Requests for encryption are answered
 * "no", one of each kind; before the answer nothing may stand behind them (ProcessStartupPacket in backend_startup.c).
 * The stream is then paused, and what was sent behind the packet is put back into it.
 * @returns undefined where the client goes away without a word, as health checks do
 * @throws ProtocolViolation
 */
export function readOpening(client: Duplex): Promise<Opening | undefined> {
  return new Promise((resolve, reject) => {
    const come = new Block();
    const refused = new Set<StartupPacket['kind']>();
    const settle = (settled: () => void) => {
      client.pause();
      client.off('data', came).off('end', gone).off('close', gone);
      settled();
    };
    const gone = () => settle(() => resolve(undefined));
    const came = (chunk: Buffer) => {
      come.append(chunk);
      const found = readStartupPacket(come.bytes);
      if (found === undefined) return;
      const { packet, size } = found;
      const behind = come.bytes.subarray(size);
      if (packet.kind !== 'ssl' && packet.kind !== 'gssenc') {
        settle(() => resolve(packet));
        if (behind.length > 0) client.unshift(behind);
        return;
      }
      const name = packet.kind === 'ssl' ? 'SSL' : 'GSSAPI encryption';
      const refuse = (reason: string) => settle(() => reject(new ProtocolViolation(reason)));
      if (refused.has(packet.kind)) return refuse(`received a second ${name} request`);
      refused.add(packet.kind);
      client.write(NO_ENCRYPTION);
      if (behind.length > 0) return refuse(`received unencrypted data after ${name} request`);
      come.clear();
    };
    client.on('data', came).once('end', gone).once('close', gone);
  });
}
