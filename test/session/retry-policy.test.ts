/** When an execution is retried, and when its rows are locked first. */
import { expect, test } from 'vitest';
import { RETRY_REASONS } from '../../src/session/execute/outcome.js';
import {
  firstAttempt,
  helps,
  isLast,
  locksFirst,
  nextAttempt,
} from '../../src/session/execute/retry-policy.js';

test.each([
  'no',
  'next',
  'never',
] as const)('a denied lock is no attempt, and the last lock (%s)', (locks) => {
  expect(nextAttempt({ left: 3, locks }, 'lockDenied', true)).toEqual({ left: 3, locks: 'never' });
});

test.each(RETRY_REASONS.filter((why) => why !== 'lockDenied'))('%s counts, in every state', (outcome) => {
  for (const locked of [true, false]) {
    const next = outcome === 'childInserted' && !locked ? 'next' : 'no';
    for (const locks of ['no', 'next'] as const)
      expect(nextAttempt({ left: 3, locks }, outcome, locked)).toEqual({ left: 2, locks: next });
    expect(nextAttempt({ left: 3, locks: 'never' }, outcome, locked)).toEqual({ left: 2, locks: 'never' });
  }
});

test('the first attempt and the last one lock nothing first', () => {
  expect(locksFirst(firstAttempt(5, false))).toBe(false);
  expect(locksFirst({ left: 2, locks: 'next' })).toBe(true);
  expect(locksFirst({ left: 1, locks: 'next' })).toBe(false);
});

test('where no key of the server keeps children away all attempts lock first, until a lock is denied', () => {
  const first = firstAttempt(2, true);
  expect(locksFirst(first)).toBe(true);
  const last = nextAttempt(first, 'ruleSuspected', true);
  expect(locksFirst(last)).toBe(true);
  expect(locksFirst(nextAttempt(first, 'lockDenied', true))).toBe(false);
});

test('what the same snapshot would show again is not tried, but for what names mean', () => {
  expect(RETRY_REASONS.filter((why) => helps(why, 'newer'))).toEqual(RETRY_REASONS);
  expect(RETRY_REASONS.filter((why) => helps(why, 'same'))).toEqual(['relationChanged']);
});

test('the last attempt is the one that leaves none', () => {
  expect(isLast(firstAttempt(1, false))).toBe(true);
  expect(isLast(firstAttempt(2, false))).toBe(false);
  expect(isLast(nextAttempt(firstAttempt(2, false), 'ruleSuspected', false))).toBe(true);
});
