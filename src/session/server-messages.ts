/** The server's half of a session: takes its messages in order, and gives the client what becomes of them. */
import type { SessionEvents } from '../observe/session-events.js';
import { Field, readErrorFields, readTag, saysFatal } from '../wire/backend.js';
import { type Message, MessageReader } from '../wire/reader.js';
import { BACKEND_TYPES, Backend, LONGEST_BACKEND_MESSAGE, TransactionStatus } from '../wire/types.js';
import type { SessionCatalog } from './catalog/session-catalog.js';
import type { Output } from './server/output.js';
import type { OutstandingReplies, Verdict } from './server/outstanding-replies.js';
import type { ServerState } from './server/server-state.js';
import type { TransactionState } from './server/transaction-state.js';

/** What a client is doing, as the server sees it: it waits for an answer, asks nothing, or nothing with a transaction open. */
export type Activity = 'active' | 'idle' | 'transaction';

interface ServerMessagesOptions {
  readonly client: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly transaction: TransactionState;
  readonly catalog: SessionCatalog;
  /** Is told of what is forwarded unread; the handlers of expected replies tell of the rest. */
  readonly events: Pick<SessionEvents, 'executed' | 'failedByServer'>;
}

export class ServerMessages {
  readonly #options: ServerMessagesOptions;
  readonly #reader: MessageReader;
  #hasSaidWhy = false;

  constructor(options: ServerMessagesOptions) {
    this.#options = options;
    const isUnread = (type: number) =>
      type === Backend.CopyData || (type === Backend.DataRow && options.replies.transparent);
    this.#reader = new MessageReader(BACKEND_TYPES, isUnread, LONGEST_BACKEND_MESSAGE);
  }

  /** Whether the server has answered everything, and no transaction is open. */
  get isIdle(): boolean {
    return this.#options.transaction.isIdle;
  }

  get activity(): Activity {
    const { replies, state } = this.#options;
    if (!replies.settled) return 'active';
    return state.status === TransactionStatus.Idle ? 'idle' : 'transaction';
  }

  /** Whether a part of a message has gone to the client, and the rest has not come yet. */
  get midway(): boolean {
    return this.#reader.midway;
  }

  /** Whether the server has told the client that, and why, it ends the connection. */
  get hasSaidWhy(): boolean {
    return this.#hasSaidWhy;
  }

  /** Gives it what the server has sent, when everything before has been taken. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /**
   * Takes the next message.
   * @returns its type, or undefined where it is not whole yet
   * @throws ProtocolViolation
   */
  takeNext(): number | undefined {
    const message = this.#reader.next();
    if (message) this.#take(message);
    return message?.type;
  }

  #take(message: Message): void {
    const { client, catalog, events, replies, state } = this.#options;
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
        this.#give(message, replies.receive(message));
        if (state.status !== TransactionStatus.Open) catalog.transactionOver();
        if (state.status === TransactionStatus.Idle) catalog.committed();
        return;
      case Backend.ErrorResponse:
        this.#hasSaidWhy ||= saysFatal(message);
        if (replies.transparent) events.failedByServer(readErrorFields(message).get(Field.code) ?? '');
        break;
      case Backend.CommandComplete:
        if (replies.transparent) events.executed();
        if (catalog.mayShowChanges && readTag(message) === 'COMMIT') catalog.committed();
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
