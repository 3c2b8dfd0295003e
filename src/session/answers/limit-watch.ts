/** Watches whether a statement reaches a limit of the server, so that the proxy undoes the statement and executes it in batches. */

import { atLimitOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import type { Verdict } from '../server/outstanding-replies.js';
import { type ErrorTranslation, LIMIT_REACHED, type TranslatedError, translated } from './server-errors.js';

export class LimitWatch {
  #error: TranslatedError | undefined;
  #kept: Verdict | undefined;
  #news: (() => void)[] = [];

  /** The error that said so, as the client would have got it; undefined while no limit was reached. */
  get error(): TranslatedError | undefined {
    return this.#error;
  }

  /** Whether an answer is kept, which the client still has to get. */
  get keeps(): boolean {
    return this.#kept !== undefined;
  }

  /**
   * Keeps the answer to an Execute from the client: the transaction may still reach a limit when the client's Sync commits it.
   * @returns what the client gets now: nothing
   */
  keep(answer: Verdict): Verdict {
    this.#kept = answer;
    return 'swallow';
  }

  /** @param tell tells the listeners how the statement ended; it is called when the client gets the kept answer */
  tellLater(tell: () => void): void {
    this.#news.push(tell);
  }

  /** Ends the keeping. @returns the kept answer, which the client gets now */
  give(): Verdict {
    const answer = this.#kept ?? 'swallow';
    this.#kept = undefined;
    for (const tell of this.#news.splice(0)) tell();
    return answer;
  }

  /**
   * Takes an error that says that a limit was reached, so that neither the client nor the listeners get it.
   * @param failed the treatment of the statement that has failed
   * @returns whether the error was one
   */
  intercepts(error: Message, failed: Treatment | undefined, translation: ErrorTranslation): boolean {
    const { treatments } = translation.rewrite;
    // The plan may be a new one, made since the watch began, and may have no batches.
    const isWatched = treatments.some((each) => atLimitOf(each)?.kind === 'batches');
    if (!isWatched || readErrorFields(error).get(Field.code) !== LIMIT_REACHED) return false;
    this.#kept = undefined;
    this.#news = [];
    this.#error ??= translated(error, failed, translation);
    return true;
  }
}
