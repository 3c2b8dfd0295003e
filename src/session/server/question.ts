/** A question of the proxy's own while it is being answered. */
import { errorResponse, Field, readErrorFields, readRow } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { ReplyHandler, Verdict } from './outstanding-replies.js';

/**
 * `failed`: the server answered with an error, which the client got as the answer to its own statement.
 * `skipped`: an earlier message of the client's pipeline had failed, so the server skips its next ones as well.
 */
export type Answer =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'failed' | 'skipped' };

/** What is done with the answers to a question. */
export interface AnswerHandling {
  /** Whether an error is none of the client's. */
  readonly isOurs?: ((error: Message) => boolean) | undefined;
  /** What the client gets in place of an error that is its own. */
  readonly instead?: ((error: Message) => Buffer | undefined) | undefined;
  /** The ReadyForQuery after such an error is the client's all the same. */
  readonly isReadyTheirs?: boolean;
  /** How many characters of the client's text stand before what was sent: an error's position is one in that text. */
  readonly offset?: number;
  /** Is given every answer. */
  readonly hear?: (message: Message) => void;
}

/** Swallows what answers a question and keeps its value; an error, and the end of a query that had one, are the client's. */
export class Question implements ReplyHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #handling: AnswerHandling;
  #value = '';
  #failed = false;
  #ours = false;

  constructor(resolve: (answer: Answer) => void, handling: AnswerHandling) {
    this.#resolve = resolve;
    this.#handling = handling;
  }

  receive(message: Message): Verdict {
    const { hear, instead, isOurs, isReadyTheirs = false, offset } = this.#handling;
    hear?.(message);
    if (message.type === Backend.ErrorResponse) {
      this.#failed = true;
      this.#ours = isOurs?.(message) ?? false;
      const other = this.#ours ? undefined : instead?.(message);
      if (other) return other;
      if (!this.#ours && offset) return shifted(message, offset);
    }
    if (message.type === Backend.ReadyForQuery && isReadyTheirs) return 'forward';
    if (message.type === Backend.DataRow) this.#value = readRow(message)[0]?.toString('latin1') ?? '';
    const end = message.type === Backend.ErrorResponse || message.type === Backend.ReadyForQuery;
    return this.#failed && end && !this.#ours ? 'forward' : 'swallow';
  }

  /** Where the client gets no error of the question, it gets no notice either. */
  notice(): Verdict {
    return this.#handling.isOurs ? 'swallow' : 'forward';
  }

  /** Handles the answer to the last message: with it, or where it is skipped, the question is answered. */
  get ending(): ReplyHandler {
    return {
      receive: (message) => {
        const verdict = this.receive(message);
        if (message.type === Backend.CloseComplete || message.type === Backend.ReadyForQuery)
          this.#resolve(this.#failed ? { kind: 'failed' } : { kind: 'value', value: this.#value });
        return verdict;
      },
      skipped: () => this.#resolve({ kind: this.#failed ? 'failed' : 'skipped' }),
    };
  }
}

/** The same error with its position so many characters further on. */
function shifted(error: Message, offset: number): Verdict {
  const fields = readErrorFields(error);
  const position = fields.get(Field.position);
  if (position === undefined) return 'forward';
  return errorResponse(new Map(fields).set(Field.position, String(Number(position) + offset)));
}
