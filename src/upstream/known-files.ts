/** Files that connections need, each of which looks whether they have changed, as libpq reads them for each. */
import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

interface Known {
  readonly stats: BigIntStats;
  /** When it was read, in milliseconds since 1970. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** A file that was changed twice in so many milliseconds may bear the same time: some file systems count by 2 s. */
const GRAIN = 2000;

/** By path, as the configuration names it. */
const known = new Map<string, Known>();

/** @returns what the system says of a file; undefined where it is not there, or cannot be looked at */
export async function statsOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

/**
 * What is in a file: the same bytes as before where it has not changed. To read it takes several steps, and to look at it one; where
 * many connect at once each step waits for its turn.
 * @param looked what the system has just said of it
 * @throws the error of the system
 */
export async function contentOf(path: string, looked?: BigIntStats): Promise<Buffer> {
  const stats = looked ?? (await stat(path, { bigint: true }));
  const before = known.get(path);
  if (before && isSame(before, stats)) return before.bytes;
  const at = Date.now();
  const bytes = await readFile(path);
  known.set(path, { stats, at, bytes });
  return bytes;
}

function isSame({ stats, at }: Known, now: BigIntStats): boolean {
  return (
    Number(stats.ctimeMs) < at - GRAIN &&
    stats.ctimeNs === now.ctimeNs &&
    stats.mtimeNs === now.mtimeNs &&
    stats.size === now.size &&
    stats.ino === now.ino &&
    stats.dev === now.dev
  );
}
