/**
 * One attempt to execute an expanded statement: takes the server's answers to it, holds back what the client must not see
 * before it is certain, and tells how the attempt ended.
 * The reasons for another attempt are in outcome.ts.
 */

import type { Treatment } from '../../rewrite/statement/treatment.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { copyOf, HeldAnswers } from '../answers/held-answers.js';
import type { LimitWatch } from '../answers/limit-watch.js';
import type { News } from '../answers/news.js';
import type { Translation } from '../answers/results.js';
import { isForbidden } from '../server/error-classes.js';
import type { ReplyHandler, Verdict } from '../server/outstanding-replies.js';
import { type Outcome, type RetryReason, retryReasonOf } from './outcome.js';
import { repeatsStrings } from './retry-policy.js';

/** What an attempt is made with. */
export interface Sending {
  /** The frontend message: the answer to a Query ends with ReadyForQuery, that to an Execute without. */
  readonly message: 'Query' | 'Execute';
  /** Makes the handler that turns the server's answers into the client's. */
  readonly replies: (translation: Translation) => ReplyHandler;
  /** What the handler is made with. */
  readonly translation: Translation;
  /** Another attempt may follow; else the client gets any error. */
  readonly mayBeRetried: boolean;
  /** It is executed under a savepoint of the proxy's own. */
  readonly isSaved: boolean;
  /** How many statements of the proxy's own come before the client's in the same string. */
  readonly before: number;
  /** Watches for a limit of the server's, where the statement can be done again in batches. */
  readonly limit?: LimitWatch | undefined;
  /** Some of these lock rows. The server may deny that, and may do so before it executes any of the string. */
  readonly isLocking: boolean;
}

/**
 * `executing`: no error has come.
 * `abandoned`: an error has come that the client does not get, as another attempt follows. Nor does it get what comes next.
 * `failed`: the client has got an error, under the proxy's savepoint. It gets the ReadyForQuery when the transaction has
 * failed outside of the savepoint.
 * `answered`: the client has got an error, and gets what comes next.
 */
type State =
  | { readonly kind: 'executing' | 'failed' | 'answered' }
  | { readonly kind: 'abandoned'; readonly why: RetryReason };

/** Handles the answers to what was sent. */
export class Attempt implements ReplyHandler {
  readonly #sending: Sending;
  readonly #replies: ReplyHandler;
  readonly #held: HeldAnswers;
  /** What has come of its statements: the listeners are told when it is certain that no other attempt follows. */
  #news: News[] = [];
  /** Whether the string has several statements of the client's. */
  readonly #isString: boolean;
  /** How many statements of the string, the proxy's among them, have ended. */
  #completed = 0;
  #state: State = { kind: 'executing' };
  #settle: (outcome: Outcome) => void = () => {};
  /** How it ended. */
  readonly outcome = new Promise<Outcome>((resolve) => {
    this.#settle = resolve;
  });

