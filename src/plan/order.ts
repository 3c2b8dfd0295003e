/** Whether what a plan deletes can be deleted by one statement after the other. Pure. */
import type { Plan } from './plan.js';

/**
 * The server looks at each key that it enforces when a statement ends, and this one would delete what rows reference that a
 * later one deletes: those of a cycle, or inheritance children among the client's own rows.
 * @returns what stands against it, for PGC_ORDERED
 */
export function orderObstacle({ keys, members, overlaps }: Plan): string | undefined {
  const isTooEarly = keys.some(
    ({ enforcedByServer, referenced, referencing }) =>
      enforcedByServer &&
      (members.get(referenced) ?? []).some(({ deletion }) =>
        (overlaps.get(referencing) ?? []).some((later) => later < deletion),
      ),
  );
  return isTooEarly ? 'keys that the server enforces, and no order suits' : undefined;
}
