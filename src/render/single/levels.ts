/** The levels in which the rows of a plan are locked, from the top down: the rows of a level reference rows of the levels above. */
import { type Deletion, grouped, type Plan } from '../../plan/plan.js';
import type { Purpose } from './actions/deletions.js';

export interface Level {
  /** The deletions whose rows are locked at this level. */
  readonly locked: readonly Deletion[];
  /** What the statement that locks this level does with the rows of each deletion of the plan. */
  readonly purpose: (deletion: Deletion) => Purpose;
}

/**
 * Deeper levels are locked together with the last of these, as each level costs a statement that reads all levels above it. Rows that other
 * transactions insert there meanwhile can be missed.
 */
const MOST_LEVELS = 8;

/** The second pass over a cycle finds rows that were committed while the first pass waited. No number of passes is certain to find all. */
const PASSES_OF_CYCLE = 2;

/** The levels of the rows that a key of the plan references; the level of a cycle is there once for each pass. */
export function levelsOf(plan: Plan): readonly Level[] {
  const depths = depthsOf(plan);
  const depthOf = ({ id }: Deletion) => Math.min(depths[id] ?? 0, MOST_LEVELS - 1);
  const referenced = plan.deletions.filter(({ returns }) => returns.length > 0);
  const deepest = referenced.reduce((most, deletion) => Math.max(most, depthOf(deletion)), 0);
  return Array.from({ length: deepest + 1 }, (_, depth): readonly Level[] => {
    const locked = referenced.filter((deletion) => depthOf(deletion) === depth);
    const level: Level = {
      locked,
      purpose: (deletion) => {
        if (deletion.returns.length === 0 || depthOf(deletion) > depth) return 'nothing';
        return depthOf(deletion) === depth ? 'lock' : 'read';
      },
    };
    const passes = locked.some(({ cycle }) => cycle !== undefined) ? PASSES_OF_CYCLE : 1;
    return Array<Level>(passes).fill(level);
  })
    .flat()
    .filter(({ locked }) => locked.length > 0);
}

/** The depth of each deletion: the length of the longest path of keys to it from the client's own. The deletions of a cycle have one depth. */
export function depthsOf({ deletions, members }: Plan): readonly number[] {
  const depths: number[] = [];
  const cycles = grouped(deletions, ({ cycle }) => cycle);
  const ofCycles = new Map<number, number>();
  for (const { cycle, keys, origin } of deletions) {
    const known = cycle === undefined ? undefined : ofCycles.get(cycle);
    // The other deletions of the cycle come after the first one, and have no depth yet.
    const entering = cycle === undefined ? keys : (cycles.get(cycle) ?? []).flatMap((each) => each.keys);
    const above =
      known === undefined ? entering.flatMap(({ referenced }) => members.get(referenced) ?? []) : [];
    const depth =
      known ?? above.reduce((most, { deletion }) => Math.max(most, (depths[deletion] ?? 0) + 1), 0);
    if (cycle !== undefined) ofCycles.set(cycle, depth);
    depths.push(origin === 'client' ? 0 : depth);
  }
  return depths;
}