  constructor(sending: Sending) {
    const own: readonly Treatment['kind'][] = ['swallow', 'cleanUp', 'lock'];
    const { translation } = sending;
    const { treatments } = translation.rewrite;
    this.#sending = sending;
    this.#replies = sending.replies({
      ...translation,
      tell: (news) => {
        this.#news.push(news);
      },
    });
    this.#held = new HeldAnswers(sending.mayBeRetried || sending.limit !== undefined);
    this.#isString = treatments.filter(({ kind }) => !own.includes(kind)).length > 1;
  }

  /** Whether the server has answered with an error, whether or not the client gets it. */
  get hasFailed(): boolean {
    return this.#state.kind !== 'executing';
  }

  receive(message: Message): Verdict {
    if (message.type === Backend.ErrorResponse) return this.#receiveError(message);
    if (message.type === Backend.ReadyForQuery) return this.#receiveReady(message);
    if (this.#state.kind === 'abandoned') return 'swallow';
    if (message.type === Backend.CommandComplete) this.#completed++;
    const verdict = this.#replies.receive(message);
    // Answers are held up to the end of the client's statement, or of all statements of its string.
    if (ROWS.has(message.type) || (this.#isString && message.type === Backend.CommandComplete))
      return this.#held.hold(verdict, message);
    // The end of a statement of the proxy's own.
    if (verdict === 'swallow') return verdict;
    const { limit, message: sent } = this.#sending;
    if (sent === 'Execute' && limit && message.type === Backend.CommandComplete && this.#held.isHolding) {
      limit.tellLater(() => this.#tellNews());
      this.#settle('done');
      return limit.keep(this.#held.end(copyOf(verdict, message)));
    }
    if (sent === 'Execute' && EXECUTED.has(message.type)) this.#done();
    return this.#held.release(verdict, message);
  }

  /** The client gets no notice of an attempt that has failed, nor of a statement of the proxy's own. */
  notice(message: Message): Verdict {
    const isOwn = this.#replies.notice?.(message) === 'swallow';
    return this.#state.kind === 'abandoned' || isOwn ? 'swallow' : this.#held.hold('forward', message);
  }

  skipped(): void {
    this.#replies.skipped?.();
    this.#done();
  }

  #receiveError(message: Message): Verdict {
    const { isSaved, message: sent } = this.#sending;
    const why = this.#held.isHolding ? this.#retryReason(message) : undefined;
    const verdict = this.#replies.receive(message);
    if (why) {
      this.#state = { kind: 'abandoned', why };
      this.#news = [];
      if (sent === 'Execute') this.#settle(why);
      return 'swallow';
    }
    this.#state = { kind: isSaved ? 'failed' : 'answered' };
    this.#tellNews();
    if (sent === 'Execute') this.#settle(isSaved ? 'failed' : 'done');
    return verdict === 'swallow' ? verdict : this.#held.release(verdict, message);
  }

  /** The end of a simple query. */
  #receiveReady(message: Message): Verdict {
    switch (this.#state.kind) {
      case 'abandoned':
        this.#settle(this.#state.why);
        return 'swallow';
      case 'failed':
        this.#replies.receive(message);
        this.#settle('failed');
        return 'swallow';
      case 'executing':
      case 'answered': {
        const verdict = this.#replies.receive(message);
        this.#done();
        return verdict === 'swallow' ? verdict : this.#held.release(verdict, message);
      }
    }
  }

  #done(): void {
    this.#tellNews();
    this.#settle('done');
  }

  #tellNews(): void {
    for (const news of this.#news.splice(0)) this.#sending.translation.tell(news);
  }

  #retryReason(error: Message): RetryReason | undefined {
    const { before, isLocking, limit, mayBeRetried, translation } = this.#sending;
    if (limit?.intercepts(error, this.#executedTreatment, translation)) return 'limitReached';
    if (!mayBeRetried) return undefined;
    const isDenied = isLocking && this.#completed < before && isForbidden(error);
    const why = isDenied ? 'lockDenied' : retryReasonOf(error, this.#executedTreatment, translation);
    return why && this.#isString && !repeatsStrings(why) ? undefined : why;
  }

  /** The treatment of the statement that the server is executing. */
  get #executedTreatment(): Treatment | undefined {
    const { treatments } = this.#sending.translation.rewrite;
    return this.#isString ? treatments[this.#completed] : treatments.find(({ kind }) => kind === 'cascade');
  }
}

/** The messages that come before the end of an execution, COPY … TO STDOUT among them. */
const ROWS: ReadonlySet<number> = new Set([
  Backend.RowDescription,
  Backend.DataRow,
  Backend.CopyOutResponse,
  Backend.CopyData,
  Backend.CopyDone,
]);

/** What ends the answer to an Execute. */
const EXECUTED: ReadonlySet<number> = new Set([Backend.CommandComplete, Backend.PortalSuspended]);
