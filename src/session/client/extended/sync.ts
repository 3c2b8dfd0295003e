/** Sync: ends the unit of work, and the skipping that an error has begun (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import type { Message } from '../../../wire/reader.js';
import type { Jit } from '../../server/jit.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { UnitEnd } from '../unit-end.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface SyncParts extends ServerSide {
  readonly jit: Jit;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class Sync extends MessageHandler<SyncParts> {
  take(message: Message): undefined {
    const { jit, unit, unitEnd } = this.parts;
    jit.endUnit();
    unitEnd.end(unit.isInBlock === true);
    return forward(message, 'Sync', this.parts);
  }
}
