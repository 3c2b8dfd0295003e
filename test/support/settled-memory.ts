/** The memory of a Node.js process, so that two looks at it can be compared. */
import { setTimeout as sleep } from 'node:timers/promises';

/** In bytes. */
export interface Memory {
  /** What the system has given to the process. */
  readonly resident: number;
  /** What JavaScript uses of it: objects, and buffers outside of the heap. */
  readonly used: number;
}

/**
 * Node's own flags for the process that is looked at. V8 makes objects in memory that all share, and that grows to 16 MB with time:
 * here it has that size from the start.
 */
export const LOOKED_AT = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'] as const;

/** So many objects fill that memory several times. */
const GARBAGE = 2_000_000;
/** What is freed by one collection lets others be freed by the next; what waits for the end of an object runs between them. */
const COLLECTIONS = 4;
const PAUSE = 50;

/** In the process that is looked at: answers each message of the one that has started it with its `Memory`. */
export function answerWithMemory(): void {
  process.on('message', () => settledMemory().then((told) => process.send?.(told)));
}

/**
 * Uses all of V8's memory for new objects first, which the system gives page by page when it is first used: else it would count
 * as that of what comes between two looks. And frees what nobody has.
 */
async function settledMemory(): Promise<Memory> {
  let last: object = {};
  for (let i = 0; i < GARBAGE; i++) last = { last: i, of: GARBAGE };
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc?.();
    await sleep(PAUSE, last);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}
