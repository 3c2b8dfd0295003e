/** Sync: ends the unit of work, and after an error what the server skips (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import type { Message } from '../../../wire/reader.js';
import type { Jit } from '../../server/jit.js';
import { forward, type ServerSide } from '../forwarding.js';
import type { UnitEnd } from '../unit-end.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface SyncOptions extends ServerSide {
  readonly jit: Jit;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class Sync {
  readonly #options: SyncOptions;

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  /** As Dispatch.take. */
  take(message: Message): undefined {
    const { jit, unit, unitEnd } = this.#options;
    jit.endUnit();
    unitEnd.end(unit.isInBlock === true);
    return forward(message, 'Sync', this.#options);
  }
}
