/** Whether what a plan deletes can be deleted by one statement after the other. Pure. */
import type { Plan } from './plan.js';

/**
 * The server looks at each key that it enforces when a statement ends, and this one would delete what rows reference that a
 * later one deletes: those of a cycle, or inheritance children among the client's own rows.
 */
export function hasOrder({ keys, members, overlaps }: Plan): boolean {
  return !keys.some(
    ({ enforcedByServer, referenced, referencing }) =>
      enforcedByServer &&
      (members.get(referenced) ?? []).some(({ deletion }) =>
        (overlaps.get(referencing) ?? []).some((later) => later < deletion),
      ),
  );
}
