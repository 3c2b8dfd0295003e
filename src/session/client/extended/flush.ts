/** Flush: has the server send the answers that it holds back (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface FlushParts extends ServerSide {
  readonly unit: UnitOfWork;
}

export class Flush extends MessageHandler<FlushParts> {
  /** The server answers no Flush, but one with contents, which no Flush has: with an error. */
  take(message: Message): undefined {
    const { server, unit } = this.parts;
    if (message.end - message.start === write.flush().length) {
      server.forward(message);
      return undefined;
    }
    unit.begin();
    return forward(message, 'Flush', this.parts);
  }
}
