import { TransactionStatus } from '../../wire/types.js';
import type { OutstandingReplies } from './outstanding-replies.js';
import type { ServerState } from './server-state.js';

/**
 * What is certain of the server's transaction. As long as an answer is outstanding nothing is: what the server executes
 * meanwhile may begin a transaction or end it.
 */
export class TransactionState {
  readonly #replies: Pick<OutstandingReplies, 'settled'>;
  readonly #server: Pick<ServerState, 'status'>;

  constructor(replies: Pick<OutstandingReplies, 'settled'>, server: Pick<ServerState, 'status'>) {
    this.#replies = replies;
    this.#server = server;
  }

  /** Whether one of the three others holds. */
  get isKnown(): boolean {
    return this.#replies.settled;
  }

  /** No transaction is open: the next query is one of its own. */
  get isIdle(): boolean {
    return this.isKnown && this.#server.status === TransactionStatus.Idle;
  }

  get isOpen(): boolean {
    return this.isKnown && this.#server.status === TransactionStatus.Open;
  }

  /** An error has ended all but its block: the server refuses every statement but ROLLBACK. */
  get hasFailed(): boolean {
    return this.isKnown && this.#server.status === TransactionStatus.Failed;
  }
}
