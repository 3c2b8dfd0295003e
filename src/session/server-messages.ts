/** The server's half of a session: takes its messages in order, and gives the client what becomes of them. */
import { readTag, saysFatal } from '../wire/backend.js';
import type { Message } from '../wire/reader.js';
import { Backend } from '../wire/types.js';
import type { SessionCatalog } from './catalog/session-catalog.js';
import type { Output } from './server/output.js';
import type { OutstandingReplies, Verdict } from './server/outstanding-replies.js';
import type { ServerState } from './server/server-state.js';

export interface ServerMessagesOptions {
  readonly client: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly catalog: SessionCatalog;
}

export class ServerMessages {
  readonly #options: ServerMessagesOptions;
  #hasSaidWhy = false;

  constructor(options: ServerMessagesOptions) {
    this.#options = options;
  }

  /** Whether the server has told the client that, and why, it ends the connection. */
  get hasSaidWhy(): boolean {
    return this.#hasSaidWhy;
  }

  take(message: Message): void {
    const { client, catalog, replies, state } = this.#options;
    switch (message.type) {
      case Backend.NoticeResponse:
        this.#give(message, replies.notice(message));
        return;
      case Backend.NotificationResponse:
      case Backend.BackendKeyData:
        client.forward(message);
        return;
      case Backend.ParameterStatus:
        if (state.noteParameter(message) === 'search_path') catalog.invalidateFor('settings');
        client.forward(message);
        return;
      case Backend.ReadyForQuery:
        state.noteStatus(message);
        break;
      case Backend.ErrorResponse:
        this.#hasSaidWhy ||= saysFatal(message);
        break;
      case Backend.CommandComplete:
        if (catalog.changing && readTag(message) === 'COMMIT') catalog.committed();
        break;
      default:
    }
    this.#give(message, replies.receive(message));
  }

  #give(message: Message, verdict: Verdict): void {
    if (verdict === 'forward') this.#options.client.forward(message);
    else if (verdict !== 'swallow') this.#options.client.write(verdict);
  }
}
