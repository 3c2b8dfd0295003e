/**
 * Executes an expanded statement until it has ended for good, attempt by attempt. Each protocol sends, asks and rolls back in its own way
 * (query-execution.ts, portal-execution.ts); what is done next is the same for both, and retry-policy.ts decides it.
 */
import { ProxyError } from '../../errors.js';
import type { SessionEvents } from '../../observe/session-events.js';
import { firstLocksOf } from '../../rewrite/retries.js';
import { type Rewrite, refusal } from '../../rewrite/text.js';
import type { Outcome } from './outcome.js';
import {
  firstAttempt,
  helps,
  isLast,
  locksFirst,
  MOST_ATTEMPTS,
  nextAttempt,
  type Snapshot,
} from './retry-policy.js';

/** How an attempt is made. */
export interface Terms {
  /** The rows are locked first, as far as `findLocks` has found that they may be. */
  readonly isLocking: boolean;
  /** The names in the statement were resolved again, and mean what they meant before. */
  readonly isResolved: boolean;
  /** No other attempt follows. */
  readonly isLast: boolean;
}

/**
 * One statement that is executed, in the way of its protocol. An implementation remembers the text that it sends: planAgain
 * changes it.
 */
export interface Execution {
  /** Whether the statement may be tried again: nothing else is lost where an attempt fails. */
  readonly mayBeRetried: boolean;
  /** What is sent in the next attempt. */
  readonly rewrite: Rewrite;
  /**
   * Finds out which locks may be sent first.
   * @param isEach locks go before each attempt, for all statements of the text; else for its one statement, after an attempt that has failed
   * @returns whether there are any; `failed` where the question has ended the execution: the client has its error
   */
  findLocks(isEach: boolean): Promise<boolean | 'failed'>;
  attempt(terms: Terms): Promise<Outcome>;
  /** Undoes a failed attempt. @returns the snapshot of the next one; `failed` where the client has got an error */
  rollBack(): Promise<Snapshot | 'failed'>;
  /**
   * Rewrites the statement again, by what its names mean now.
   * @returns whether it can be sent; else the client has got an error, or the caller of carryOut sends something else
   */
  planAgain(): Promise<boolean>;
  /** Sends a text that the server refuses in place of the statement: the client gets an error of the proxy's own. */
  refuse(refusal: Rewrite): Promise<void>;
  /** The client has its error: makes the transaction fail outside of the proxy's savepoint too. */
  failOutside(): Promise<void>;
}

/** Fulfilled when the execution has ended for good: the client has its answer, or gets it when the server sends it. */
export async function carryOut(execution: Execution, events: Pick<SessionEvents, 'retried'>): Promise<void> {
  const isEach = firstLocksOf(execution.rewrite.treatments).length > 0;
  let retry = firstAttempt(execution.mayBeRetried ? MOST_ATTEMPTS : 1, isEach);
  let isResolved = false;
  for (;;) {
    const isLocking = locksFirst(retry) && (await execution.findLocks(isEach));
    if (isLocking === 'failed') return;
    const outcome = await execution.attempt({ isLocking, isResolved, isLast: isLast(retry) });
    if (outcome === 'done') return;
    if (outcome === 'failed') return execution.failOutside();
    events.retried(outcome);
    // The executor, which watches for a limit, does the statement again in batches.
    if (outcome === 'limitReached') return void (await execution.rollBack());
    retry = nextAttempt(retry, outcome, isLocking);
    const snapshot = await execution.rollBack();
    if (snapshot === 'failed') return;
    if (!helps(outcome, snapshot)) return execution.refuse(refusal(new ProxyError('PGC_SERIALIZATION', {})));
    const { sql } = execution.rewrite;
    if (!(await execution.planAgain())) return;
    isResolved = outcome === 'relationChanged' && execution.rewrite.sql === sql;
  }
}
