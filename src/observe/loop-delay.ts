/** How late the event loop is: no session is served while it is. */

/** Milliseconds between two looks. */
const INTERVAL = 100;

/**
 * Looks for as long as the process runs, or until the end that it gives.
 * @param observe is told of each look how late it was, in seconds
 * @returns what ends it
 */
export function watchLoopDelay(observe: (seconds: number) => void): () => void {
  let due = performance.now() + INTERVAL;
  const timer = setInterval(() => {
    const now = performance.now();
    observe(Math.max(now - due, 0) / 1000);
    due = now + INTERVAL;
  }, INTERVAL).unref();
  return () => clearInterval(timer);
}
