/** FunctionCall: calls a function by its object id (protocol-flow.html#PROTOCOL-FLOW-FUNCTION-CALL). */
import type { Message } from '../../wire/reader.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { Jit } from '../server/jit.js';
import { forward, type ServerSide } from './forwarding.js';
import { MessageHandler } from './message-handler.js';
import type { UnitEnd } from './unit-end.js';
import type { UnitOfWork } from './unit-of-work.js';

interface FunctionCallParts extends ServerSide {
  readonly catalog: SessionCatalog;
  readonly jit: Jit;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class FunctionCall extends MessageHandler<FunctionCallParts> {
  /** The proxy does not know what the function does: it may change what names mean. */
  take(message: Message): undefined {
    const { catalog, jit, unit, unitEnd } = this.parts;
    jit.on();
    unitEnd.end(unit.isInBlock === true);
    unit.callFunction();
    catalog.executing();
    return forward(message, 'FunctionCall', this.parts);
  }
}
