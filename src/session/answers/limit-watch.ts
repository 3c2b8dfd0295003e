/** Watches whether a statement reaches a limit of the server's, after which it is done again in batches. */

import { atLimitOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import type { Verdict } from '../server/outstanding-replies.js';
import { type ErrorTranslation, LIMIT_REACHED, type TranslatedError, translated } from './server-errors.js';

export class LimitWatch {
  #error: TranslatedError | undefined;
  #kept: Verdict | undefined;
  #news: (() => void)[] = [];

  /** The error, as the client would have got it; undefined where there was none. */
  get error(): TranslatedError | undefined {
    return this.#error;
  }

  /** Whether the client still has to get an answer. */
  get keeps(): boolean {
    return this.#kept !== undefined;
  }

  /**
   * Keeps the answer to an Execute, whose transaction may still reach a limit when the client's Sync commits it.
   * @returns what the client gets now
   */
  keep(answer: Verdict): Verdict {
    this.#kept = answer;
    return 'swallow';
  }

  /** @param tell tells what has come of it, when the client gets what is kept */
  tellLater(tell: () => void): void {
    this.#news.push(tell);
  }

  /** @returns what was kept: the client gets it now */
  give(): Verdict {
    const answer = this.#kept ?? 'swallow';
    this.#kept = undefined;
    for (const tell of this.#news.splice(0)) tell();
    return answer;
  }

  /**
   * @param failed the treatment of the statement that has failed
   * @returns whether the error says that a limit was reached: then neither the client nor the listeners get it
   */
  hears(error: Message, failed: Treatment | undefined, translation: ErrorTranslation): boolean {
    const { treatments } = translation.rewrite;
    // A statement that was planned again meanwhile may have no batches any more.
    const isWatched = treatments.some((each) => atLimitOf(each)?.kind === 'batches');
    if (!isWatched || readErrorFields(error).get(Field.code) !== LIMIT_REACHED) return false;
    this.#kept = undefined;
    this.#news = [];
    this.#error ??= translated(error, failed, translation);
    return true;
  }
}
