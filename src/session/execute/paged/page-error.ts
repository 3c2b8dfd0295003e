/** The first error of a transaction that is a batch. */
import type { CascadeTreatment } from '../../../rewrite/statement/treatment.js';
import { Field, readErrorFields } from '../../../wire/backend.js';
import type { Message } from '../../../wire/reader.js';
import { markerOf } from '../../answers/markers.js';
import { type ErrorTranslation, type TranslatedError, translated } from '../../answers/server-errors.js';

export interface PageError extends TranslatedError {
  /** Why another attempt may succeed, where what others did at the same time has caused the error. */
  readonly passes: 'childInserted' | 'othersConflict' | undefined;
}

/** @param translation of what was sent */
export function pageError(
  message: Message,
  cascade: CascadeTreatment,
  translation: ErrorTranslation,
): PageError {
  const fields = readErrorFields(message);
  const isLate = markerOf(fields, cascade, translation.rewrite, false)?.kind === 'ruleSuspected';
  const isRetried = translation.profile.family.retried.includes(fields.get(Field.code) ?? '');
  const passes = isLate ? 'childInserted' : isRetried ? 'othersConflict' : undefined;
  return { ...translated(message, cascade, translation), passes };
}
