/** The answers after a COPY that has failed with Syncs among its data, up to the CloseComplete (copy-in.ts). */
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

/** Forwards the answers to the client's Syncs; swallows the last ReadyForQuery, which answers CopyIn's own Sync, and the CloseComplete. */
export class CountedSyncs implements ReplyHandler {
  readonly #counted: (syncs: AnsweredSyncs) => void;
  #readies = 0;
  /** Whether the server skips messages now, and whether it did so before the last ReadyForQuery. */
  #isSkipping: boolean;
  #wasSkipping: boolean;
  /** The last message, if it was a ReadyForQuery: only if another one follows, it is the client's. */
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
