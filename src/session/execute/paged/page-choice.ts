/** Chooses which of the rows that were found for a page it takes. Pure. */
import type { PageNode } from '../../../render/paged/paged-plan.js';

/** The rows that were found of a node. */
export interface Found {
  /** How many of them are held. */
  readonly count: number;
  /** There are more rows than these. */
  readonly hasMore: boolean;
  /** They are taken all together, or not at all. */
  readonly isWhole: boolean;
  /** Some of them reference each other in a circle. */
  readonly isCircle: boolean;
}

export interface Choice {
  /** For each node how many of its rows are taken: the first ones. */
  readonly taken: readonly number[];
  /** No row of the client's is left after this page. */
  readonly isLast: boolean;
}

/**
 * Chooses from the leaves up: rows of a node are taken where no row stays that references any of them; of several `nulls` that may concern
 * the same rows, only one is taken.
 * @param most rows that the page may take
 */
export function choosePage(nodes: readonly PageNode[], found: readonly Found[], most: number): Choice {
  const taken = nodes.map(() => 0);
  const done = nodes.map(() => false);
  let room = most;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { count, hasMore, isWhole } = found[i] ?? NOTHING;
    const { below = [], exclusive = [] } = nodes[i] ?? {};
    const isFree =
      below.every((each) => done[each]) && (count === 0 || exclusive.every((each) => taken[each] === 0));
    if (!isFree || (isWhole && count > room)) continue;
    const rows = Math.min(count, room);
    taken[i] = rows;
    room -= rows;
    done[i] = rows === count && !hasMore;
  }
  return { taken, isLast: done[0] === true };
}

const NOTHING: Found = { count: 0, hasMore: false, isWhole: false, isCircle: false };
