/** Close: drops a prepared statement or a portal (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import { readTarget } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { undoneReplies } from '../../answers/results.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { Portals } from '../portals.js';
import type { PreparedStatements } from '../prepared-statements.js';

interface CloseParts extends ServerSide {
  readonly prepared: PreparedStatements;
  readonly portals: Portals;
}

export class Close extends MessageHandler<CloseParts> {
  take(message: Message): Promise<void> | undefined {
    const { portals, prepared } = this.parts;
    const target = readTarget(message);
    // The server refuses what is not well-formed.
    if (target === undefined) return forward(message, 'Close', this.parts);
    const { kind, name } = target;
    const rebound = kind === 'S' && name === '' ? portals.rebindNext() : undefined;
    if (rebound) return rebound.then(() => this.take(message));
    const undo = (kind === 'S' ? prepared : portals).forget(name);
    return forward(message, 'Close', this.parts, undo && undoneReplies(undo));
  }
}
