/** Sync: ends the unit of work, and the skipping that an error has begun (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */

import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import type { Executor } from '../../execute/executor.js';
import type { Jit } from '../../server/jit.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { UnitEnd } from '../unit-end.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface SyncParts extends ServerSide {
  readonly executor: Executor;
  readonly jit: Jit;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class Sync extends MessageHandler<SyncParts> {
  take(message: Message): Promise<void> | undefined {
    const { executor, jit, unit, unitEnd } = this.parts;
    jit.endUnit();
    unitEnd.end(unit.isInBlock === true);
    const synced = executor.unsynced.sync();
    return synced
      ? synced.then((isUnsent) => (isUnsent ? this.#sendAfterBatches() : undefined))
      : forward(message, 'Sync', this.parts);
  }

  /** The client's Sync still has no answer: batches were done in its place, in transactions of their own. */
  #sendAfterBatches(): void {
    const { jit, replies, server, unitEnd } = this.parts;
    if (replies.ended) return;
    jit.endUnit();
    unitEnd.end(false);
    server.write(write.sync());
    replies.expect('Sync');
  }
}
