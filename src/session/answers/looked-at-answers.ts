/** The answers to a statement at which another one behind it looks: the client gets them when that has found nothing wrong. */
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { Verdict } from '../server/outstanding-replies.js';
import { copyOf, HeldAnswers } from './held-answers.js';

export class LookedAtAnswers {
  /** Rows, natively behind the look: those beyond what can be held come before it. */
  readonly #rows = new HeldAnswers(true);
  #last: Buffer | undefined;

  /**
   * @param verdict what the client gets of the message
   * @returns what it gets now
   */
  hold(verdict: Verdict, message: Message): Verdict {
    // A COPY is answered when its data have come.
    if (message.type === Backend.CopyInResponse) return verdict;
    if (verdict === 'swallow' || !LAST.has(message.type)) return this.#rows.hold(verdict, message);
    this.#last = copyOf(verdict, message);
    return 'swallow';
  }

  /** Nothing was found wrong. @returns what the client gets now */
  end(): Verdict {
    const rows = this.#rows.end();
    const last = this.#last ?? Buffer.alloc(0);
    return Buffer.concat([...(rows instanceof Buffer ? [rows] : []), last]);
  }
}

/** What ends the answer to a statement, or to one portion of its rows. */
const LAST: ReadonlySet<number> = new Set([Backend.CommandComplete, Backend.PortalSuspended]);
