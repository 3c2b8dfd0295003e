/** Holds answers back until the statement can no longer fail, so that another attempt can follow unseen. */
import type { Message } from '../../wire/reader.js';
import type { Verdict } from '../server/outstanding-replies.js';

/** In bytes. A longer answer goes out before its end: no other attempt can follow, and an error comes after its rows. */
const MOST_HELD = 1024 * 1024;

export class HeldAnswers {
  #isHolding: boolean;
  #held: Buffer[] = [];
  #bytes = 0;

  /** @param isHolding whether answers are held at all */
  constructor(isHolding: boolean) {
    this.#isHolding = isHolding;
  }

  /** Whether the client has got nothing yet, so that the attempt may still be followed by another one. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /**
   * Holds an answer.
   * @param verdict what the client gets of the message
   * @returns what the client gets now
   */
  hold(verdict: Verdict, message: Message): Verdict {
    if (!this.#isHolding || verdict === 'swallow') return verdict;
    const answer = copyOf(verdict, message);
    this.#held.push(answer);
    this.#bytes += answer.length;
    return this.#bytes > MOST_HELD ? this.#release() : 'swallow';
  }

  /** @returns all that was held, and this answer after it */
  release(verdict: Exclude<Verdict, 'swallow'>, message: Message): Verdict {
    if (this.#held.length > 0) this.#held.push(copyOf(verdict, message));
    const all = this.#release();
    return all.length > 0 ? all : verdict;
  }

  /** The last answer has come. @returns all that was held */
  end(): Verdict;
  /** @returns all that was held, and this answer after it */
  end(answer: Buffer): Buffer;
  end(answer?: Buffer): Verdict {
    if (answer) this.#held.push(answer);
    const all = this.#release();
    return all.length > 0 ? all : (answer ?? 'swallow');
  }

  #release(): Buffer {
    const all = Buffer.concat(this.#held);
    this.#held = [];
    this.#isHolding = false;
    return all;
  }
}

/** The bytes of an answer. A message that is forwarded is copied, as the reader writes the next bytes over it. */
export function copyOf(verdict: Exclude<Verdict, 'swallow'>, { buffer, start, end }: Message): Buffer {
  return verdict === 'forward' ? Buffer.from(buffer.subarray(start, end)) : verdict;
}
