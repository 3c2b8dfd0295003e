/** Whether a statement has reached a limit of the server's, after which batches take its place. */

import { atLimitOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { type ErrorTranslation, LIMIT_REACHED, type TranslatedError, translated } from './server-errors.js';

export class LimitWatch {
  #error: TranslatedError | undefined;

  /** The error, as the client would have got it; undefined where there was none. */
  get error(): TranslatedError | undefined {
    return this.#error;
  }

  /**
   * @param failed the treatment of the statement that has failed
   * @returns whether the error tells of a limit: nobody else has to hear it then
   */
  hears(error: Message, failed: Treatment | undefined, translation: ErrorTranslation): boolean {
    const { treatments } = translation.rewrite;
    // What was planned anew may be none for batches.
    const isWatched = treatments.some((each) => atLimitOf(each)?.kind === 'batches');
    if (!isWatched || readErrorFields(error).get(Field.code) !== LIMIT_REACHED) return false;
    this.#error ??= translated(error, failed, translation);
    return true;
  }
}
