/** The answers that come after a COPY has failed among whose data Syncs were sent, up to the CloseComplete (copy-in.ts). */
import { whole } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { ReplyHandler, Verdict } from '../server/outstanding-replies.js';

export interface AnsweredSyncs {
  /** How many of the client's Syncs the server has answered. */
  readonly ofClient: number;
  /** Whether the server was skipping messages, up to a Sync, when the proxy's own Sync came. */
  readonly wasSkipping: boolean;
}

/** Forwards what answers the client's Syncs, and swallows the last ReadyForQuery, which answers the proxy's, and what comes next. */
export class CountedSyncs implements ReplyHandler {
  readonly #counted: (syncs: AnsweredSyncs) => void;
  #readies = 0;
  /** Whether the server skips messages since the last ReadyForQuery; and whether it did so before that. */
  #isSkipping: boolean;
  #wasSkipping: boolean;
  /** The last message, if it was a ReadyForQuery: it is the client's if another one follows. */
  #held: Buffer = Buffer.alloc(0);

  /** @param isSkipping whether the server skips messages, up to a Sync, from the error of the COPY on */
  constructor(isSkipping: boolean, counted: (syncs: AnsweredSyncs) => void) {
    this.#counted = counted;
    this.#isSkipping = isSkipping;
    this.#wasSkipping = isSkipping;
  }

  receive(message: Message): Verdict {
    if (message.type === Backend.CloseComplete) {
      this.#counted({ ofClient: this.#readies - 1, wasSkipping: this.#wasSkipping });
      return 'swallow';
    }
    const before = this.#held;
    if (message.type === Backend.ReadyForQuery) {
      this.#readies++;
      this.#wasSkipping = this.#isSkipping;
      this.#isSkipping = false;
      this.#held = whole(message);
      return before;
    }
    this.#held = Buffer.alloc(0);
    this.#isSkipping ||= message.type === Backend.ErrorResponse;
    return Buffer.concat([before, whole(message)]);
  }

  skipped(): void {
    this.#counted({ ofClient: 0, wasSkipping: false });
  }
}
