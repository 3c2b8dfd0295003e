import type { ProxyError } from '../../../errors.js';
import type { CountedRows } from '../../../render/single/counts.js';
import type { ErrorFields } from '../../../wire/backend.js';

/** Thrown to end a run early: with an error for the client, or because the session has ended. */
export class Stopped extends Error {
  /** Undefined where the session has ended, so that the client gets nothing more. */
  readonly error: ErrorFields | ProxyError | undefined;
  /** The error is about the client's own text: its position is one in the statement that finds the client's rows. */
  readonly isOfText: boolean;
  /** The rows that were changed or deleted and cannot be undone; undefined where all is undone. */
  readonly taken: readonly CountedRows[] | undefined;

  constructor(error?: ErrorFields | ProxyError, isOfText = false, taken?: readonly CountedRows[]) {
    super('the sequence has stopped');
    this.error = error;
    this.isOfText = isOfText;
    this.taken = taken;
  }
}
