import type { ProxyError } from '../../../errors.js';
import type { CountedRows } from '../../../render/single/counts.js';
import type { ErrorFields } from '../../../wire/backend.js';

/** Ends a run early: by an error for the client, or by the end of the session. */
export class Stopped extends Error {
  /** Undefined where the client gets nothing more. */
  readonly error: ErrorFields | ProxyError | undefined;
  /** The error is about the client's own text. */
  readonly isOfText: boolean;

  /** The rows that are gone all the same; undefined where all is undone. */
  readonly taken: readonly CountedRows[] | undefined;

  constructor(error?: ErrorFields | ProxyError, isOfText = false, taken?: readonly CountedRows[]) {
    super('the sequence has stopped');
    this.error = error;
    this.isOfText = isOfText;
    this.taken = taken;
  }
}
