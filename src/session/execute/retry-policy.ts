/** Decides how an execution that has failed is tried again: how often, when its rows are locked first, and when not at all. Pure. */
import type { RetryReason } from './outcome.js';

export { MOST_ATTEMPTS } from '../../rewrite/retries.js';

export interface RetryState {
  /** How many attempts may still be made, the next one among them. */
  readonly left: number;
  /** Whether the next attempt locks the rows first; `never` once the server has denied a lock, `always` until then. */
  readonly locks: 'no' | 'next' | 'always' | 'never';
}

/** What a failed attempt means for the next one. */
interface Consequences {
  /** Whether it is one of the attempts that are counted. */
  readonly counts: boolean;
  /** Whether the next attempt locks its rows first: `unless locked`, if this one has not done so. */
  readonly locks: 'no' | 'unless locked' | 'never';
  /** Whether the next attempt may end otherwise under the same snapshot. */
  readonly helpsInSnapshot: boolean;
  /** Whether a string of several statements is sent again, too. */
  readonly repeatsStrings: boolean;
}

const CONSEQUENCES: Readonly<Record<RetryReason, Consequences>> = {
  ruleSuspected: { counts: true, locks: 'no', helpsInSnapshot: false, repeatsStrings: true },
  // What a name means does not depend on the snapshot.
  relationChanged: { counts: true, locks: 'no', helpsInSnapshot: true, repeatsStrings: false },
  childInserted: { counts: true, locks: 'unless locked', helpsInSnapshot: false, repeatsStrings: false },
  othersConflict: { counts: true, locks: 'no', helpsInSnapshot: false, repeatsStrings: false },
  lockDenied: { counts: false, locks: 'never', helpsInSnapshot: false, repeatsStrings: false },
  limitReached: { counts: true, locks: 'no', helpsInSnapshot: false, repeatsStrings: false },
};

/** The snapshot of the next attempt: a newer one, with what others have committed since, or that of the last attempt. */
export type Snapshot = 'newer' | 'same';

/**
 * @param most how many attempts may be made at most
 * @param isLocking whether each of them locks its rows first, as no key of the server's would keep children away
 */
export function firstAttempt(most: number, isLocking: boolean): RetryState {
  return { left: most, locks: isLocking ? 'always' : 'no' };
}

/**
 * Whether the next attempt locks its rows first. Where only a failed attempt is the reason the last one does not: a denied lock
 * could not be followed by another.
 */
export function locksFirst({ left, locks }: RetryState): boolean {
  return locks === 'always' || (locks === 'next' && left > 1);
}

/** Whether no other attempt follows the next one, so that the client gets any error of it. */
export function isLast({ left }: RetryState): boolean {
  return left === 1;
}

/**
 * The state after an attempt that is to be retried. One whose locks were denied does not count.
 * @param locked the attempt had locked its rows: a child that was inserted all the same means an old snapshot
 */
export function nextAttempt({ left, locks }: RetryState, why: RetryReason, locked: boolean): RetryState {
  const after = CONSEQUENCES[why];
  return { left: after.counts ? left - 1 : left, locks: locksAfter(locks, after.locks, locked) };
}

function locksAfter(
  before: RetryState['locks'],
  after: Consequences['locks'],
  locked: boolean,
): RetryState['locks'] {
  if (before === 'never' || after === 'never') return 'never';
  if (before === 'always') return 'always';
  return after === 'unless locked' && !locked ? 'next' : 'no';
}

/**
 * Whether another attempt may end otherwise than the one before it; natively a transaction that keeps its snapshot fails.
 */
export function helps(why: RetryReason, snapshot: Snapshot): boolean {
  return snapshot === 'newer' || CONSEQUENCES[why].helpsInSnapshot;
}

/** Whether a string of several statements is sent again for this reason; else the client gets the error. */
export function repeatsStrings(why: RetryReason): boolean {
  return CONSEQUENCES[why].repeatsStrings;
}
