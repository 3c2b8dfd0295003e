/** How an execution that did not end is retried: how often, and when its rows are locked first. Pure. */
import type { Outcome } from './attempt.js';

export interface RetryState {
  /** How many attempts may still be made, the next one among them. */
  readonly left: number;
  /** Whether the next attempt locks the rows first; `never` once the server has denied a lock. */
  readonly locks: 'no' | 'next' | 'never';
}

/** @param most how many attempts may be made at the most */
export function firstAttempt(most: number): RetryState {
  return { left: most, locks: 'no' };
}

/** Whether the next attempt locks its rows first. The last one does not: a denied lock could not be followed by another. */
export function locksFirst({ left, locks }: RetryState): boolean {
  return locks === 'next' && left > 1;
}

/**
 * The state after an attempt whose outcome is to be retried. One whose locks were denied does not count.
 * @param locked the attempt had locked its rows: a child that was inserted all the same means an old snapshot
 */
export function nextAttempt({ left, locks }: RetryState, outcome: Outcome, locked: boolean): RetryState {
  if (outcome === 'lockDenied') return { left, locks: 'never' };
  if (locks === 'never') return { left: left - 1, locks };
  return { left: left - 1, locks: outcome === 'childInserted' && !locked ? 'next' : 'no' };
}
