/** Which of the rows that were found for a page it takes. Pure. */
import type { PageNode } from '../../../render/paged/paged-plan.js';

/** What was found of a node. */
export interface Found {
  /** Rows that are held. */
  readonly count: number;
  /** There are more rows than these. */
  readonly hasMore: boolean;
  /** All of them are taken together, or none. */
  readonly isWhole: boolean;
}

export interface Choice {
  /** For each node how many of its rows are taken: the first ones. */
  readonly taken: readonly number[];
  /** No row of the client's is left behind this page. */
  readonly isLast: boolean;
}

/**
 * From the leaves up: of a node rows are taken if nothing that hangs on any of its rows stays; of `nulls` that may be about the same rows, those of one.
 * @param most rows that the page may take
 */
export function choosePage(nodes: readonly PageNode[], found: readonly Found[], most: number): Choice {
  const taken = nodes.map(() => 0);
  const done = nodes.map(() => false);
  let room = most;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const { count, hasMore, isWhole } = found[i] ?? NOTHING;
    const { below = [], apart = [] } = nodes[i] ?? {};
    const isFree =
      below.every((each) => done[each]) && (count === 0 || apart.every((each) => taken[each] === 0));
    if (!isFree || (isWhole && count > room)) continue;
    const rows = Math.min(count, room);
    taken[i] = rows;
    room -= rows;
    done[i] = rows === count && !hasMore;
  }
  return { taken, isLast: done[0] === true };
}

const NOTHING: Found = { count: 0, hasMore: false, isWhole: false };
