/** The answers to a guarded statement that has follow-ups: the client gets them when those have found nothing wrong. */
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { Verdict } from '../server/outstanding-replies.js';
import { copyOf, HeldAnswers } from './held-answers.js';

export class GuardedAnswers {
  /** The client gets rows that are more than can be held before the follow-ups have ended: natively they come after the look. */
  readonly #rows = new HeldAnswers(true);
  #last: Buffer | undefined;

  /**
   * @param verdict what the client gets of the message
   * @returns what it gets now
   */
  hold(verdict: Verdict, message: Message): Verdict {
    // The client sends the data of a COPY only after this message.
    if (message.type === Backend.CopyInResponse) return verdict;
    if (verdict === 'swallow' || !LAST.has(message.type)) return this.#rows.hold(verdict, message);
    this.#last = copyOf(verdict, message);
    return 'swallow';
  }

  /** The follow-ups have found nothing wrong. @returns what the client gets now */
  end(): Verdict {
    const rows = this.#rows.end();
    const last = this.#last ?? Buffer.alloc(0);
    return Buffer.concat([...(rows instanceof Buffer ? [rows] : []), last]);
  }
}

/** What ends the answer to a statement, or to one portion of its rows. */
const LAST: ReadonlySet<number> = new Set([Backend.CommandComplete, Backend.PortalSuspended]);
