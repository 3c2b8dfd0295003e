/** Kinds of differences that come of a DELETE which is sent again, or stands after locks of its own (`cascade.locks: rows`). */
import type { Trace, Turn } from './lockstep.js';
import { alike, answersOf, has, type Parting, snapshotOf } from './parting.js';
import type { Trials } from './trials.js';

/**
 * Natively the same comes of it where the DELETE is sent only when what it waited for has ended, and after it those that have waited
 * for it.
 */
export async function isSentAgain(
  trace: Trace,
  { turn, index }: Pick<Parting, 'turn' | 'index'>,
  trials: Trials,
): Promise<boolean> {
  const { operation } = turn.step;
  const until = turn.proxied?.at ?? 0;
  const ownSnapshot = snapshotOf(trace, index, trials) === index;
  if (!ownSnapshot || operation?.kind !== 'delete' || until <= index + 1) return false;
  const between = trace.turns.slice(index + 1, until);
  const waits = (each: Turn) => (each.proxied?.at ?? Infinity) > until;
  const turns = [
    ...trace.turns.slice(0, index),
    ...between.filter((each) => !waits(each)),
    turn,
    ...between.filter(waits),
    ...trace.turns.slice(until),
  ];
  const later = turns.map(({ client }) => client);
  const again = await trials.again(later);
  return alike(answersOf(again, 'native'), answersOf(trace, 'proxied'));
}

/**
 * Natively a DELETE fails at once, by a rule, and here it waits for the rows first that it locks; somebody closes a circle with
 * that wait, and is its victim.
 */
export function isDeadlockThroughLocks(
  { turns }: Trace,
  { turn, index }: Parting,
  { guarded }: Trials,
): boolean {
  const { native, proxied, step } = turn;
  const isAtOnce = native?.at === index + 1 && has(native.answer, 'E C=23');
  const until = proxied?.at ?? 0;
  if (!guarded || step.operation?.kind !== 'delete' || !isAtOnce || until <= index + 1) return false;
  return turns.some((each) => {
    const at = each.proxied?.at ?? 0;
    const isVictim = has(each.proxied?.answer, 'E C=40P01') && !has(each.native?.answer, 'E C=40P01');
    return isVictim && at > index + 1 && at <= until;
  });
}

/**
 * A DELETE that waits, on both sides, has the same tag, and other rows: here it goes by a snapshot that it takes when the wait has ended.
 * Natively the same comes of it where it is sent only then.
 */
export async function isAfterLocks(
  trace: Trace,
  parting: Parting | undefined,
  trials: Trials,
): Promise<boolean> {
  if (!trials.guarded || parting !== undefined) return false;
  for (const [index, turn] of trace.turns.entries())
    if ((turn.native?.at ?? 0) > index + 1 && (await isSentAgain(trace, { turn, index }, trials)))
      return true;
  return false;
}
