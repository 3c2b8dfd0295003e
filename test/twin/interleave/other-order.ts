/** A DELETE that waits has locked other rows below by then: who waited for whom tells it. */
import type { Trace, Turn } from './lockstep.js';
import { has, type Parting, waitsDiffer } from './parting.js';
import type { Wait } from './side.js';
import type { Trials } from './trials.js';

type SideName = 'native' | 'proxied';
const SIDES = [
  ['native', 'proxied'],
  ['proxied', 'native'],
] as const;

/**
 * Whether a circle of waits closes on one side only, in which a DELETE of rows that others may reference waits; or a step waits on one side
 * only, for such a DELETE, which waits itself; or of two that have waited for the same client, of which one is a DELETE, another one
 * goes on first.
 */
export function isOtherOrder(trace: Trace, parting: Parting, { schema }: Trials): boolean {
  const takesBelow = ({ step: { operation } }: Turn) =>
    operation?.kind === 'delete' &&
    schema.keys.some(({ to }) => to === operation.table % schema.tables.length);
  return SIDES.some(
    ([side, other]) =>
      closesCircle(trace, parting, side, other, takesBelow) ||
      waitsForDelete(trace, parting, side, takesBelow) ||
      goesFirst(trace, parting, side, other),
  );
}

function closesCircle(
  { turns }: Trace,
  { at }: Parting,
  side: SideName,
  other: SideName,
  takesBelow: (turn: Turn) => boolean,
): boolean {
  const isVictim = (turn: Turn, on: SideName) => turn[on]?.at === at && has(turn[on]?.answer, 'E C=40P01');
  const victims = turns.filter((turn) => isVictim(turn, side));
  if (turns.some((turn) => isVictim(turn, other))) return false;
  const circle = victims.flatMap((turn) => turn[side]?.circle ?? []);
  return circle.some(({ client }) => takesBelow(sentBy(turns, client, at, side)));
}

/** A step that is answered at once on the other side. */
function waitsForDelete(
  { turns, waits }: Trace,
  { turn, index, at }: Parting,
  side: SideName,
  takesBelow: (turn: Turn) => boolean,
): boolean {
  if (!waitsDiffer(turn) || at !== index + 1 || (turn[side]?.at ?? Infinity) <= at) return false;
  const edges = waits[side].get(at) ?? [];
  return [...waitedFor(edges, turn.client)].some((client) => {
    const waits = edges.some((each) => each.client === client);
    return waits && takesBelow(sentBy(turns, client, at, side));
  });
}

function goesFirst({ turns, waits }: Trace, { at }: Parting, side: SideName, other: SideName): boolean {
  const isFirst = (turn: Turn, i: number, on: SideName, late: SideName) =>
    i < at - 1 && turn[on]?.at === at && (turn[late]?.at ?? Infinity) > at;
  const one = turns.find((turn, i) => isFirst(turn, i, side, other));
  const another = turns.find((turn, i) => isFirst(turn, i, other, side));
  if (!one || !another || ![one, another].some(({ step }) => step.operation?.kind === 'delete')) return false;
  const by = turns[at - 1]?.client;
  return [side, other].every((name) => {
    const edges = waits[name].get(at - 1) ?? [];
    return [one, another].every(({ client }) => by !== undefined && waitedFor(edges, client).has(by));
  });
}

/**
 * Of two that have waited for the same client another one goes on first on each side, and the later one waits for that. Neither has waited for
 * anybody else: they wait for one transaction to end, which wakes both of them at once (ProcLockWakeup), and whoever is given
 * a processor first has the row. So it is where one waits to change the row and another one in its ON CONFLICT.
 */
export function areFreedTogether({ turns, waits }: Trace, { at }: Parting): boolean {
  const by = turns[at - 1]?.client;
  const first = (side: SideName, other: SideName) =>
    turns.find(
      (turn, i) => i < at - 1 && turn[side]?.at === at && (turn[other]?.at ?? Number.POSITIVE_INFINITY) > at,
    );
  const [natively, here] = [first('native', 'proxied'), first('proxied', 'native')];
  if (by === undefined || !natively || !here) return false;
  const waitsOnlyFor = (side: SideName, when: number, client: number, whom: number) => {
    const its = (waits[side].get(when) ?? []).filter((each) => each.client === client);
    return its.length > 0 && its.every((each) => each.by === whom);
  };
  return SIDES.every(([side]) => {
    const [one, other] = side === 'native' ? [natively, here] : [here, natively];
    const together = [one, other].every(({ client }) => waitsOnlyFor(side, at - 1, client, by));
    return together && waitsOnlyFor(side, at, other.client, one.client);
  });
}

/** The step that a client was at. */
function sentBy(turns: readonly Turn[], client: number, at: number, side: SideName): Turn {
  const sent = turns.slice(0, at).filter((turn) => turn.client === client);
  const open = sent.find((turn) => (turn[side]?.at ?? Infinity) >= at) ?? sent.at(-1);
  if (!open) throw new Error(`client ${client} has sent nothing`);
  return open;
}

/** For whom a client waits, perhaps over others. */
function waitedFor(edges: readonly Wait[], client: number): ReadonlySet<number> {
  const found = new Set<number>();
  const from = [client];
  for (const each of from)
    for (const { client: waiter, by } of edges)
      if (waiter === each && !found.has(by)) {
        found.add(by);
        from.push(by);
      }
  return found;
}
