import { execFileSync } from 'node:child_process';
import { describe, test } from 'vitest';

/** Whether a program can be run here: Debian has a wrapper for pgbench that fails where the program itself is missing. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Describes what a program does; where it is not installed, a suite of its name is skipped, which says so. */
export function describeProgram(program: string, suite: () => void): void {
  if (isInstalled(program)) describe(program, suite);
  else describeMissing(program, 'it is not installed');
}

/** Shows a suite as skipped. The summary of the run says why, once. */
export function describeMissing(suite: string, reason: string): void {
  describe(suite, () => {
    test('is not run here', ({ skip }) => skip(reason));
  });
}
