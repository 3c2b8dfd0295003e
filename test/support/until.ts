import { setTimeout } from 'node:timers/promises';

/** In milliseconds: less than a test may take, so that the failure names what did not come. */
const PATIENCE = 30_000;
/** Between two looks, as whoever asks without a pause keeps a processor from what is waited for. */
const PAUSE = 2;

/**
 * Waits for what nobody tells of: looks again and again, to an end.
 * @param what the failure says, as in `until('the file is there', …)`
 * @param within milliseconds
 * @throws an Error that names it, where it does not come true in time
 */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  { within = PATIENCE }: { readonly within?: number } = {},
): Promise<void> {
  const end = performance.now() + within;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await setTimeout(PAUSE);
  }
}
