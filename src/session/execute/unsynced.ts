/**
 * An Execute whose answer the client has not got: its transaction is committed by the Sync after it, and a server that counts what a
 * transaction has changed may end it only then. A server owes no answer before a Sync or a Flush (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY),
 * so that the client misses nothing.
 */
import type { SessionEvents } from '../../observe/session-events.js';
import type { Rewrite } from '../../rewrite/text.js';
import { whole, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { HeldAnswers } from '../answers/held-answers.js';
import type { LimitWatch } from '../answers/limit-watch.js';
import type { Decider } from '../decide/decider.js';
import type { Jit } from '../server/jit.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies, Verdict } from '../server/outstanding-replies.js';
import { SCRATCH } from '../server/own-statements.js';

interface UnsyncedParts {
  readonly decider: Pick<Decider, 'translation'>;
  readonly events: Pick<SessionEvents, 'retried'>;
  readonly jit: Jit;
  readonly replies: OutstandingReplies;
  readonly server: Output;
}

interface Executed {
  readonly rewrite: Rewrite;
  readonly limit: LimitWatch;
  /** Does it again in batches. */
  readonly redo: () => Promise<void>;
}

export class Unsynced {
  readonly #parts: UnsyncedParts;
  #executed: Executed | undefined;

  constructor(parts: UnsyncedParts) {
    this.#parts = parts;
  }

  /** An Execute is done. The client's next message has not been taken. */
  executed(executed: Executed): void {
    if (executed.limit.keeps) this.#executed = executed;
  }

  /** The client sends something else than a Sync: it gets the answer first. */
  answer(): void {
    const { limit } = this.#executed ?? {};
    this.#executed = undefined;
    if (limit === undefined) return;
    const { replies, server } = this.#parts;
    server.write(write.close('S', SCRATCH));
    replies.expect('Close', { receive: () => limit.give(), skipped: () => void limit.give() });
  }

  /**
   * Sends the client's Sync, where an answer waits for it.
   * @returns undefined where none does; else a promise of whether batches were done in its place: then it is still to be sent
   */
  sync(): Promise<boolean> | undefined {
    const executed = this.#executed;
    this.#executed = undefined;
    return executed && this.#sync(executed);
  }

  async #sync({ rewrite, limit, redo }: Executed): Promise<boolean> {
    const { events, jit, replies } = this.#parts;
    await this.#committed(rewrite, limit);
    if (limit.error === undefined || replies.ended) return false;
    jit.lost();
    events.retried('limitReached');
    await redo();
    return true;
  }

  #committed(rewrite: Rewrite, limit: LimitWatch): Promise<void> {
    const { decider, replies, server } = this.#parts;
    const translation = decider.translation(rewrite);
    // What the server says as it commits comes after the answer.
    const notices = new HeldAnswers(true);
    const answered = (message: Message): Verdict => {
      const answer = limit.give();
      const rest = notices.end(whole(message));
      return answer instanceof Buffer ? Buffer.concat([answer, rest]) : rest;
    };
    return new Promise((resolve) => {
      server.write(write.sync());
      replies.expect('Sync', {
        receive(message) {
          if (message.type === Backend.ReadyForQuery) resolve();
          else if (limit.intercepts(message, rewrite.treatments[0], translation)) return 'swallow';
          return limit.error ? 'swallow' : answered(message);
        },
        notice: (notice) => notices.hold('forward', notice),
        // The session is over, and nobody gets an answer. Whether the server has committed is not known: the listeners are told that it was done.
        skipped() {
          limit.give();
          resolve();
        },
      });
      server.flush();
    });
  }
}
