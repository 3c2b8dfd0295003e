/** Where two sides part: the turn, what was answered, and in which snapshot it was carried out. */
import type { Answer, Trace, Turn } from './lockstep.js';
import type { Trials } from './trials.js';

/** The first turn that went another way, and the number of turns that were sent by then. */
export interface Parting {
  readonly turn: Turn;
  readonly index: number;
  readonly at: number;
}

export function isSame({ turns, left }: Trace): boolean {
  return alike(left.native, left.proxied) && turns.every((turn) => !answersDiffer(turn));
}

function answersDiffer({ native, proxied }: Turn): boolean {
  return !alike(native?.answer ?? [], proxied?.answer ?? []);
}

export function waitsDiffer({ native, proxied }: Turn): boolean {
  return native?.at !== proxied?.at;
}

/** Of those at one moment it is the one that was sent then, as others may only have been released by it. */
export function partingOf({ turns }: Trace): Parting | undefined {
  const partings = turns.flatMap((turn, index): Parting[] => {
    if (!answersDiffer(turn) && !waitsDiffer(turn)) return [];
    return [{ turn, index, at: Math.min(turn.native?.at ?? Infinity, turn.proxied?.at ?? Infinity) }];
  });
  const at = Math.min(...partings.map((each) => each.at));
  const first = partings.filter((each) => each.at === at);
  return first.find(({ index }) => index === at - 1) ?? first[0];
}

/** The turn that took the snapshot in which a turn was carried out. */
export function snapshotOf({ turns }: Trace, index: number, { keepsSnapshot }: Trials): number {
  const { client } = turns[index] ?? {};
  const earlier = turns.flatMap((turn, i) => (i < index && turn.client === client ? [{ ...turn, i }] : []));
  const begin = earlier.findLastIndex(({ step }) => step.operation === undefined);
  if (!keepsSnapshot || earlier[begin]?.step.shown !== 'BEGIN') return index;
  return earlier[begin + 1]?.i ?? index;
}

/** What each client was answered, one step after the other, and what was left. */
export function answersOf(trace: Trace, side: 'native' | 'proxied'): Answer {
  const turns = trace.turns.map(({ client, step }, i) => ({
    client,
    shown: step.shown,
    answer: trace.turns[i]?.[side]?.answer,
  }));
  return [
    ...turns
      .sort((a, b) => a.client - b.client)
      .map(({ client, answer }) => `${client}: ${answer?.join('; ')}`),
    ...trace.left[side],
  ];
}

export function has(answer: Answer | undefined, start: string): boolean {
  return answer?.some((each) => each.startsWith(start)) ?? false;
}

export function alike(one: Answer, other: Answer): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i]);
}
