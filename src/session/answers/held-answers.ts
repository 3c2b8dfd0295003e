/** The answers that the client has not got yet: it gets them when nothing can go wrong any more. */
import type { Message } from '../../wire/reader.js';
import type { Verdict } from '../server/outstanding-replies.js';

/** An answer that is longer than this goes out before its end: no other attempt can follow, and an error comes behind its rows. */
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

  /** @returns all that was held, and this answer behind it */
  release(verdict: Exclude<Verdict, 'swallow'>, message: Message): Verdict {
    if (this.#held.length > 0) this.#held.push(copyOf(verdict, message));
    const all = this.#release();
    return all.length > 0 ? all : verdict;
  }

  /** @returns all that was held, behind the last answer */
  end(): Verdict;
  /** @returns all that was held, and this answer behind it */
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

/** The bytes of an answer. A message that is forwarded is copied: the reader writes the next bytes over it. */
export function copyOf(verdict: Exclude<Verdict, 'swallow'>, { buffer, start, end }: Message): Buffer {
  return verdict === 'forward' ? Buffer.from(buffer.subarray(start, end)) : verdict;
}
